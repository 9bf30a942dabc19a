"""How the server ends, wanted or not, in the middle of a call, and how it comes back."""

import os
import signal
import socket
import time
import unittest

from tests.house import junit
from tests.operator import world
from tests.operator.world import until

OPEN = "SELECT id, state FROM call_logs WHERE state NOT IN ('completed', 'failed')"


@unittest.skipUnless(world.CLIENT, world.NEEDS_CLIENT)
class LifecycleTest(unittest.TestCase):
    def begin(self, *flags):
        made = world.World(*flags)
        self.addCleanup(made.close)
        return made

    def hung_up(self, made, carrier_id):
        return until("hang-up at the carrier", lambda: (lambda c: c if c["over"] else None)(made.at_carrier(carrier_id)))

    def closed(self, made, name, carrier_id):
        """The call is closed everywhere, because the server was told to stop."""
        self.assertEqual(made.rows(OPEN), [])
        row = made.row(name)
        self.assertEqual((row["end_reason"], row["end_initiator"]), ("server_drain", "system"))
        self.assertTrue(row["ended_at"] and row["duration"] is not None)
        self.assertIn("Welcome to the directory.", row["transcript"])
        events = made.rows("SELECT type, sequence FROM call_events WHERE call_id = ? ORDER BY sequence", row["id"])
        self.assertEqual([e["sequence"] for e in events], list(range(1, row["event_head"] + 1)))
        self.assertEqual([e["type"] for e in events].count("call_ended"), 1)
        self.assertEqual(self.hung_up(made, carrier_id)["hangup_source"], "API Request")
        until("closed sockets to the model", lambda: not any(s["open"] for s in made.model_sessions()))

    def test_ctrl_c_in_the_middle_of_a_call_drains_then_ends_it(self):
        made = self.begin("--drain_timeout=2s")
        name, stream = made.talking("+14155550161")
        carrier_id = made.rpc("GetCall", call=name)["call"]["carrier_call_id"]
        everything = made.events().wait_live()
        made.server.signal(signal.SIGINT)
        # While it drains the call goes on, and nothing new is taken.
        until("drain: " + made.server.text(), lambda: "draining" in made.server.text())
        self.assertEqual(world.request(made.admin, "GET", "/readyz").status, 503)
        self.assertEqual(world.request(made.admin, "GET", "/healthz").status, 200)
        self.assertEqual(made.rpc("GetCall", call=name)["call"]["state"], "CALL_STATE_IN_PROGRESS")
        refused = made.failing("StartCall", call={"to": "+14155550162"})
        self.assertEqual((refused.code, refused.reason), ("Unavailable", "DRAINING"), refused.text)
        self.assertEqual(made.ask("grpc.health.v1.Health/Check", {}), ({"status": "NOT_SERVING"}, None))
        self.assertEqual(made.server.wait(25), 0, made.server.text())
        self.assertIn("callbridge has stopped", made.server.lines[-1])
        self.closed(made, name, carrier_id)
        # Whoever watched saw the end; the stream of all calls is told why it ends.
        self.assertIn("call_ended", [e["type"] for e in stream.events()])
        everything.program.wait()
        self.assertIn("call_ended", [e["type"] for e in everything.events()])
        self.assertEqual(world.CLIENT.failure(everything.program.text()).reason, "SHUTTING_DOWN")

    def test_a_second_ctrl_c_does_not_wait(self):
        made = self.begin("--drain_timeout=120s")
        name, _ = made.talking("+14155550163")
        carrier_id = made.rpc("GetCall", call=name)["call"]["carrier_call_id"]
        made.server.signal(signal.SIGINT)
        until("drain", lambda: "draining" in made.server.text())
        made.server.signal(signal.SIGINT)
        self.assertEqual(made.server.wait(25), 0, made.server.text())
        self.closed(made, name, carrier_id)

    def test_sigterm_without_calls_ends_at_once(self):
        made = self.begin("--drain_timeout=120s")
        began = time.monotonic()
        self.assertEqual(made.stop(signal.SIGTERM, within=20), 0)
        self.assertLess(time.monotonic() - began, 15)

    def test_a_drain_ends_with_its_last_call(self):
        made = self.begin("--drain_timeout=120s")
        name, _ = made.talking("+14155550164")
        made.server.signal(signal.SIGTERM)
        until("drain", lambda: "draining" in made.server.text())
        made.rpc("EndCall", call=name)
        self.assertEqual(made.server.wait(25), 0, made.server.text())
        self.assertEqual(made.row(name)["end_reason"], "api_ended")

    def test_a_killed_server_closes_its_calls_when_it_comes_back(self):
        made = self.begin()
        name, stream = made.talking("+14155550165")
        carrier_id = made.rpc("GetCall", call=name)["call"]["carrier_call_id"]
        # And a phone that still rings, for as long as nobody gives up.
        made.phone("call: outbound\nto: 14155550168\npickup: no answer\n\n[person]\nhang up\n")
        ringing = made.dial("+14155550168")
        until("ringing", lambda: made.rpc("GetCall", call=ringing)["call"]["state"] == "CALL_STATE_RINGING")
        ringing_id = made.rpc("GetCall", call=ringing)["call"]["carrier_call_id"]
        # What was committed before is what counts.
        stream.wait_for("transcript_item_final")
        seen = made.rpc("GetCall", call=name)["call"]["event_sequence"]
        made.server.signal(signal.SIGKILL)
        made.server.wait()
        self.assertEqual(made.row(name)["state"], "in_progress")
        self.assertTrue(made.start(), made.server.text())
        self.assertEqual(made.rows(OPEN), [])
        call = made.rpc("GetCall", call=name)["call"]
        self.assertEqual((call["state"], call["end"]["reason"]), ("CALL_STATE_FAILED", "END_REASON_PROCESS_LOST"))
        self.assertEqual((call["end"]["initiator"], call["end"]["layer"]), ("PARTY_SYSTEM", "EVIDENCE_LAYER_PROCESS"))
        self.assertGreater(int(call["event_sequence"]), int(seen))
        self.assertEqual(made.rpc("GetTranscript", call=name)["items"][0]["text_heard"], "Welcome to the directory.")
        again = made.events(call=name, from_beginning=True)
        again.wait_for("call_ended")
        sequences = [int(e["sequence"]) for e in again.events()]
        self.assertEqual(sequences, list(range(1, len(sequences) + 1)))
        self.hung_up(made, carrier_id)
        self.assertEqual(self.hung_up(made, ringing_id)["hangup_source"], "API Request")
        self.assertIn(name.split("/")[1], made.server.text())
        # And it takes calls.
        made.phone(world.BUSY % "14155550166")
        made.dial("+14155550166")

    def test_a_second_server_on_the_same_ports_leaves_the_calls_of_the_first_alone(self):
        made = self.begin()
        name, _ = made.talking("+14155550167")
        flags = [f for f in made.server_flags() if not f.startswith("--database_url")]
        for database in (made.database, os.path.join(made.folder, "other.db")):
            second = made.run("src/app/callbridge", *flags, "--database_url=sqlite:" + database, **world.KEYS)
            self.assertEqual(second.wait(20), 1)
            self.assertEqual(len(second.lines), 1, second.text())
        self.assertEqual(made.rpc("GetCall", call=name)["call"]["state"], "CALL_STATE_IN_PROGRESS")
        made.rpc("EndCall", call=name)
        self.assertEqual(made.stop(within=30), 0)

    def test_a_half_open_connection_does_not_hold_the_end(self):
        made = self.begin("--drain_timeout=1s")
        with socket.create_connection(("127.0.0.1", made.http)) as idle, socket.create_connection(("127.0.0.1", made.grpc)):
            idle.sendall(b"POST /answer HTTP/1.1\r\n")
            self.assertEqual(made.stop(within=25), 0)


if __name__ == "__main__":
    junit.main()
