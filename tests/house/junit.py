"""unittest.main() that also writes the report that Bazel asks for, one case for each test, so that ./dev test counts them."""

import os
import sys
import unittest
import xml.etree.ElementTree as ElementTree


class _Result(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.started, self.troubles, self.skips = [], {}, {}

    def startTest(self, test):
        super().startTest(test)
        self.started.append(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.troubles[test.id()] = str(err[1])

    def addError(self, test, err):
        super().addError(test, err)
        self.troubles[test.id()] = str(err[1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.troubles[test.id()] = "%s: %s" % (subtest, err[1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skips[test.id()] = reason


def _write(path, result):
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite", name="unittest", tests=str(len(result.started)))
    for test in result.started:
        group, name = test.id().split(".")[-2:]
        case = ElementTree.SubElement(suite, "testcase", name=name, classname=group)
        if test.id() in result.troubles:
            ElementTree.SubElement(case, "failure", message=result.troubles[test.id()])
        elif test.id() in result.skips:
            ElementTree.SubElement(case, "skipped", message=result.skips[test.id()])
    ElementTree.ElementTree(suites).write(path, encoding="utf-8")


def main():
    if "TESTBRIDGE_TEST_ONLY" in os.environ:  # bazel test --test_filter=part_of_a_name
        unittest.defaultTestLoader.testNamePatterns = ["*%s*" % os.environ["TESTBRIDGE_TEST_ONLY"]]
    tests = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(resultclass=_Result, verbosity=2).run(tests)
    if "XML_OUTPUT_FILE" in os.environ:
        _write(os.environ["XML_OUTPUT_FILE"], result)
    sys.exit(0 if result.wasSuccessful() and result.started else 1)
