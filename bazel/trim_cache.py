"""Keeps Bazel's disk cache from filling the disk: Bazel 4 adds to it and never takes anything out.

usage: trim_cache.py FOLDER GIGABYTES

If the files of FOLDER/ac and FOLDER/cas are larger together than GIGABYTES (10^9 bytes), those that were not used for the longest go until four fifths of it are left.
Bazel touches a file whenever it is used. What was used within the last hour stays, whatever the size: a build may be running.
"""

import os
import sys
import time

YOUNG = 3600  # Seconds.
LEFT = 0.8


def files_of(folder):
    """-> [(when it was used last, size, path)]"""
    found = []
    for part in ("ac", "cas"):
        for where, _, names in os.walk(os.path.join(folder, part)):
            for name in names:
                path = os.path.join(where, name)
                try:
                    status = os.stat(path)
                except FileNotFoundError:
                    continue  # Another command's build renamed it.
                found.append((status.st_mtime, status.st_size, path))
    return found


def trim(folder, limit, now):
    """Removes the oldest where there are more than `limit` bytes. -> (bytes before, bytes after)"""
    files = sorted(files_of(folder))
    before = after = sum(size for _, size, _ in files)
    if before <= limit:
        return before, after
    for used, size, path in files:
        if after <= limit * LEFT or used > now - YOUNG:
            break
        try:
            os.remove(path)
        except FileNotFoundError:
            pass
        after -= size
    return before, after


def main(folder, gigabytes):
    try:
        limit = float(gigabytes) * 1e9
        if not limit > 0:
            raise ValueError
    except ValueError:
        sys.exit(f"CALLBRIDGE_CACHE_GB must be a number above 0, not '{gigabytes}'")
    before, after = trim(folder, limit, time.time())
    if after < before:
        print(f"Trimmed the build cache in {folder} from {before / 1e9:.1f} to {after / 1e9:.1f} GB (CALLBRIDGE_CACHE_GB={gigabytes})", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
