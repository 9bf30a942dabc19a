"""C++ rules of the house: every target goes through these, so that flags change in one place."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

COPTS = [
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    "-Wno-sign-compare",
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
    "-Wimplicit-fallthrough",
    "-Werror=return-type",
    "-Werror=unused-result",
]

def callbridge_cc_library(name, copts = [], **kwargs):
    cc_library(name = name, copts = COPTS + copts, **kwargs)

def callbridge_cc_binary(name, copts = [], **kwargs):
    cc_binary(name = name, copts = COPTS + copts, **kwargs)

def callbridge_cc_test(name, size = "small", deps = [], copts = [], linkstatic = True, **kwargs):
    """A GoogleTest test; its main() comes with the wrapper.

    Our own code is linked statically: as shared objects, which tests get otherwise, it would not name the Debian libraries
    that it needs, and the linker's --as-needed drops those that the test itself does not call.
    """
    cc_test(
        name = name,
        size = size,
        linkstatic = linkstatic,
        copts = COPTS + copts,
        deps = deps + [str(Label("//third_party/googletest:main"))],
        **kwargs
    )
