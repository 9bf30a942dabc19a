"""Fuzz targets: a test over their corpus in every test run, and a libFuzzer program for `./dev fuzz`."""

load("//bazel:cc.bzl", "callbridge_cc_test")

def callbridge_fuzz_test(name, deps, **kwargs):
    """A function LLVMFuzzerTestOneInput in <name>.cc, and its inputs in corpus/<name>/.

    With g++ it is a test that feeds every input and small changes of it; with --config=fuzz and clang it is the fuzzer.
    """
    if not name.endswith("_fuzz"):
        fail("the name of a fuzz target ends with _fuzz")
    callbridge_cc_test(
        name = name,
        srcs = [name + ".cc"],
        args = ["tests/fuzz/corpus/" + name],
        data = native.glob(["corpus/%s/**" % name], allow_empty = False),
        linkopts = select({
            "//tests/fuzz:fuzzing": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        tags = ["fuzz"],
        main = select({
            "//tests/fuzz:fuzzing": [],
            "//conditions:default": ["//tests/fuzz:corpus_main"],
        }),
        deps = deps,
        **kwargs
    )
