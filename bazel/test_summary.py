"""Counts the test cases of `bazel test` runs and prints `N passed, N failed, N skipped` as the last line.

The argument is a file with one line for each run: name, exit status of bazel, its build event file (JSON), tab-separated. A case that
failed is named on a line `FAILED`, one that was skipped on a line `SKIPPED name: why`. Exit status 0 only if at least one case ran and none failed.

Cases are read from the test.xml of each target. A target that is no GoogleTest is one case; it says that it was skipped with a
line `SKIPPED: why` in its output. A test that did not build is one failed case.
"""

import json
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree
from collections import Counter


def case_result(case):
    """-> ("passed" | "failed" | "skipped", why)."""
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed", ""
    skipped = case.find("skipped")
    if skipped is not None:
        # GoogleTest puts file:line before what the test said.
        message = re.sub(r"^\S+:\d+\s*", "", skipped.get("message", "")).strip()
        return "skipped", " ".join(message.split()) or "no reason given"
    if case.get("status") == "notrun":
        return "skipped", "disabled"
    return "passed", ""


def xml_cases(path):
    """-> [(case name, result, why)] of one test.xml."""
    root = ElementTree.parse(path).getroot()
    cases = []
    for suite in root.iter("testsuite"):
        output = "".join(node.text or "" for node in suite.findall("system-out"))
        told = re.search(r"^SKIPPED: (.*)$", output, re.MULTILINE)
        for case in suite.findall("testcase"):
            result, why = case_result(case)
            if result == "passed" and told:
                result, why = "skipped", told.group(1).strip()
            name = case.get("name", "")
            if case.get("classname"):
                name = "%s.%s" % (case.get("classname"), name)
            cases.append((name, result, why))
    return cases


class Target:
    def __init__(self):
        self.cases = []
        self.failed = False  # As Bazel saw it.
        self.ran = False


def read_events(path):
    """-> {label: Target} of all tests that were asked for."""
    targets = {}
    with open(path, encoding="utf-8") as events:
        for line in events:
            event = json.loads(line)
            what = event.get("id", {})
            if "targetConfigured" in what and event.get("configured", {}).get("testSize"):
                targets.setdefault(what["targetConfigured"]["label"], Target())
            elif "testResult" in what and "testResult" in event:
                target = targets.setdefault(what["testResult"]["label"], Target())
                result = event["testResult"]
                target.ran = True
                target.failed = target.failed or result.get("status") not in ("PASSED", "FLAKY")
                for output in result.get("testActionOutput", []):
                    if output.get("name") == "test.xml" and output.get("uri", "").startswith("file://"):
                        target.cases += read_cases(output["uri"])
    return targets


def read_cases(uri):
    path = urllib.parse.unquote(urllib.parse.urlparse(uri).path)
    try:
        return xml_cases(path)
    except (OSError, ElementTree.ParseError):
        return []


def target_cases(label, target):
    """-> [(name, result, why)], at least one."""
    if not target.ran:
        return [(label, "failed", "it did not build or did not run")]
    if target.failed and not any(result == "failed" for _, result, _ in target.cases):
        return target.cases + [(label, "failed", "the process crashed, ran out of time or left no report")]
    if not target.cases:
        return [(label, "failed", "it ran no test case")]
    if len(target.cases) == 1 and target.cases[0][0] in label.replace(":", "/"):
        return [(label,) + target.cases[0][1:]]
    return [("%s %s" % (label, name), result, why) for name, result, why in target.cases]


def summarize(runs):
    """runs: [(name, status of bazel, {label: Target})] -> (lines, exit status)."""
    lines, counts = [], Counter()
    for name, status, targets in runs:
        run = Counter()
        for label in sorted(targets):
            for case, result, why in target_cases(label, targets[label]):
                run[result] += 1
                if result != "passed":
                    lines.append("%s %s%s" % (result.upper(), case, ": " + why if why else ""))
        if status not in (0, 3) and not run["failed"]:
            run["failed"] += 1
            lines.append("FAILED %s: bazel ended with status %d (see above)" % (name, status))
        elif status == 3 and not run["failed"]:
            run["failed"] += 1
            lines.append("FAILED %s: bazel says that a test failed, no report does" % name)
        counts += run
    lines.append("%d passed, %d failed, %d skipped" % (counts["passed"], counts["failed"], counts["skipped"]))
    return lines, 0 if counts["passed"] and not counts["failed"] else 1


def main():
    runs = []
    with open(sys.argv[1], encoding="utf-8") as listed:
        for line in listed:
            name, status, events = line.rstrip("\n").split("\t")
            try:
                targets = read_events(events)
            except (OSError, ValueError):
                targets = {}
            runs.append((name, int(status), targets))
    lines, status = summarize(runs)
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
