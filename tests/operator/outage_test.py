"""PostgreSQL stalls, restarts and fills up under live calls: nothing of them is lost, nothing is there twice."""

import os
import signal
import tempfile
import time
import unittest

from tests.house import junit
from tests.operator import postgres, world
from tests.operator.world import until

CALLS = int(os.environ.get("OUTAGE_CALLS", "12"))
FINAL = "('completed', 'failed')"
# About fifteen seconds; each of them is the same, so that their records can be compared.
CALLER = """
call: inbound
from: 1415555%04d
to: 14155550100

[person]
wait assistant done 500ms
say vm-youhave
wait assistant done 500ms
pause 2s
say vm-youhave
wait assistant done 500ms
pause 2s
say vm-youhave
wait assistant done 500ms
hang up

[model]
reply: say dir-welcome
reply: say vm-login
reply: say vm-nobodyavail
reply: say vm-login
"""


@unittest.skipUnless(world.CLIENT, world.NEEDS_CLIENT)
@unittest.skipUnless(postgres.programs(), postgres.NEEDED)
class OutageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = postgres.Postgres(disk_megabytes=256)
        cls.addClassCleanup(cls.postgres.close)
        spool = tempfile.mkdtemp(prefix="spool-", dir=os.environ.get("TEST_TMPDIR"))
        cls.world = world.World("--database_url=" + cls.postgres.url, "--spool_dir=" + spool)
        cls.addClassCleanup(cls.world.close)
        cls.number = 0

    def callers(self, count):
        """That many people call us; -> the carrier's ids."""
        ids = []
        for _ in range(count):
            type(self).number += 1
            ids.append(self.world.call_in(CALLER % self.number))
            time.sleep(0.05)
        return ids

    def live(self):
        return len([session for session in self.world.model_sessions() if session["open"]])

    def wait_for_records(self, ids):
        for each in ids:
            until("end of the call at the carrier", lambda each=each: self.world.at_carrier(each)["over"], 60)
        wanted = ", ".join("'%s'" % each for each in ids)
        until("records", lambda: len(self.postgres.rows(
            "SELECT 1 FROM call_logs WHERE state IN %s AND summary_settled AND carrier_call_id IN (%s)" % (FINAL, wanted))) == len(ids), 60)
        return self.postgres.rows("SELECT * FROM call_logs WHERE carrier_call_id IN (%s)" % wanted)

    def check(self, ids, like):
        """The records of these calls are whole, and say the same as that of a call in quiet times."""
        self.assertEqual(self.world.violations(), [])
        self.assertTrue(self.world.server.running(), self.world.server.text())
        for row in self.wait_for_records(ids):
            events = self.postgres.rows("SELECT sequence, type FROM call_events WHERE call_id = '%s' ORDER BY sequence" % row["id"])
            self.assertEqual([int(e["sequence"]) for e in events], list(range(1, int(row["event_head"]) + 1)), "gapless, none twice")
            self.assertEqual([e["type"] for e in events].count("call_ended"), 1)
            self.assertEqual((row["end_reason"], row["end_initiator"]), ("normal_hangup", "caller"))
            self.assertEqual(row["transcript"], like["transcript"])
            items = self.postgres.rows("SELECT text_heard FROM transcript_items WHERE call_id = '%s' ORDER BY position, id" % row["id"])
            self.assertEqual([item["text_heard"] for item in items], like["items"])

    def quiet(self):
        row = self.wait_for_records(self.callers(1))[0]
        items = self.postgres.rows("SELECT text_heard FROM transcript_items WHERE call_id = '%s' ORDER BY position, id" % row["id"])
        self.assertGreaterEqual(len(items), 7)
        return {"transcript": row["transcript"], "items": [item["text_heard"] for item in items]}

    def trouble(self, begin, end, seconds):
        """Calls before, in and through an outage."""
        like = self.quiet()
        watching = self.world.events().wait_live()
        ids = self.callers(CALLS)
        until("all of them talk", lambda: self.live() == CALLS)
        begin()
        began = time.monotonic()
        try:
            refused = self.world.failing("StartCall", call={"to": "+14155550199"})
            self.assertEqual((refused.code, refused.reason), ("Unavailable", "STORE_UNAVAILABLE"), refused.text)
            late = self.callers(2)
            until("new callers are answered", lambda: self.live() >= 2 and all(self.world.at_carrier(each)["streams"] for each in late))
            time.sleep(max(0, seconds - (time.monotonic() - began)))
        finally:
            end()
        self.check(ids + late, like)
        names = {"calls/" + row["id"] for row in self.wait_for_records(ids + late)}
        # Whoever watched all the time was shown everything, each once and in the order of its call.
        watched = {}
        until("the last events", lambda: [e["type"] for e in watching.events() if e["call"] in names].count("call_ended") == len(names), 60)
        for event in watching.events():
            watched.setdefault(event["call"], []).append(int(event["sequence"]))
        # The call that was refused may have been recorded by a server that stood still, when it went on. It is over then, and was not dialled.
        for name in set(watched) - names:
            until("the end of what was not dialled", lambda name=name: self.postgres.rows(
                "SELECT 1 FROM call_logs WHERE id = '%s' AND state = 'failed' AND end_evidence LIKE 'not dialled%%'" % name[6:]))
            del watched[name]
        self.assertEqual(set(watched), names)
        for sequences in watched.values():
            self.assertEqual(sequences, list(range(1, len(sequences) + 1)))
        watching.program.kill()

    def test_a_server_that_stands_still(self):
        self.trouble(lambda: self.postgres.signal(signal.SIGSTOP), lambda: self.postgres.signal(signal.SIGCONT), 8)

    def test_a_server_that_crashes_and_comes_back(self):
        self.trouble(lambda: self.postgres.stop("immediate"), self.postgres.start, 5)

    def test_a_server_that_takes_no_writes(self):
        """As after a failover to a standby."""
        def writes(allowed):
            self.postgres.execute("ALTER SYSTEM SET default_transaction_read_only = %s" % ("off" if allowed else "on"))
            self.postgres.execute("SELECT pg_reload_conf()")
        self.trouble(lambda: writes(False), lambda: writes(True), 5)

    def test_a_server_whose_disk_is_full(self):
        if not self.postgres.disk:
            self.skipTest("needs to be root, and to mount a small disk")
        self.trouble(self.postgres.fill_disk, self.postgres.free_disk, 5)


if __name__ == "__main__":
    junit.main()
