"""Bad requests as an operator sees them: each has its code, a reason for programs, and names the field."""

import sqlite3
import unittest

from tests.house import junit
from tests.operator import world
from tests.operator.world import until

NOBODY = "calls/00000000-0000-4000-8000-000000000000"
NOTHING = NOBODY + "/transfers/00000000-0000-4000-8000-000000000001"
GOOD = "+14155550151"
INVALID = "InvalidArgument"

# name: (method, request, code, reason, field ("": none), what the message says too)
CASES = {
    "no call at all": ("StartCall", {}, INVALID, "FIELD_REQUIRED", "call", ""),
    "no number": ("StartCall", {"call": {}}, INVALID, "FIELD_REQUIRED", "call.to", ""),
    "a malformed number": ("StartCall", {"call": {"to": "0151 1234"}}, INVALID, "INVALID_E164", "call.to", "+14155550100"),
    "a number without +": ("StartCall", {"call": {"to": "14155550151"}}, INVALID, "INVALID_E164", "call.to", ""),
    "a malformed number to show": ("StartCall", {"call": {"to": GOOD, "from": "me"}}, INVALID, "INVALID_E164", "call.from", ""),
    "calling oneself": ("StartCall", {"call": {"to": "+14155550100"}}, INVALID, "INVALID_E164", "call.to", ""),
    "an unknown agent": ("StartCall", {"call": {"to": GOOD, "agent": "x"}}, INVALID, "UNKNOWN_AGENT", "call.agent", "desk, nameless"),
    "an agent without a number": (
        "StartCall", {"call": {"to": GOOD, "agent": "nameless"}}, "FailedPrecondition", "NO_CALLER_ID", "call.from", ""),
    "a number outside the prefixes": (
        "StartCall", {"call": {"to": "+4930123456"}}, "FailedPrecondition", "DESTINATION_NOT_ALLOWED", "call.to", ""),
    "ringing too briefly": (
        "StartCall", {"call": {"to": GOOD, "ring_timeout": "1s"}}, INVALID, "INVALID_DURATION", "call.ring_timeout", "5s to 2m"),
    "a call too long": (
        "StartCall", {"call": {"to": GOOD, "max_duration": "90000s"}}, INVALID, "INVALID_DURATION", "call.max_duration", "10s to 4h"),
    "a request id that is none": (
        "StartCall", {"request_id": "1", "call": {"to": GOOD}}, INVALID, "INVALID_REQUEST_ID", "request_id", "UUID"),
    "metadata too large": (
        "StartCall", {"call": {"to": GOOD, "metadata": {"k": "v" * 1025}}}, INVALID, "INVALID_METADATA", "call.metadata", "1024"),
    "ending nothing": ("EndCall", {}, INVALID, "FIELD_REQUIRED", "call", ""),
    "ending what is no name": ("EndCall", {"call": "calls/1"}, INVALID, "INVALID_CALL_NAME", "call", "calls/{uuid}"),
    "ending an unknown call": ("EndCall", {"call": NOBODY}, "NotFound", "CALL_NOT_FOUND", "", NOBODY),
    "ending with a novel": ("EndCall", {"call": NOBODY, "reason": "x" * 513}, INVALID, "TEXT_TOO_LONG", "reason", "512"),
    "an unknown call": ("GetCall", {"call": NOBODY}, "NotFound", "CALL_NOT_FOUND", "", NOBODY),
    "no name of a call": ("GetCall", {}, INVALID, "FIELD_REQUIRED", "call", ""),
    "a bad page token": ("ListCalls", {"page_token": "x"}, INVALID, "PAGE_TOKEN_INVALID", "page_token", "next_page_token"),
    "a negative page size": ("ListCalls", {"page_size": -1}, INVALID, "INVALID_PAGE_SIZE", "page_size", ""),
    "a bad lead in a filter": ("ListCalls", {"filter": {"lead": "x"}}, INVALID, "INVALID_FILTER", "filter.lead", ""),
    "the transcript of an unknown call": ("GetTranscript", {"call": NOBODY}, "NotFound", "CALL_NOT_FOUND", "", ""),
    "transferring an unknown call": ("TransferCall", {"call": NOBODY, "destination": "sales"}, "NotFound", "CALL_NOT_FOUND", "", ""),
    "transferring nowhere": ("TransferCall", {"call": NOBODY}, INVALID, "FIELD_REQUIRED", "destination", "sales, support"),
    "an unknown destination": (
        "TransferCall", {"call": NOBODY, "destination": "ceo"}, INVALID, "UNKNOWN_DESTINATION", "destination", "sales, support"),
    "a number as destination": (
        "TransferCall", {"call": NOBODY, "destination": "+14155550142"}, INVALID, "UNKNOWN_DESTINATION", "destination", ""),
    "transferring to whom?": (
        "TransferCall", {"call": NOBODY, "destination": "sales", "number": "+14155550142"}, INVALID, "FIELD_CONFLICT", "number", "destination"),
    "transferring to no number": ("TransferCall", {"call": NOBODY, "number": "142"}, INVALID, "INVALID_E164", "number", "+14155550100"),
    "transferring to a number outside the prefixes": (
        "TransferCall", {"call": NOBODY, "number": "+14155550199"}, "FailedPrecondition", "DESTINATION_NOT_ALLOWED", "number", ""),
    "transferring an unknown call to a number": (
        "TransferCall", {"call": NOBODY, "number": "+14155550142"}, "NotFound", "CALL_NOT_FOUND", "", NOBODY),
    "cancelling nothing": ("CancelTransfer", {}, INVALID, "FIELD_REQUIRED", "transfer", "calls/{uuid}/transfers/{uuid}"),
    "cancelling a call": ("CancelTransfer", {"transfer": NOBODY}, INVALID, "INVALID_TRANSFER_NAME", "transfer", "calls/{uuid}/transfers/{uuid}"),
    "cancelling in an unknown call": ("CancelTransfer", {"transfer": NOTHING}, "NotFound", "CALL_NOT_FOUND", "", NOBODY),
    "no name of a transfer": ("GetTransfer", {"transfer": "x"}, INVALID, "INVALID_TRANSFER_NAME", "transfer", ""),
    "a transfer of an unknown call": ("GetTransfer", {"transfer": NOTHING}, "NotFound", "CALL_NOT_FOUND", "", NOBODY),
    "transfers of an unknown call": ("ListTransfers", {"call": NOBODY}, "NotFound", "CALL_NOT_FOUND", "", NOBODY),
    "transfers of no call": ("ListTransfers", {}, INVALID, "FIELD_REQUIRED", "call", ""),
    "events of an unknown call": ("CallEvents", {"call": NOBODY}, "NotFound", "CALL_NOT_FOUND", "", ""),
    "a bad cursor": ("CallEvents", {"after_cursor": "x"}, INVALID, "CURSOR_INVALID", "after_cursor", ""),
    "a sequence without a call": ("CallEvents", {"after_sequence": "3"}, INVALID, "INVALID_SEQUENCE", "after_sequence", ""),
    "an unknown type of event": (
        "CallEvents", {"event_types": ["barge_in", "bargein"]}, INVALID, "UNKNOWN_EVENT_TYPE", "event_types[1]", "barge_in"),
    "heartbeats too often": (
        "CallEvents", {"heartbeat_interval": "0.1s"}, INVALID, "INVALID_DURATION", "heartbeat_interval", "1s to 5m"),
}


@unittest.skipUnless(world.CLIENT, world.NEEDS_CLIENT)
class ErrorsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world.World()
        cls.addClassCleanup(cls.world.close)

    def tearDown(self):
        self.assertTrue(self.world.server.running(), self.world.server.text())

    def test_each_says_what_is_wrong_and_where(self):
        before = self.world.rows("SELECT count(*) FROM call_logs")
        for name, (method, request, code, reason, field, says) in CASES.items():
            with self.subTest(name):
                failure = self.world.failing(method, **request)
                self.assertEqual((failure.code, failure.reason, failure.domain), (code, reason, "callbridge"), failure.text)
                self.assertEqual(failure.fields, [field] if field and code == INVALID else [], failure.text)
                self.assertEqual(failure.metadata.get("field", ""), field, failure.text)
                if field:
                    self.assertTrue(failure.message.startswith(field + ":"), failure.message)
                self.assertIn(says, failure.message)
        self.assertEqual(self.world.rows("SELECT count(*) FROM call_logs"), before, "nothing of this made a call")

    def test_a_field_that_does_not_exist_is_refused_before_it_is_sent(self):
        failure = self.world.failing("StartCall", call={"number": GOOD})
        self.assertIn("number", failure.text)

    def test_a_call_that_is_over_cannot_be_transferred(self):
        self.world.phone(world.BUSY % GOOD[1:])
        name = self.world.dial(GOOD)
        until("end", lambda: "end" in self.world.rpc("GetCall", call=name)["call"])
        failure = self.world.failing("TransferCall", call=name, destination="sales")
        self.assertEqual((failure.code, failure.reason), ("FailedPrecondition", "CALL_NOT_ACTIVE"), failure.text)
        self.assertEqual(failure.metadata["state"], "failed")
        nothing = name + NOTHING[len(NOBODY):]
        for method in ("GetTransfer", "CancelTransfer"):
            failure = self.world.failing(method, transfer=nothing)
            self.assertEqual((failure.code, failure.reason), ("NotFound", "TRANSFER_NOT_FOUND"), failure.text)
        self.assertEqual(self.world.rpc("ListTransfers", call=name), {})

    def test_a_suppressed_lead_is_not_dialled(self):
        with sqlite3.connect(self.world.database, timeout=10) as database:
            database.execute("INSERT INTO leads (id, phone, created_at, updated_at, suppressed, suppressed_reason) "
                             "VALUES ('l-77', '+14155550177', ?1, ?1, 1, 'asked us to stop')", ("2026-01-01T00:00:00.000000Z",))
        before = self.world.rows("SELECT count(*) FROM call_logs")
        failure = self.world.failing("StartCall", call={"to": "+14155550177"})
        self.assertEqual((failure.code, failure.reason), ("FailedPrecondition", "LEAD_SUPPRESSED"), failure.text)
        self.assertEqual((failure.metadata["lead"], failure.metadata["field"]), ("leads/l-77", "call.to"), failure.text)
        self.assertEqual(self.world.rows("SELECT count(*) FROM call_logs"), before)

    def test_a_call_that_only_rings_cannot_be_transferred(self):
        self.world.phone("call: outbound\nto: 14155550152\npickup: no answer\n\n[person]\nhang up\n")
        name = self.world.dial("+14155550152")
        until("ringing", lambda: self.world.rpc("GetCall", call=name)["call"]["state"] == "CALL_STATE_RINGING")
        failure = self.world.failing("TransferCall", call=name, destination="sales")
        self.assertEqual((failure.code, failure.reason), ("FailedPrecondition", "CALL_NOT_ACTIVE"), failure.text)
        self.assertEqual(failure.metadata["state"], "ringing")
        self.world.rpc("EndCall", call=name)
        until("end", lambda: self.world.rpc("GetCall", call=name)["call"].get("end", {}).get("reason") == "END_REASON_API_ENDED")

    def test_a_second_transfer_waits_for_the_first(self):
        # Somebody who lets the phone ring.
        self.world.phone((world.TALKER % "14155550153").replace("answer after 300ms, talk 1s", "no answer"))
        name = self.world.dial("+14155550153")
        stream = self.world.events(call=name, from_beginning=True)
        stream.wait_for("caller_speech_started")
        first = self.world.rpc("TransferCall", call=name, destination="sales")["transfer"]["name"]
        failure = self.world.failing("TransferCall", call=name, destination="support")
        self.assertEqual((failure.code, failure.reason), ("FailedPrecondition", "TRANSFER_IN_PROGRESS"), failure.text)
        self.assertEqual(failure.metadata["transfer_id"], first.split("/")[-1])
        self.world.rpc("EndCall", call=name)
        stream.wait_for("call_ended")

    def test_a_listing_takes_only_its_own_tokens(self):
        for last in range(2):
            self.world.phone(world.BUSY % ("1415555018%d" % last))
            self.world.dial("+1415555018%d" % last)
        token = self.world.rpc("ListCalls", page_size=1)["next_page_token"]
        failure = self.world.failing("ListCalls", page_size=1, page_token=token, filter={"number": GOOD})
        self.assertEqual((failure.reason, failure.fields), ("PAGE_TOKEN_INVALID", ["page_token"]))


class TokensTest(unittest.TestCase):
    @unittest.skipUnless(world.CLIENT, world.NEEDS_CLIENT)
    def test_a_server_with_tokens_wants_one(self):
        tokens = world.World()
        self.addCleanup(tokens.close)
        tokens.stop()
        path = tokens.folder + "/tokens"
        with open(path, "w", encoding="utf-8") as out:
            out.write("one-token,another-token\n")
        tokens.server = tokens.run("src/app/callbridge", *tokens.server_flags(), CALLBRIDGE_API_TOKENS_FILE=path, **world.KEYS)
        until("ready", lambda: "callbridge is ready" in tokens.server.text())
        missing = tokens.failing("ListCalls")
        self.assertEqual((missing.code, missing.reason), ("Unauthenticated", "TOKEN_MISSING"))
        for value, works in (("Bearer wrong", False), ("Bearer another-token", True)):
            _, failure = tokens.ask(world.SERVICE + "ListCalls", {}, headers=["authorization: " + value])
            self.assertEqual(failure.reason if failure else "", "" if works else "TOKEN_INVALID")
        for secret in ("one-token", "another-token", "wrong"):
            self.assertNotIn(secret, tokens.server.text())


if __name__ == "__main__":
    junit.main()
