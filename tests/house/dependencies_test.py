"""docs/dependencies.md and bazel/apt-packages.txt name the same packages, and dev knows every group."""

import re
import unittest

from tests.house import junit


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


class DependenciesTest(unittest.TestCase):
    def setUp(self):
        lines = [line.split() for line in read("bazel/apt-packages.txt").splitlines() if line and not line.startswith("#")]
        self.assertTrue(all(len(line) == 2 for line in lines), lines)
        self.groups = {group for group, _ in lines}
        self.packages = [package for _, package in lines]

    def test_each_package_is_listed_once(self):
        self.assertEqual(sorted(self.packages), sorted(set(self.packages)))

    def test_each_package_is_explained(self):
        first_cells = " ".join(re.findall(r"^\| ([^|]+) \|", read("docs/dependencies.md"), re.MULTILINE))
        explained = set(re.findall(r"[a-z0-9+.-]+", first_cells))
        self.assertEqual([package for package in self.packages if package not in explained], [])

    def test_each_group_is_asked_for(self):
        asked = {group for call in re.findall(r"^  needs(.*)$", read("dev"), re.MULTILINE) for group in call.split()}
        self.assertEqual(asked, self.groups - {"build"})


if __name__ == "__main__":
    junit.main()
