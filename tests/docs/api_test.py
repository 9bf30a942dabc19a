"""docs/api.md is what the protos say."""

import re
import unittest

from bazel import api_doc
from tests.house import junit

PROTOSET = "proto/callbridge/v1/callbridge_cc_grpc_protoset.protoset"


class ApiTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        with open(PROTOSET, "rb") as source:
            self.page = api_doc.document(source.read())

    def test_it_is_up_to_date(self):
        with open("docs/api.md", encoding="utf-8") as page:
            self.assertEqual(page.read(), self.page, "./dev api makes it anew")

    def test_it_shows_methods_fields_and_values_with_their_comments(self):
        self.assertIn("[StartCallRequest](#startcallrequest) → [StartCallResponse](#startcallresponse), scope `calls.start`", self.page)
        self.assertIn("→ stream of [CallEventsResponse](#calleventsresponse), scope `events.read`", self.page)
        self.assertIn("| `metadata` | map of string to string | OPTIONAL.", self.page)
        self.assertIn("| `after_cursor` | string | One of `start`. OPTIONAL.", self.page)
        self.assertIn("| `CALL_STATE_DIALING` |", self.page)
        self.assertNotIn("| |\n|---|---|---|\n\n", self.page, "no empty tables")

    def test_links_lead_somewhere(self):
        titles = {api_doc.anchor(line.lstrip("# ")) for line in self.page.splitlines() if line.startswith("#")}
        for line in self.page.splitlines():
            for target in re.findall(r"\]\(#([^)]+)\)", line):
                self.assertIn(target, titles, line)


if __name__ == "__main__":
    junit.main()
