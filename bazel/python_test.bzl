"""Tests written in Python. The native py_test wants a program called `python`, which Debian 12 does not have."""

def python_test(name, src, data = [], **kwargs):
    """Runs `src`, a unittest module of this package that calls junit.main(), with the workspace's root on its path."""
    native.sh_test(
        name = name,
        srcs = ["//bazel:python_test.sh"],
        args = ["$(rootpath %s)" % src],
        data = [src, "//tests/house:junit.py"] + data,
        size = kwargs.pop("size", "small"),
        **kwargs
    )
