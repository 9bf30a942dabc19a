"""docs/errors.md has every reason that an error can carry, with its code: what the protos promise, and what the server's sources say."""

import glob
import os
import re
import unittest

from tests.house import junit

# The tree behind the link.
ROOT = os.path.dirname(os.path.realpath("WORKSPACE"))
CODES = {"CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
         "OUT_OF_RANGE", "UNIMPLEMENTED", "UNAVAILABLE", "UNAUTHENTICATED"}
# Reasons that are their own code, where the code stands before.
OWN = {"DEADLINE_EXCEEDED", "INTERNAL"}
# Of the store, which the control plane says in other words, and of the port between nodes.
INSIDE = {"EVENTS_PURGED", "INVALID_LIMIT", "INVALID_NODE", "INVALID_WRITE", "LEAD_ID_REUSED", "NOT_FORWARDED", "OWNER_CHANGED", "SUMMARY_JOB_NOT_FOUND"}
# What looks like a reason and is none.
OTHERS = {"CALLBRIDGE_API_TOKENS", "GRPC_VERBOSITY", "NOT_FOUND"}
WORD = r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\bINTERNAL\b|\bDRAINING\b"


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def table():
    """-> {reason: code} of the page."""
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| ([A-Z_]+) \|", read("docs/errors.md"), re.MULTILINE)
    reasons = dict(rows)
    assert len(rows) == len(reasons), "a reason has two rows"
    return reasons


def promised():
    """-> {reason: codes} of the comments of the services."""
    found = {}
    for path in glob.glob(os.path.join(ROOT, "proto/callbridge/v1/*_service.proto")):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"\n\s*// ?", " ", file.read())
        for paragraph in re.findall(r"Errors:.*?\n|Any RPC may.*?\n", text):
            code = ""
            for word in re.findall(WORD + r"|\bABORTED\b|\bUNAVAILABLE\b|\bUNAUTHENTICATED\b", paragraph.split("Of several servers")[0]):
                if word in CODES:
                    code = word
                else:
                    found.setdefault(word, set()).add(word if word in OWN else code)
    return found


def said():
    """The reasons in the sources of what answers clients."""
    words = set()
    for room in ("control", "session", "store"):
        for path in glob.glob(os.path.join(ROOT, "src", room, "**", "*.cc"), recursive=True) + glob.glob(os.path.join(ROOT, "src", room, "*.h")):
            with open(path, encoding="utf-8") as file:
                words |= set(re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|DRAINING|INTERNAL)"', file.read()))
    return words - OTHERS


class ErrorsTest(unittest.TestCase):
    def test_what_the_contract_promises_is_in_the_table(self):
        rows, contract = table(), promised()
        self.assertGreater(len(contract), 50)
        for reason, codes in sorted(contract.items()):
            with self.subTest(reason):
                self.assertEqual({rows.get(reason)}, codes)

    def test_the_table_has_nothing_that_the_contract_does_not_promise(self):
        self.assertEqual(set(table()) - set(promised()), set())

    def test_what_the_sources_say_is_in_the_table(self):
        self.assertEqual(said() - INSIDE - set(table()), set())

    def test_the_table_has_nothing_that_nobody_says(self):
        self.assertEqual(set(table()) - said(), set())

    def test_nothing_is_excused_that_is_not_there(self):
        self.assertEqual(INSIDE - said(), set())


if __name__ == "__main__":
    junit.main()
