"""Calls, started, watched, steered and ended by an operator while they go on."""

import unittest
import uuid

from tests.house import junit
from tests.operator import world
from tests.operator.world import until

FINAL = ("CALL_STATE_COMPLETED", "CALL_STATE_FAILED")
# Says something once and hangs up.
BRIEF = """
call: outbound
to: %s
pickup: answer after 100ms
summary: They wanted to know about their mailbox.

[person]
wait assistant done 200ms
say vm-youhave
wait assistant done 200ms
hang up

[model]
reply: say dir-welcome
reply: say vm-login
"""
CALLER = """
call: inbound
from: 14155550121
to: 14155550100

[person]
wait assistant done 200ms
hang up

[model]
reply: say dir-welcome
"""


@unittest.skipUnless(world.CLIENT, world.NEEDS_CLIENT)
class CallsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world.World()
        cls.addClassCleanup(cls.world.close)

    def tearDown(self):
        self.assertTrue(self.world.server.running(), self.world.server.text())
        self.assertEqual(self.world.violations(), [])

    def over(self, name):
        """The call, once it is."""
        def look():
            call = self.world.rpc("GetCall", call=name)["call"]
            return call if call["state"] in FINAL else None
        return until("end of " + name, look)

    def test_services_are_listed_and_described(self):
        _, out, _ = world.output(world.CLIENT.list(self.world.address))
        self.assertEqual(set(out.split()) - {"grpc.reflection.v1alpha.ServerReflection"},
                         {"callbridge.v1.CallService", "callbridge.v1.LeadService", "callbridge.v1.OperationsService", "grpc.health.v1.Health"})
        _, out, _ = world.output(world.CLIENT.describe(self.world.address, "callbridge.v1.CallService"))
        for method in ("StartCall", "EndCall", "TransferCall", "CancelTransfer", "GetTransfer", "ListTransfers", "GetCall", "ListCalls", "UpdateCall",
                       "GetTranscript", "StreamTranscript", "ListCallEvents", "CallEvents"):
            self.assertIn("rpc %s (" % method, out)
        _, out, _ = world.output(world.CLIENT.describe(self.world.address, "callbridge.v1.OutboundCall"))
        self.assertIn("string to = 1;", out)

    def test_health_is_told_for_the_server_and_the_service(self):
        for service in ("", "callbridge.v1.CallService"):
            self.assertEqual(self.world.ask("grpc.health.v1.Health/Check", {"service": service}), ({"status": "SERVING"}, None))
        _, failure = self.world.ask("grpc.health.v1.Health/Check", {"service": "nobody"})
        self.assertEqual(failure.code, "NotFound")

    def test_events_stream_while_the_person_talks(self):
        everything = self.world.events().wait_live()
        self.world.phone(BRIEF % "14155550131")
        started = self.world.rpc("StartCall", call={"to": "+14155550131", "metadata": {"deal": "17"}})["call"]
        name = started["name"]
        self.assertEqual(started["state"], "CALL_STATE_DIALING")
        self.assertEqual((started["from"], started["to"], started["agent"]), ("+14155550100", "+14155550131", "desk"))
        stream = self.world.events(call=name, from_beginning=True)
        stream.wait_for("caller_speech_started")

        now = self.world.rpc("GetCall", call=name)["call"]
        self.assertEqual(now["state"], "CALL_STATE_IN_PROGRESS", "events come while the call goes on")
        self.assertEqual(now["metadata"], {"deal": "17"})
        self.assertTrue(now["carrier_call_id"] and now["model_session_id"])
        said = self.world.rpc("GetTranscript", call=name)["items"]
        self.assertEqual(said[0]["text_heard"], "Welcome to the directory.")
        self.assertEqual(said[0]["role"], "SPEAKER_ROLE_ASSISTANT")

        self.assertEqual(stream.program.wait(), 0, "the stream of one call ends by itself, with OK")
        events = stream.events()
        self.assertEqual([int(e["sequence"]) for e in events], list(range(1, len(events) + 1)), "from 1, without gaps")
        self.assertEqual(len({e["cursor"] for e in events}), len(events))
        types = [e["type"] for e in events]
        self.assertEqual(types[0], "call_created")
        self.assertEqual([t for t in types if t in ("call_ended", "summary_ready")], ["call_ended", "summary_ready"])
        ended = next(e for e in events if e["type"] == "call_ended")["call_ended"]["end"]
        self.assertEqual((ended["reason"], ended["initiator"]), ("END_REASON_NORMAL_HANGUP", "PARTY_CALLEE"))

        self.assertIn("[%s] outbound call from=+1********00 to=+1********31" % name.split("/")[1], self.world.server.text())

        # Whoever listens to all calls saw the same.
        everything.wait_for("summary_ready")
        self.assertEqual([e for e in everything.events() if e["call"] == name], events)

        call = self.over(name)
        self.assertEqual(call["summary"], "They wanted to know about their mailbox.")
        self.assertEqual(call["event_sequence"], events[-1]["sequence"])
        row = self.world.row(name)
        self.assertEqual((row["status"], row["state"], row["end_reason"]), ("called", "completed", "normal_hangup"))
        self.assertIn("Welcome to the directory.", row["transcript"])
        lead = self.world.rows("SELECT * FROM leads WHERE phone = '+14155550131'")[0]
        self.assertEqual((lead["call_status"], lead["transferred_to_human"]), ("called", 0))

        # What was measured is in the events, and in the metrics.
        metrics = world.request(self.world.admin, "GET", "/metrics").body
        answered = next(e for e in events if e["type"] == "answer_measured")["answer_measured"]
        self.assertIn("to_first_heard", answered)
        self.assertIn("turn_measured", types)
        for name_ in ("answer_first_heard", "answer_first_sent", "turn_first_audio", "turn_first_sent", "turn_first_heard"):
            self.assertRegex(metrics, r"(?m)^callbridge_%s_seconds_count [1-9]" % name_)
        self.assertRegex(metrics, r'(?m)^callbridge_calls_ended_total\{reason="normal_hangup"\} [1-9]')
        self.assertRegex(metrics, r'(?m)^callbridge_summaries_total\{outcome="made"\} [1-9]')

        # Replays: from the middle, by sequence, by cursor, by type.
        middle = len(events) // 2
        for start in ({"after_sequence": str(middle)}, {"after_cursor": events[middle - 1]["cursor"]}):
            again = self.world.events(call=name, **start)
            self.assertEqual(again.program.wait(), 0)
            self.assertEqual(again.events(), events[middle:])
        only = self.world.events(call=name, from_beginning=True, event_types=["barge_in", "call_ended", "summary_ready"])
        self.assertEqual(only.program.wait(), 0)
        self.assertEqual([e["type"] for e in only.events()][-2:], ["call_ended", "summary_ready"])
        self.assertNotIn("call_created", [e["type"] for e in only.events()])

        # The transcript's pages put together are the transcript.
        whole = self.world.rpc("GetTranscript", call=name)["items"]
        self.assertGreaterEqual(len(whole), 3)
        paged, token = [], ""
        while True:
            page = self.world.rpc("GetTranscript", call=name, page_size=2, page_token=token)
            paged += page.get("items", [])
            token = page.get("next_page_token", "")
            if not token:
                break
        self.assertEqual(paged, whole)

    def test_a_call_that_comes_in(self):
        stream = self.world.events().wait_live()
        call_uuid = self.world.call_in(CALLER)
        created = stream.wait_for("call_created")
        self.assertEqual(created["call_created"]["from"], "+14155550121")
        call = self.over(created["call"])
        self.assertEqual((call["direction"], call["carrier_call_id"]), ("CALL_DIRECTION_INBOUND", call_uuid))
        self.assertEqual((call["end"]["reason"], call["end"]["initiator"]), ("END_REASON_NORMAL_HANGUP", "PARTY_CALLER"))
        at_carrier = until("end at the carrier", lambda: (lambda c: c if c["over"] else None)(self.world.at_carrier(call_uuid)))
        self.assertEqual(at_carrier["failed_steps"], [])
        settled = until("settlement", lambda: self.world.rpc("GetCall", call=created["call"])["call"].get("settlement"))
        self.assertEqual((settled["cause_code"], settled["source"]), (4000, "Caller"), settled)
        self.assertRegex(settled["cost"], r"^0\.0\d+$")
        self.world.rpc("GetTranscript", call=created["call"])
        self.assertEqual(len(self.world.rows("SELECT principal FROM transcript_reads WHERE call_id = ?", created["call"][6:])), 1)

    def test_a_request_id_dials_once(self):
        self.world.phone(world.BUSY % "14155550132")
        key = str(uuid.uuid4())
        first = self.world.rpc("StartCall", request_id=key, call={"to": "+14155550132"})["call"]["name"]
        again = self.world.rpc("StartCall", request_id=key, call={"to": "+14155550132"})["call"]["name"]
        self.assertEqual(first, again)
        self.assertEqual(self.over(first)["end"]["reason"], "END_REASON_BUSY")
        self.assertEqual(len(self.world.rows("SELECT id FROM call_logs WHERE to_number = '+14155550132'")), 1)
        other = self.world.failing("StartCall", request_id=key, call={"to": "+14155550133"})
        self.assertEqual((other.code, other.reason, other.fields), ("InvalidArgument", "REQUEST_ID_REUSED", ["request_id"]))

    def test_calls_are_listed_in_pages_newest_first(self):
        names = []
        for last in range(3):
            self.world.phone(world.BUSY % ("1415555017%d" % last))
            names.insert(0, self.world.dial("+1415555017%d" % last))
        for name in names:
            self.over(name)
        listed, pages, token = [], 0, ""
        while True:
            page = self.world.rpc("ListCalls", page_size=2, page_token=token)
            pages += 1
            self.assertLessEqual(len(page.get("calls", [])), 2)
            listed += [each["name"] for each in page.get("calls", [])]
            token = page.get("next_page_token", "")
            if not token:
                break
        self.assertEqual(listed[:3], names)
        self.assertEqual(len(listed), len(set(listed)))
        self.assertEqual(len(listed), len(self.world.rows("SELECT id FROM call_logs")))
        self.assertGreaterEqual(pages, 2)
        one = self.world.rpc("ListCalls", filter={"number": "+14155550171", "states": ["CALL_STATE_FAILED"]})["calls"]
        self.assertEqual([each["name"] for each in one], [names[1]])
        self.assertEqual(self.world.rpc("ListCalls", filter={"number": "+14155550199"}), {})

    def test_a_transcript_is_read_while_it_is_said(self):
        self.world.phone(BRIEF % "14155550139")
        name = self.world.dial("+14155550139")
        stream = self.world.stream("StreamTranscript", call=name, view="TRANSCRIPT_VIEW_BOTH")

        def items():
            return [each["item"] for each in stream.messages() if "item" in each]
        until("the greeting: %s" % stream.program.lines, items)
        self.assertEqual(self.world.rpc("GetCall", call=name)["call"]["state"], "CALL_STATE_IN_PROGRESS", "items come while the call goes on")
        self.assertEqual(items()[0]["text_heard"], "Welcome to the directory.")
        self.assertEqual(stream.program.wait(), 0, "it ends by itself, with OK")
        self.assertIn("heartbeat", stream.messages()[0])
        latest = {item["item_id"]: item for item in items()}
        said = self.world.rpc("GetTranscript", call=name, view="TRANSCRIPT_VIEW_BOTH")["items"]
        self.assertEqual(sorted(latest.values(), key=lambda item: item["item_id"]), sorted(said, key=lambda item: item["item_id"]))
        read = self.world.rows("SELECT count(*) AS n FROM transcript_reads WHERE call_id = ?", name.split("/")[1])
        self.assertEqual(read[0]["n"], 2)

    def test_a_running_call_is_handed_to_a_human_by_api(self):
        name, stream = self.world.talking("+14155550134")
        key = str(uuid.uuid4())
        asked = dict(call=name, destination="sales", reason="asked the operator", request_id=key)
        transfer = self.world.rpc("TransferCall", **asked)["transfer"]
        self.assertEqual(transfer["name"], "%s/transfers/%s" % (name, key))
        self.assertEqual(self.world.rpc("TransferCall", **asked)["transfer"]["name"], transfer["name"], "a repeat is the same one")
        call = self.over(name)
        self.assertEqual(call["end"]["reason"], "END_REASON_TRANSFER_COMPLETED")
        self.assertTrue(call["transferred"])
        self.assertEqual(call["transfer_reason"], "asked the operator")
        self.assertEqual(stream.program.wait(), 0)
        states = [e["transfer_changed"]["transfer"]["state"] for e in stream.events() if e["type"] == "transfer_changed"]
        self.assertEqual(states, ["TRANSFER_STATE_" + s for s in ("REQUESTED", "DIALING", "CONNECTED", "COMPLETED")])
        row = self.world.row(name)
        self.assertEqual((row["transferred"], row["transfer_outcome"], row["status"]), (1, "bridged", "called"))
        lead = self.world.rows("SELECT * FROM leads WHERE phone = '+14155550134'")[0]
        self.assertEqual((lead["call_status"], lead["transferred_to_human"]), ("transferred", 1))
        self.assertEqual(self.world.at_carrier(call["carrier_call_id"])["dialled"], ["+14155550142"])
        read = self.world.rpc("GetTransfer", transfer=transfer["name"])["transfer"]
        self.assertEqual((read["state"], read["outcome"]), ("TRANSFER_STATE_COMPLETED", "TRANSFER_OUTCOME_BRIDGED"))
        self.assertEqual([(a["number"], a["outcome"]) for a in read["attempts"]], [("+14155550142", "TRANSFER_OUTCOME_BRIDGED")])
        self.assertEqual(self.world.rpc("ListTransfers", call=name)["transfers"], [read])
        failure = self.world.failing("CancelTransfer", transfer=transfer["name"])
        self.assertEqual((failure.code, failure.reason), ("FailedPrecondition", "TRANSFER_NOT_CANCELLABLE"), failure.text)
        self.assertEqual(failure.metadata["state"], "completed")
        self.assertIn('callbridge_transfers_total{outcome="bridged"}', world.request(self.world.admin, "GET", "/metrics").body)

    def test_a_transfer_to_a_number_is_taken_back_while_it_rings(self):
        self.world.phone((world.TALKER % "14155550138").replace("answer after 300ms, talk 1s", "no answer"))
        name = self.world.dial("+14155550138")
        stream = self.world.events(call=name, from_beginning=True)
        stream.wait_for("caller_speech_started")
        transfer = self.world.rpc("TransferCall", call=name, number="+14155550142", reason="asked for her")["transfer"]
        self.assertNotIn("destination", transfer)
        until("ringing", lambda: self.world.rpc("ListTransfers", call=name).get("transfers", [{}])[-1].get("state") == "TRANSFER_STATE_DIALING")
        for _ in range(2):  # A repeat is harmless.
            cancelled = self.world.rpc("CancelTransfer", transfer=transfer["name"])["transfer"]
            self.assertEqual((cancelled["state"], cancelled["outcome"]), ("TRANSFER_STATE_FAILED", "TRANSFER_OUTCOME_CANCELLED"))
        stream.wait_for("caller_returned")
        read = until("record", lambda: (lambda t: t if t["state"] == "TRANSFER_STATE_FAILED" else None)(
            self.world.rpc("GetTransfer", transfer=transfer["name"])["transfer"]))
        self.assertEqual((read["number"], read["outcome"], read["reason"]), ("+14155550142", "TRANSFER_OUTCOME_CANCELLED", "asked for her"))
        self.world.rpc("EndCall", call=name)
        self.assertNotIn("transferred", self.over(name))

    def test_a_human_who_is_busy_gives_the_caller_back_and_the_call_is_ended_in_the_middle(self):
        name, stream = self.world.talking("+14155550135")
        self.world.rpc("TransferCall", call=name, destination="support")
        returned = stream.wait_for("caller_returned")
        self.assertTrue(returned["caller_returned"]["transfer"].startswith(name + "/transfers/"))
        call = self.world.rpc("GetCall", call=name)["call"]
        self.assertEqual(call["state"], "CALL_STATE_IN_PROGRESS")
        self.assertNotIn("transferred", call)
        carrier_id = call["carrier_call_id"]
        self.assertFalse(self.world.at_carrier(carrier_id)["over"])

        self.world.rpc("EndCall", call=name, reason="wrong person")
        self.world.rpc("EndCall", call=name)  # A repeat is harmless.
        call = self.over(name)
        self.assertEqual((call["end"]["reason"], call["end"]["initiator"]), ("END_REASON_API_ENDED", "PARTY_API"))
        self.assertIn("wrong person", call["end"]["evidence"])
        row = self.world.row(name)
        self.assertEqual((row["state"], row["end_reason"], row["transferred"]), ("completed", "api_ended", 0))
        self.assertIn("Welcome to the directory.", row["transcript"])
        # Both sides are let go.
        at_carrier = until("hang-up at the carrier", lambda: (lambda c: c if c["over"] else None)(self.world.at_carrier(carrier_id)))
        self.assertEqual(at_carrier["hangup_source"], "API Request")
        until("closed sockets to the model", lambda: not any(s["open"] for s in self.world.model_sessions()))
        self.assertEqual(stream.program.wait(), 0)
        until("no live calls", lambda: "callbridge_calls_active 0" in world.request(self.world.admin, "GET", "/metrics").body)
        self.world.rpc("EndCall", call=name)  # And so is one about a call that is over.

    def test_a_running_call_is_steered(self):
        name, stream = self.world.talking("+14155550139")
        key = str(uuid.uuid4())
        for _ in range(2):  # A repeat says nothing twice.
            self.assertEqual(self.world.rpc("SayOnCall", call=name, text="One moment please.", request_id=key), {"request_id": key})
        self.assertEqual(stream.wait_for("say_requested")["say_requested"], {"request_id": key, "text": "One moment please."})
        self.assertEqual(self.world.rpc("InjectContext", call=name, text="The order was sent."), {})
        self.assertEqual(self.world.rpc("UpdateInstructions", call=name, instructions="Speak French."), {})
        self.assertEqual(self.world.rpc("SendDtmf", call=name, digits="12#"), {})
        self.assertEqual(until("keys", lambda: self.world.at_carrier()["dtmf"])[0]["digits"], "12#")
        self.assertEqual(self.world.rpc("MuteCall", call=name, caller_muted=True), {"caller_muted": True})
        self.assertEqual(self.world.rpc("MuteCall", call=name, caller_muted=False), {})
        self.assertEqual(self.world.rpc("TakeoverCall", call=name, reason="angry caller"), {})
        self.assertEqual(self.world.rpc("ReleaseCall", call=name, context="They get a refund.", respond=True), {})
        for method, fields, code, reason in (
                ("SayOnCall", {"prompt": "tune"}, "InvalidArgument", "UNKNOWN_PROMPT"),
                ("SendDtmf", {"digits": "x"}, "InvalidArgument", "INVALID_DIGITS"),
                ("MuteCall", {}, "InvalidArgument", "FIELD_REQUIRED"),
                ("SubmitToolResult", {"tool_call_id": "call_1", "output_json": "{}"}, "NotFound", "TOOL_CALL_NOT_FOUND")):
            failure = self.world.failing(method, call=name, **fields)
            self.assertEqual((failure.code, failure.reason), (code, reason), failure.text)
        self.world.rpc("EndCall", call=name, reason="done", goodbye="Thank you and good bye.")
        call = self.over(name)
        self.assertEqual((call["end"]["reason"], call["end"]["initiator"]), ("END_REASON_API_ENDED", "PARTY_API"))
        self.assertEqual(stream.program.wait(), 0)
        types = [event["type"] for event in stream.events()]
        self.assertEqual([t for t in types if t in ("context_injected", "instructions_updated", "dtmf_sent", "mute_changed", "takeover_changed")],
                         ["context_injected", "instructions_updated", "dtmf_sent", "mute_changed", "mute_changed", "takeover_changed", "takeover_changed"])
        self.assertEqual(types.count("say_requested"), 1)
        failure = self.world.failing("TakeoverCall", call=name)
        self.assertEqual((failure.code, failure.reason, failure.metadata["state"]), ("FailedPrecondition", "CALL_NOT_ACTIVE", "completed"), failure.text)
        self.assertEqual(self.world.violations(), [])

    def test_a_bare_id_is_a_name_too(self):
        self.world.phone(world.BUSY % "14155550136")
        name = self.world.dial("+14155550136")
        self.over(name)
        self.assertEqual(self.world.rpc("GetCall", call=name.split("/")[1])["call"]["name"], name)

    def test_a_client_that_goes_away_does_not_hold_its_stream(self):
        stream = self.world.events().wait_live()
        stream.program.process.terminate()
        stream.program.wait()
        self.world.phone(world.BUSY % "14155550137")
        self.over(self.world.dial("+14155550137"))


if __name__ == "__main__":
    junit.main()
