"""What `./dev` takes out of Bazel's disk cache."""

import os
import tempfile
import unittest

from bazel import trim_cache
from tests.house import junit

HOUR = 3600
NOW = 1_800_000_000


class TrimCacheTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, size, hours_ago):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(b"x" * size)
        os.utime(path, (NOW, NOW - hours_ago * HOUR))  # Read just now; what counts is what Bazel sets.

    def left(self):
        return sorted(os.path.relpath(path, self.folder) for _, _, path in trim_cache.files_of(self.folder))

    def test_leaves_a_cache_within_its_limit_alone(self):
        self.file("cas/a", 100, 50)
        self.assertEqual(trim_cache.trim(self.folder, 100, NOW), (100, 100))
        self.assertEqual(self.left(), ["cas/a"])

    def test_takes_what_was_not_used_for_the_longest_until_four_fifths_are_left(self):
        for i in range(1, 11):
            self.file("%s/%d" % ("ac" if i % 2 else "cas", i), 100, 10 + i)
        self.assertEqual(trim_cache.trim(self.folder, 999, NOW), (1000, 700))
        self.assertEqual(self.left(), ["ac/1", "ac/3", "ac/5", "ac/7", "cas/2", "cas/4", "cas/6"])

    def test_leaves_what_a_build_may_be_using(self):
        self.file("cas/old", 100, 2)
        self.file("cas/young", 100, 0.5)
        self.assertEqual(trim_cache.trim(self.folder, 50, NOW), (200, 100))
        self.assertEqual(self.left(), ["cas/young"])

    def test_touches_nothing_but_the_disk_cache(self):
        self.file("tools/bin/grpcurl", 100, 100)
        self.file("bases/x", 100, 100)
        self.file("cas/a", 100, 100)
        trim_cache.trim(self.folder, 1, NOW)
        self.assertTrue(os.path.exists(os.path.join(self.folder, "tools/bin/grpcurl")))
        self.assertTrue(os.path.exists(os.path.join(self.folder, "bases/x")))
        self.assertEqual(self.left(), [])

    def test_takes_a_folder_that_is_empty_or_not_there(self):
        self.assertEqual(trim_cache.trim(self.folder + "/no", 1, NOW), (0, 0))

    def test_refuses_a_limit_that_is_none(self):
        for limit in ("", "many", "0", "-1", "nan"):
            with self.subTest(limit), self.assertRaisesRegex(SystemExit, "CALLBRIDGE_CACHE_GB must be a number above 0"):
                trim_cache.main(self.folder, limit)


if __name__ == "__main__":
    junit.main()
