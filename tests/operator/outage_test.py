"""PostgreSQL stalls, restarts and fills up under live calls: nothing of them is lost, nothing is there twice."""

import csv
import io
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from tests.house import junit
from tests.operator import world
from tests.operator.world import until

CALLS = int(os.environ.get("OUTAGE_CALLS", "12"))
FINAL = "('completed', 'failed')"
# About fifteen seconds; each of them is the same, so that their records can be compared.
CALLER = """
call: inbound
from: 1415555%04d
to: 14155550100

[person]
wait assistant done 200ms
say vm-youhave
wait assistant done 200ms
pause 2s
say vm-youhave
wait assistant done 200ms
pause 2s
say vm-youhave
wait assistant done 200ms
hang up

[model]
reply: say dir-welcome
reply: say vm-login
reply: say vm-nobodyavail
reply: say vm-login
"""


def programs():
    """Where the server's programs are; None: not on this machine."""
    named = os.environ.get("CALLBRIDGE_POSTGRES_BIN")
    base = "/usr/lib/postgresql"
    found = [named] if named else [os.path.join(base, version, "bin") for version in sorted(os.listdir(base), reverse=True)] if os.path.isdir(base) else []
    return next((folder for folder in found if os.path.exists(os.path.join(folder, "initdb"))), None)


class Postgres:
    """A server of the test's own, on a socket."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="callbridge-pg-", dir="/tmp")  # A socket's path must be short.
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.tool("initdb", "-D", self.folder + "/data", "-U", "callbridge", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self.start()
        self.url = "postgresql:///postgres?host=%s&user=callbridge" % self.folder

    def tool(self, name, *arguments, check=True):
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        with open(self.folder + ".log", "ab") as log:
            return subprocess.run(as_user + [os.path.join(programs(), name), *arguments], cwd="/", stdout=log, stderr=log, check=check)

    def start(self):
        self.tool("pg_ctl", "-D", self.folder + "/data", "-l", self.folder + "/server.log", "-w", "-s", "-o",
                  "-k %s -c listen_addresses= -c shared_buffers=16MB -c max_connections=30" % self.folder, "start")

    def stop(self, how):
        self.tool("pg_ctl", "-D", self.folder + "/data", "-m", how, "-w", "-s", "stop", check=False)

    def processes(self):
        with open(self.folder + "/data/postmaster.pid", encoding="ascii") as file:
            master = int(file.readline())
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(master)], capture_output=True, text=True, check=False).stdout
        return [master] + [int(pid) for pid in out.split()]

    def signal(self, number):
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def rows(self, sql):
        done = subprocess.run([os.path.join(programs(), "psql"), "-X", "--csv", "-c", sql, self.url], capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def execute(self, sql):
        subprocess.run([os.path.join(programs(), "psql"), "-X", "-q", "-c", sql, self.url], capture_output=True, check=True)

    def close(self):
        self.signal(signal.SIGCONT)
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.remove(self.folder + ".log")


@unittest.skipUnless(world.CLIENT, world.NEEDS_CLIENT)
@unittest.skipUnless(programs(), "needs the programs of the PostgreSQL server (Debian: postgresql)")
class OutageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
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
        # Whoever watched all the time was shown everything, each once and in the order of its call.
        watched = {}
        until("the last events", lambda: [e["type"] for e in watching.events()].count("call_ended") == len(ids + late), 60)
        for event in watching.events():
            watched.setdefault(event["call"], []).append(int(event["sequence"]))
        self.assertEqual(len(watched), len(ids + late))
        for sequences in watched.values():
            self.assertEqual(sequences, list(range(1, len(sequences) + 1)))
        watching.program.kill()

    def test_a_server_that_stands_still(self):
        self.trouble(lambda: self.postgres.signal(signal.SIGSTOP), lambda: self.postgres.signal(signal.SIGCONT), 8)

    def test_a_server_that_crashes_and_comes_back(self):
        self.trouble(lambda: self.postgres.stop("immediate"), self.postgres.start, 5)

    def test_a_server_that_takes_no_writes(self):
        """As after a failover to a standby, or with a full disk."""
        def writes(allowed):
            self.postgres.execute("ALTER SYSTEM SET default_transaction_read_only = %s" % ("off" if allowed else "on"))
            self.postgres.execute("SELECT pg_reload_conf()")
        self.trouble(lambda: writes(False), lambda: writes(True), 5)


if __name__ == "__main__":
    junit.main()
