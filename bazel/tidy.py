"""Runs clang-tidy over the C++ files of the rooms whose headers are light, and remembers what was clean.

usage: tidy.py [--all] CACHE_FOLDER

Left out: net, control, nodes, app, client, demo, bench and sim, where websocketpp or gRPC makes each file a minute of work, unless
--all; and tests. A file is looked at again when it, a header of ours that it includes, or .clang-tidy has changed.
"""

import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys

HEAVY = ("net", "control", "nodes", "app", "client", "demo", "bench", "sim")
FLAGS = ["-std=c++17", "-I.", "-Ibazel-bin/proto", "-DASIO_STANDALONE", "-D_WEBSOCKETPP_CPP11_STL_", "-DSPDLOG_COMPILED_LIB",
         "-DSPDLOG_FMT_EXTERNAL", "-DSPDLOG_SHARED_LIB", "-Wno-unknown-warning-option"]
_OWN_INCLUDE = re.compile(r'^\s*#\s*include\s*"(src/[^"]+)"', re.MULTILINE)


def read(path):
    try:
        with open(path, "rb") as source:
            return source.read()
    except OSError:
        return b""


def with_headers(path, seen):
    """Adds `path` and the headers of ours that it includes, however far, to `seen`."""
    if path not in seen:
        seen.add(path)
        for header in _OWN_INCLUDE.findall(read(path).decode("utf-8", "replace")):
            with_headers(header, seen)
    return seen


def fingerprint(path):
    digest = hashlib.sha256(repr(FLAGS).encode() + read(".clang-tidy"))
    for name in sorted(with_headers(path, set())):
        digest.update(name.encode() + b"\0" + read(name) + b"\0")
    return digest.hexdigest()


def tidy(path, cache):
    """-> what clang-tidy complains about; empty if nothing."""
    stamp = os.path.join(cache, fingerprint(path))
    if os.path.exists(stamp):
        return ""
    done = subprocess.run(["clang-tidy-14", "--quiet", path, "--"] + FLAGS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode == 0:
        with open(stamp, "w", encoding="utf-8"):
            pass
        return ""
    return done.stdout.decode("utf-8", "replace") or done.stderr.decode("utf-8", "replace")


def sources(everything):
    found = []
    for folder, _, names in os.walk("src"):
        room = folder.split(os.sep)[1] if os.sep in folder else ""
        if everything or room not in HEAVY:
            found += [os.path.join(folder, name) for name in names if name.endswith(".cc")]
    return sorted(found)


def main():
    arguments = [a for a in sys.argv[1:] if a != "--all"]
    os.makedirs(arguments[0], exist_ok=True)
    files = sources("--all" in sys.argv)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for complaint in pool.map(lambda path: tidy(path, arguments[0]), files):
            if complaint:
                failed += 1
                print(complaint)
    print("clang-tidy: %d files, %d with complaints" % (len(files), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
