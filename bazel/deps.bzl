"""Repositories that callbridge needs, none of which is downloaded.

Everything callbridge links is a Debian package, wrapped under //third_party. What is left are three repositories that
Bazel 4.2.3 itself asks for before it builds any C++ or runs any test, and would otherwise fetch from the network. Each is
written here as a handful of lines that forward to the native rules.

In a monorepo: declare @callbridge, then load and call callbridge_dependencies(). Repositories that are already declared are
left alone, so real copies of rules_cc or rules_java win.
"""

_RULES_CC = [
    "cc_binary",
    "cc_import",
    "cc_library",
    "cc_proto_library",
    "cc_test",
    "cc_toolchain",
    "cc_toolchain_suite",
    "fdo_prefetch_hints",
    "fdo_profile",
    "objc_library",
]

_RULES_JAVA = [
    "java_binary",
    "java_import",
    "java_library",
    "java_lite_proto_library",
    "java_package_configuration",
    "java_plugin",
    "java_proto_library",
    "java_runtime",
    "java_test",
    "java_toolchain",
]

def _stub_repository_impl(ctx):
    for path, content in ctx.attr.files.items():
        ctx.file(path, content, executable = path.endswith(".sh"))

_stub_repository = repository_rule(
    implementation = _stub_repository_impl,
    attrs = {"files": attr.string_dict(doc = "path inside the repository -> content")},
)

def _forward(names):
    return "".join(["%s = native.%s\n" % (name, name) for name in names])

def callbridge_dependencies():
    """Declares the repositories that are not declared yet."""
    if not native.existing_rule("rules_cc"):
        _stub_repository(
            name = "rules_cc",
            files = {"cc/BUILD": "", "cc/defs.bzl": _forward(_RULES_CC)},
        )
    if not native.existing_rule("rules_java"):
        _stub_repository(
            name = "rules_java",
            files = {"java/BUILD": "", "java/defs.bzl": _forward(_RULES_JAVA)},
        )
    if not native.existing_rule("remote_coverage_tools"):
        _stub_repository(
            name = "remote_coverage_tools",
            files = {
                "BUILD": """
filegroup(name = "coverage_report_generator", srcs = ["none.sh"], visibility = ["//visibility:public"])
filegroup(name = "lcov_merger", srcs = ["none.sh"], visibility = ["//visibility:public"])
""",
                "none.sh": "#!/bin/sh\nexit 0\n",
            },
        )
