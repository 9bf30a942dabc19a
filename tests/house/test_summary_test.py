"""What `./dev test` says at the end, from reports as Bazel writes them."""

import json
import os
import tempfile
import unittest

from bazel import test_summary
from tests.house import junit

GTEST = """<testsuites><testsuite name="IdsTest">
<testcase name="A" status="run" result="completed" classname="IdsTest"/>
<testcase name="B" status="run" result="completed" classname="IdsTest"><failure message="no"/></testcase>
<testcase name="C" status="run" result="skipped" classname="IdsTest"><skipped message="tests/a.cc:12&#x0A;no&#x0A;grpcurl here"/></testcase>
<testcase name="DISABLED_D" status="notrun" result="suppressed" classname="IdsTest"/>
</testsuite></testsuites>"""
SCRIPT = '<testsuites><testsuite name="x/y"><testcase name="x/y" status="run">%s</testcase><system-out>%s</system-out></testsuite></testsuites>'


class TestSummaryTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def events(self, *targets):
        """Targets: (label, status or None for one that did not run, xml or None)."""
        path = os.path.join(self.folder, "events.json")
        with open(path, "w", encoding="utf-8") as out:
            for i, (label, status, xml) in enumerate(targets):
                out.write(json.dumps({"id": {"targetConfigured": {"label": label}}, "configured": {"testSize": "SMALL"}}) + "\n")
                outputs = []
                if xml is not None:
                    report = os.path.join(self.folder, "test %d.xml" % i)
                    with open(report, "w", encoding="utf-8") as into:
                        into.write(xml)
                    outputs = [{"name": "test.xml", "uri": "file://" + report.replace(" ", "%20")}]
                if status:
                    result = {"status": status, "testActionOutput": outputs}
                    out.write(json.dumps({"id": {"testResult": {"label": label}}, "testResult": result}) + "\n")
            out.write(json.dumps({"id": {"targetConfigured": {"label": "//:lib"}}, "configured": {}}) + "\n")
        return test_summary.read_events(path)

    def summary(self, *targets, status=0):
        return test_summary.summarize([("tests", status, self.events(*targets))])

    def test_each_kind_of_case(self):
        lines, status = self.summary(("//a:b", "FAILED", GTEST), status=3)
        self.assertEqual(lines[-1], "1 passed, 1 failed, 2 skipped")
        self.assertIn("FAILED //a:b IdsTest.B", lines)
        self.assertIn("SKIPPED //a:b IdsTest.C: no grpcurl here", lines)
        self.assertEqual(status, 1)

    def test_a_script_is_one_case(self):
        lines, status = self.summary(("//x:y", "PASSED", SCRIPT % ("", "fine")))
        self.assertEqual((lines, status), (["1 passed, 0 failed, 0 skipped"], 0))

    def test_a_script_says_that_it_was_skipped(self):
        lines, _ = self.summary(("//x:y", "PASSED", SCRIPT % ("", "a\nSKIPPED: no tool\n")), ("//x:z", "PASSED", SCRIPT % ("", "")))
        self.assertEqual(lines, ["SKIPPED //x:y: no tool", "1 passed, 0 failed, 1 skipped"])

    def test_a_crash_without_report_is_a_failure(self):
        for name, xml in [("none", None), ("half", "<testsuites><tests"), ("green", GTEST.replace("<failure message=\"no\"/>", ""))]:
            with self.subTest(name):
                lines, status = self.summary(("//a:b", "TIMEOUT", xml), status=3)
                self.assertIn(", 1 failed,", lines[-1])
                self.assertEqual(status, 1)

    def test_a_test_that_did_not_build_is_a_failure(self):
        lines, status = self.summary(("//a:b", None, None), ("//x:y", "PASSED", SCRIPT % ("", "")), status=1)
        self.assertEqual(lines[-1], "1 passed, 1 failed, 0 skipped")
        self.assertEqual(status, 1)

    def test_no_target_at_all_is_a_failure(self):
        lines, status = self.summary(status=0)
        self.assertEqual((lines[-1], status), ("0 passed, 0 failed, 0 skipped", 1))
        lines, status = self.summary(status=1)
        self.assertEqual((lines[-1], status), ("0 passed, 1 failed, 0 skipped", 1))

    def test_only_skipped_is_no_success(self):
        _, status = self.summary(("//x:y", "PASSED", SCRIPT % ("", "SKIPPED: no tool\n")))
        self.assertEqual(status, 1)

    def test_a_target_without_cases_is_a_failure(self):
        lines, status = self.summary(("//a:b", "PASSED", "<testsuites/>"))
        self.assertEqual((lines[-1], status), ("0 passed, 1 failed, 0 skipped", 1))

    def test_a_broken_build_beside_green_tests_is_a_failure(self):
        lines, status = self.summary(("//x:y", "PASSED", SCRIPT % ("", "")), status=1)
        self.assertEqual((lines[-1], status), ("1 passed, 1 failed, 0 skipped", 1))


if __name__ == "__main__":
    junit.main()
