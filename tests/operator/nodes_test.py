"""Three servers on one database behind a proxy: any of them takes anything, and what breaks breaks its own calls only."""

import collections
import itertools
import os
import signal
import time
import unittest

from tests.house import junit
from tests.operator import nodes_world, postgres, world
from tests.operator.world import until

CALLS = int(os.environ.get("NODES_CALLS", "6"))
OPERATIONS = "callbridge.v1.OperationsService/"
FINAL = ("completed", "failed")
REAPED_WITHIN = 45  # As promised.
# Each turn takes some five seconds. Calls with as many turns are the same, so that their records can be compared.
CALLER = """
call: inbound
from: 1415555%04d
to: 14155550100

[person]
wait assistant done 500ms
repeat %d
say vm-youhave
wait assistant done 500ms
pause 2s
end
hang up

[model]
reply: say dir-welcome
"""
TRANSFER = """
call: inbound
from: 1415555%04d
to: 14155550100

[person]
wait assistant done 500ms
say vm-youhave
wait connected within 20s
pause 1s
hang up

[humans]
14155550142: answer after 300ms, talk 5s

[model]
reply: say dir-welcome
reply: say pls-hold-while-try ; call transfer_call {"destination":"sales","reason":"asked for sales"}
"""
RETURNS = """
call: inbound
from: 1415555%04d
to: 14155550100

[person]
wait assistant done 500ms
say vm-youhave
wait returned within 20s
wait assistant done 500ms
hang up

[humans]
14155550143: busy after 300ms

[model]
reply: say dir-welcome
reply: say pls-hold-while-try ; call transfer_call {"destination":"support","reason":"asked for support"}
reply when tool-failed: say vm-nobodyavail
reply: say vm-login
"""
CALLED = """
call: outbound
to: %s
pickup: answer after 200ms

[person]
wait assistant done 500ms
repeat %d
say vm-youhave
wait assistant done 500ms
pause 2s
end
hang up

[humans]
14155550142: answer after 300ms, talk 1s

[model]
reply: say dir-welcome
"""


def quoted(words):
    return ", ".join("'%s'" % word for word in words)


def needs_cables(test):
    return unittest.skipUnless(nodes_world.has_cables(), "needs root and network namespaces (ip netns)")(test)


@unittest.skipUnless(world.CLIENT, world.NEEDS_CLIENT)
@unittest.skipUnless(postgres.programs(), postgres.NEEDED)
@unittest.skipUnless(nodes_world.nginx(), "needs nginx (Debian: nginx-light)")
class NodesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = nodes_world.Nodes()
        cls.addClassCleanup(cls.world.close)
        cls.nodes = cls.world.nodes
        cls.numbers = itertools.count(1000)

    def setUp(self):
        self.before = set(self.world.calls_at_carrier())
        self.sessions = len(self.world.sim_get("/sim/model/sessions")["sessions"])
        for node in self.nodes:
            if not node.program.running():  # After a test that failed.
                node.start().wait_ready()
        self.dialled = {}  # Number -> name of the call.
        self.readers = {node: node.events().wait_live() for node in self.nodes}
        self.addCleanup(lambda: [reader.program.kill() for reader in self.readers.values()])

    # ---- Calls ----

    def callers(self, count, turns=3):
        """That many people call us; -> the carrier's ids."""
        ids = []
        for _ in range(count):
            ids.append(self.world.call_in(CALLER % (next(self.numbers), turns) + "reply: say vm-login\n" * turns))
            time.sleep(0.05)
        return ids

    def dial(self, node, turns=3):
        """-> the number that is called."""
        number = "1415555%04d" % next(self.numbers)
        self.world.phone(CALLED % (number, turns) + "reply: say vm-login\n" * turns)
        self.dialled[number] = node.rpc("StartCall", call={"to": "+" + number})["call"]["name"]
        return number

    def models_answer(self):
        """Waits until each call so far has the model's side of its own scenario: sessions get those in the order in which they are opened, and
        nodes do not open them in the order of the calls."""
        def calls():
            return len([each for each in self.world.calls_at_carrier() if each not in self.before])
        until("sessions", lambda: len(self.world.sim_get("/sim/model/sessions")["sessions"]) - self.sessions >= calls())

    def carrier_id(self, number):
        """Of the call to a number."""
        def found():
            return [call["call_uuid"] for call in self.world.calls_at_carrier().values()
                    if call["to"].lstrip("+") == number and call["call_uuid"] not in self.before]
        until("call to " + number, found)
        self.assertEqual(len(found()), 1, "dialled once")
        return found()[0]

    def talking(self, ids):
        for each in ids:
            until("conversation of " + each, lambda each=each: self.world.sim_get("/sim/calls/" + each)["heard_bytes"] > 0)
        return ids

    def owner(self, carrier_call_id):
        """-> the node that has it."""
        row = until("row of " + carrier_call_id, lambda: self.world.row(carrier_call_id))
        return next((node for node in self.nodes if node.id == row["owner_node"]), None)

    def owned_by(self, node, count, turns):
        """Calls until that node has so many; -> (its own, those of others)."""
        own, others = [], []
        for _ in range(20):
            for each in self.callers(3, turns):
                (own if self.owner(each) is node else others).append(each)
            if len(own) >= count:
                return self.talking(own), self.talking(others)
        raise AssertionError("the proxy does not go round: %s" % self.world.passed("/answer"))

    # ---- What must be true of every call ----

    def wait_over(self, ids, within=90):
        for each in ids:
            until("end at the carrier of " + each, lambda each=each: self.world.calls_at_carrier()[each]["over"], within)
        where = "carrier_call_id IN (%s) AND state IN (%s) AND (summary_settled OR end_reason = 'process_lost')" % (quoted(ids), quoted(FINAL))
        until("records of %s" % ids, lambda: len(self.world.database.rows("SELECT 1 FROM call_logs WHERE " + where)) >= len(ids), within)

    def account(self, gone=()):
        """Every call that the carrier saw in this test has one record, in a final state, with all of its events; whoever watches at whatever
        node (but for `gone`, which were started anew) was shown the same. -> the records by the carrier's id"""
        calls = {each: call for each, call in self.world.calls_at_carrier().items() if each not in self.before}
        self.wait_over(list(calls))
        rows = self.world.database.rows("SELECT * FROM call_logs WHERE carrier_call_id IN (%s)" % quoted(calls))
        self.assertEqual(collections.Counter(row["carrier_call_id"] for row in rows), collections.Counter(list(calls)), "one record for each call")
        numbers = collections.Counter(call["to"].lstrip("+") for call in calls.values() if call["direction"] == "outbound")
        self.assertEqual(numbers, collections.Counter(list(self.dialled)), "each dialled once")
        by_name = {row["id"]: row for row in rows}
        for number, name in self.dialled.items():
            self.assertEqual(calls[by_name[name.split("/")[-1]]["carrier_call_id"]]["to"].lstrip("+"), number)
        for row in rows:
            events = self.world.database.rows("SELECT sequence, type FROM call_events WHERE call_id = '%s' ORDER BY sequence" % row["id"])
            self.assertEqual([int(e["sequence"]) for e in events], list(range(1, int(row["event_head"]) + 1)), "gapless, none twice")
            self.assertEqual([e["type"] for e in events].count("call_ended"), 1, row)
        for node, reader in self.readers.items():
            if node not in gone:
                self.check_reader(node, reader, by_name)
        for node in self.nodes:
            if node.program.running():
                self.check_anew(node, by_name)
        return {row["carrier_call_id"]: row for row in rows}

    def check_reader(self, node, reader, by_name):
        def seen():
            by_call = collections.defaultdict(list)
            for event in reader.events():
                by_call[event["call"].split("/")[-1]].append(int(event["sequence"]))
            return {name: by_call[name] for name in by_name}
        def wanted():  # Asked anew: something may happen to a call after its summary.
            heads = self.world.database.rows("SELECT id, event_head FROM call_logs WHERE id IN (%s)" % quoted(by_name))
            return {row["id"]: list(range(1, int(row["event_head"]) + 1)) for row in heads}
        try:
            until("the last events at node %d" % node.number, lambda: seen() == wanted(), 20)
        except AssertionError:
            self.assertEqual(seen(), wanted(), "what node %d shows" % node.number)

    def check_anew(self, node, by_name):
        """Whoever comes now and reads from the beginning, at any node, is shown the same, and the same transcripts."""
        reader = node.events(from_beginning=True)
        try:
            self.check_reader(node, reader, by_name)
        finally:
            reader.program.kill()
        for name, row in list(by_name.items())[:3]:
            # Items of which nothing was heard included.
            said = node.rpc("GetTranscript", call="calls/" + name, view="TRANSCRIPT_VIEW_BOTH")
            self.assertEqual(len(said.get("items", [])), len(self.world.database.rows("SELECT 1 FROM transcript_items WHERE call_id = '%s'" % name)), row)

    def check_normal(self, rows, ids, reason="normal_hangup"):
        """These calls went as in quiet times."""
        for each in ids:
            row = rows[each]
            self.assertEqual((row["end_reason"], row["state"]), (reason, "completed"), row)
            self.assertEqual(self.world.sim_get("/sim/calls/" + each)["failed_steps"], [], row)

    def check_same(self, rows, ids):
        self.assertEqual(len({rows[each]["transcript"] for each in ids}), 1, "the same was said: %s" % [rows[each]["transcript"] for each in ids])

    # ---- Quiet times ----

    def test_a_any_node_takes_anything(self):
        plain = self.callers(CALLS)
        self.models_answer()
        moved = [self.world.call_in(TRANSFER % next(self.numbers)) for _ in range(3)]
        self.models_answer()
        returned = [self.world.call_in(RETURNS % next(self.numbers)) for _ in range(3)]
        self.models_answer()
        numbers = [self.dial(node) for node in self.nodes]
        for number in numbers:
            self.carrier_id(number)
        self.models_answer()
        ended, transferred = self.dial(self.nodes[0], 12), self.dial(self.nodes[1], 12)
        self.talking([self.carrier_id(ended), self.carrier_id(transferred)])
        # At nodes that do not have these calls.
        steered = self.steer(self.nodes[2], self.dialled[ended])
        self.nodes[1].rpc("EndCall", call=self.dialled[ended])
        self.nodes[2].rpc("TransferCall", call=self.dialled[transferred], destination="sales", reason="asked for it")
        rows = self.account()
        self.check_normal(rows, moved, "transfer_completed")
        self.check_normal(rows, plain + returned + [self.carrier_id(number) for number in numbers])
        self.check_same(rows, plain)
        self.assertEqual({rows[each]["transferred"] for each in moved}, {"t"})
        self.assertEqual({rows[each]["transferred"] for each in returned}, {"f"})
        self.assertEqual(rows[self.carrier_id(ended)]["end_initiator"], "api")
        self.assertEqual(self.types(self.nodes[1], self.dialled[ended]) & steered, steered)
        self.assertEqual(rows[self.carrier_id(transferred)]["transferred"], "t")
        self.assertEqual({row["owner_node"] for row in rows.values()}, {node.id for node in self.nodes})
        for path in ("/answer", "/hangup", "/transfer/", "/media-stream"):
            to = {address for passed in self.world.passed(path) for address in passed}
            self.assertEqual(len(to), len(self.nodes), "%s came to %s" % (path, to))
        for path in ("/transfer/", "/media-stream"):
            self.assertGreater(self.world.at_others(path), 0, path)
        self.assertEqual(self.world.sim_get("/sim/violations")["violations"], [])

    def states(self, node):
        return {each["name"]: each["state"] for each in node.rpc(OPERATIONS + "ListNodes")["nodes"]}

    def steer(self, node, call):
        """-> the types of the events that come of it."""
        node.rpc("InjectContext", call=call, text="The caller's order was sent.")
        node.rpc("SendDtmf", call=call, digits="12")
        node.rpc("MuteCall", call=call, caller_muted=True)
        node.rpc("MuteCall", call=call, caller_muted=False)
        node.rpc("TakeoverCall", call=call, reason="to see")
        node.rpc("ReleaseCall", call=call)
        return {"context_injected", "dtmf_sent", "mute_changed", "takeover_changed"}

    def types(self, node, call):
        events = node.rpc("ListCallEvents", call=call, page_size=1000)["events"]
        return {event["type"] for event in events}

    def renew(self, node):
        """It reads its certificates again."""
        text = "the TLS files are read again"
        before = node.program.text().count(text)
        node.signal(signal.SIGHUP)
        until(text, lambda: node.program.text().count(text) > before)

    def test_aa_certificates_are_renewed(self):
        first, owner, third = self.nodes
        number = self.dial(owner, 12)
        self.talking([self.carrier_id(number)])
        call = self.dialled[number]
        reading = third.stream("StreamTranscript", call=call, view="TRANSCRIPT_VIEW_BOTH")
        until("words of another node's call", lambda: '"delta"' in "".join(reading.out))
        reading.kill()
        first.rpc("MuteCall", call=call, caller_muted=True)  # On a connection with the certificates of the start.
        self.world.issue_certificates()
        self.renew(first)
        _, failure = first.ask("MuteCall", call=call, caller_muted=False)
        self.assertEqual((failure.code, failure.reason), ("Unavailable", "OWNER_UNREACHABLE"), "the owner has those of another authority")
        self.renew(owner)
        until("the way to the owner is back", lambda: first.ask("MuteCall", call=call, caller_muted=False)[0] is not None, 20)
        self.renew(third)
        until("for the third, too", lambda: third.ask("EndCall", call=call)[0] is not None, 20)
        rows = self.account()
        self.assertEqual(rows[self.carrier_id(number)]["end_initiator"], "api")

    # ---- Trouble ----

    def test_b_a_node_is_killed(self):
        self.world.route_streams()
        victim = self.nodes[1]
        lost, others = self.owned_by(victim, max(2, CALLS // 3), turns=5)
        victim.signal(signal.SIGKILL)
        killed = time.monotonic()
        late = self.callers(3)
        where = "state IN (%s) AND carrier_call_id IN (%s)" % (quoted(FINAL), quoted(lost))
        until("calls of the dead node are closed", lambda: len(self.world.database.rows("SELECT 1 FROM call_logs WHERE " + where)) == len(lost),
              REAPED_WITHIN + 5)
        self.assertLess(time.monotonic() - killed, REAPED_WITHIN)
        self.assertTrue(all(self.world.calls_at_carrier()[each]["over"] for each in self.hung_up(lost)))
        victim.start().wait_ready()
        rows = self.account(gone=[victim])
        self.check_normal(rows, others + late)
        self.check_same(rows, others)
        for each in lost:
            self.assertEqual((rows[each]["end_reason"], rows[each]["state"]), ("process_lost", "failed"), rows[each])

    def hung_up(self, ids):
        for each in ids:
            until("hang-up of " + each, lambda each=each: self.world.calls_at_carrier()[each]["over"])
        until("nothing is left to hang up", lambda: not self.world.database.rows("SELECT 1 FROM hangups"))
        return ids

    def test_c_a_node_stands_still(self):
        self.world.route_streams()
        victim = self.nodes[0]
        own, others = self.owned_by(victim, 2, turns=6)
        victim.signal(signal.SIGSTOP)
        try:
            time.sleep(15)
            self.assertEqual(self.world.database.rows("SELECT 1 FROM call_logs WHERE end_reason = 'process_lost' AND carrier_call_id IN (%s)" % quoted(own)), [])
        finally:
            victim.signal(signal.SIGCONT)
        fresh, elsewhere = self.owned_by(victim, 1, turns=2)  # It goes on.
        rows = self.account()
        self.check_normal(rows, others + fresh + elsewhere)
        self.check_same(rows, others)
        for each in own:
            self.assertNotEqual(rows[each]["end_reason"], "process_lost")

    @needs_cables
    def test_d_a_node_is_cut_from_the_database(self):
        self.world.route_streams()
        victim = self.nodes[2]
        own, others = self.owned_by(victim, 2, turns=5)
        victim.pull("base")
        try:
            time.sleep(15)
        finally:
            victim.plug("base")
        new = self.callers(3)
        rows = self.account()
        self.check_normal(rows, own + others + new)
        self.check_same(rows, own + others)

    @needs_cables
    def test_e_nodes_are_cut_from_each_other(self):
        number = self.dial(self.nodes[0], 12)
        self.talking([self.carrier_id(number)])
        for node in self.nodes:
            node.pull("mesh")
        try:
            calls = self.callers(CALLS, 2) + [self.carrier_id(self.dial(node, 2)) for node in self.nodes]
            answer, failure = self.nodes[1].ask("EndCall", call=self.dialled[number])
            self.assertIsNone(answer)
            self.assertEqual((failure.code, failure.reason), ("Unavailable", "OWNER_UNREACHABLE"), failure.text)
            self.wait_over(calls)
        finally:
            for node in self.nodes:
                node.plug("mesh")
        until("the way to the owner is back", lambda: self.nodes[1].ask("EndCall", call=self.dialled[number])[0] is not None, 20)
        rows = self.account()
        self.check_normal(rows, calls)

    def test_f_a_node_is_drained(self):
        self.world.route_streams()
        victim = self.nodes[0]
        own, others = self.owned_by(victim, 2, turns=3)
        drained = victim.id
        # Asked of another node; a third hears of it.
        still = self.nodes[1].rpc(OPERATIONS + "DrainNode", node="nodes/" + drained)
        self.assertGreaterEqual(int(still["live_calls"]), 2)
        until("everybody knows", lambda: self.states(self.nodes[2]).get("nodes/" + drained) == "NODE_STATE_DRAINING")
        self.assertEqual(sorted(self.states(self.nodes[2]).values()), ["NODE_STATE_DRAINING", "NODE_STATE_UP", "NODE_STATE_UP"])
        self.assertTrue(victim.rpc(OPERATIONS + "GetServerInfo")["draining"])
        victim.signal(signal.SIGTERM)
        until("draining", lambda: "draining" in victim.program.text())
        new = self.callers(CALLS)
        rows = self.account(gone=[victim])
        self.check_normal(rows, own + others + new)
        self.check_same(rows, own + others + new)
        self.assertNotIn(drained, {rows[each]["owner_node"] for each in new})
        self.assertEqual(victim.program.wait(), 0)
        victim.start().wait_ready()

    def test_g_a_node_is_started_again_at_its_address(self):
        self.world.route_streams()
        victim = self.nodes[2]
        lost, others = self.owned_by(victim, 2, turns=4)
        victim.signal(signal.SIGKILL)
        victim.program.wait()
        victim.start().wait_ready()
        where = "state = 'failed' AND end_reason = 'process_lost' AND carrier_call_id IN (%s)" % quoted(lost)
        until("calls of the former run are closed", lambda: len(self.world.database.rows("SELECT 1 FROM call_logs WHERE " + where)) == len(lost), 10)
        self.hung_up(lost)
        rows = self.account(gone=[victim])
        self.check_normal(rows, others)

    def test_h_a_node_stands_still_for_too_long(self):
        self.world.route_streams()
        victim = self.nodes[1]
        lost, others = self.owned_by(victim, 2, turns=12)
        victim.signal(signal.SIGSTOP)
        try:
            where = "state IN (%s) AND carrier_call_id IN (%s)" % (quoted(FINAL), quoted(lost))
            until("its calls are closed", lambda: len(self.world.database.rows("SELECT 1 FROM call_logs WHERE " + where)) == len(lost), REAPED_WITHIN)
        finally:
            victim.signal(signal.SIGCONT)
        until("it is back", lambda: "the node's lease had run out" in victim.program.text(), 30)
        until("it has let go of them", lambda: int(victim.rpc(OPERATIONS + "GetServerInfo").get("live_calls", 0)) == 0, 30)
        fresh, elsewhere = self.owned_by(victim, 1, turns=2)  # It goes on.
        self.hung_up(lost)
        rows = self.account()
        for each in lost:
            self.assertEqual((rows[each]["end_reason"], rows[each]["state"]), ("process_lost", "failed"), rows[each])
        self.check_normal(rows, others + fresh + elsewhere)

    def test_i_a_node_has_lost_its_place(self):
        """As after a restore from a backup that was made before it came."""
        victim = self.nodes[2]
        self.world.database.execute("DELETE FROM nodes WHERE id = '%s'" % victim.id)
        until("it takes no new calls", lambda: victim.ask("grpc.health.v1.Health/Check") == ({"status": "NOT_SERVING"}, None), 30)
        self.assertIn("start it again", victim.program.text())
        _, failure = victim.ask("StartCall", call={"to": "+14155550000"})
        self.assertEqual((failure.code, failure.reason), ("Unavailable", "DRAINING"))
        calls = self.callers(3, turns=2)
        rows = self.account(gone=[victim])
        self.check_normal(rows, calls)
        self.assertNotIn(victim.id, {rows[each]["owner_node"] for each in calls})
        victim.signal(signal.SIGTERM)
        self.assertEqual(victim.program.wait(), 0)
        victim.start().wait_ready()


def stop(number, frame):
    """Bazel's time is over: what was started has to end too."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    nodes_world.enter_hub()
    signal.signal(signal.SIGTERM, stop)
    try:
        junit.main()
    finally:
        NodesTest.doClassCleanups()
        nodes_world.leave_hub()
