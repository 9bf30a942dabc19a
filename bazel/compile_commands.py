"""Writes compile_commands.json from `bazel aquery`: how each C++ file is compiled, for clangd and clang-tidy."""

import json
import os
import subprocess
import sys


def actions(options):
    command = ["bazel", "aquery", 'mnemonic("CppCompile", //...)', "--output=jsonproto", "--include_artifacts=false"] + options
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout).get("actions", [])


def entry(arguments):
    """One command, to be run in the workspace: `bazel-out` is a link there. None: not a source file of this tree."""
    source = arguments[arguments.index("-c") + 1]
    if source.startswith(("bazel-out/", "external/")):
        return None
    return {"directory": os.getcwd(), "file": source, "arguments": arguments}


def main():
    entries = {}
    for action in actions(sys.argv[1:]):
        made = entry(action["arguments"])
        if made:
            entries[made["file"]] = made
    with open("compile_commands.json", "w", encoding="utf-8") as out:
        json.dump([entries[name] for name in sorted(entries)], out, indent=1)
    print("compile_commands.json: %d files" % len(entries))
    return 0 if entries else 1


if __name__ == "__main__":
    sys.exit(main())
