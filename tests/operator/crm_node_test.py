"""examples/crm-node against real binaries, both sides killed in between: nobody called twice, no event lost or applied twice."""

import json
import os
import shutil
import signal
import subprocess
import unittest

from tests.house import junit
from tests.operator import world
from tests.operator.world import until

# Where `npm ci` of the example's package-lock.json was run; `./dev test` does.
MODULES = os.environ.get("CALLBRIDGE_CRM_NODE_MODULES")
TALKERS = ["+14155550161", "+14155550162", "+14155550163"]
BRIEF = """
call: outbound
to: %s
pickup: answer after 200ms

[person]
wait assistant done 200ms
repeat 2
say vm-youhave
wait assistant done 300ms
end
hang up

[model]
reply: say dir-welcome
reply: say vm-login
reply: say vm-login
"""


@unittest.skipUnless(MODULES, "there is no npm to fetch what the Node example needs")
class CrmNodeTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.world = world.World()
        self.addCleanup(self.world.close)
        self.folder = os.path.join(self.world.folder, "crm-node")
        shutil.copytree("examples/crm-node", self.folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
        os.symlink(MODULES, os.path.join(self.folder, "node_modules"))
        built = subprocess.run(["node", "node_modules/typescript/bin/tsc", "-p", "."], cwd=self.folder, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, check=False)
        self.assertEqual(built.returncode, 0, built.stdout.decode())
        self.leads = os.path.join(self.folder, "leads.csv")
        self.crm = os.path.join(self.folder, "crm.json")

    def start(self):
        worker = world.Program(["node", os.path.join(self.folder, "dist/main.js"), self.leads, self.crm],
                               world.environment(CALLBRIDGE_ADDRESS=self.world.address, CALLBRIDGE_PROTOS=os.path.abspath("proto")), self.folder,
                               separate=False)
        self.world.programs.append(worker)
        return worker

    def write_leads(self, numbers):
        with open(self.leads, "w", encoding="utf-8") as out:
            out.write("id,phone,name\n" + "".join("p%s,%s,Somebody\n" % (each[-3:], each) for each in numbers))

    def people(self):
        if not os.path.exists(self.crm):
            return {}
        with open(self.crm, encoding="utf-8") as file:
            return {person["phone"]: person for person in json.load(file)["people"]}

    def recorded(self, person):
        """Of the person's call, as the database has it: (how many events, how it ended, its summary)."""
        call = person["call"].split("/")[1]
        row = self.world.rows("SELECT end_reason, summary FROM call_logs WHERE id = ?", call)[0]
        count = self.world.rows("SELECT count(*) AS n, max(sequence) AS last FROM call_events WHERE call_id = ?", call)[0]
        self.assertEqual(count["n"], count["last"])
        return count["n"], row["end_reason"], row["summary"]

    def synced(self):
        people = self.people()
        for person in people.values():
            if person.get("refused"):
                continue
            if not person.get("ended") or not person.get("call"):
                return None
            if person["applied"] != self.recorded(person)[0]:
                return None
        return people

    def check(self, people):
        for phone, person in people.items():
            rows = self.world.rows("SELECT id FROM call_logs WHERE to_number = ?", phone)
            if person.get("refused"):
                self.assertEqual(rows, [])
                continue
            self.assertEqual(["calls/" + row["id"] for row in rows], [person["call"]], "called once")
            events, reason, summary = self.recorded(person)
            self.assertEqual((person["applied"], person["events"]), (events, events), "each once")
            self.assertEqual(person["ended"], "END_REASON_" + reason.upper())
            self.assertEqual(person.get("summary") or "", summary or "")

    def test_a_csv_of_leads_becomes_a_synced_crm(self):
        for number in TALKERS:
            self.world.phone(BRIEF % number.lstrip("+"))
        self.world.phone(world.BUSY % "14155550164")
        self.write_leads(TALKERS + ["+14155550164", "+4930123456"])
        worker = self.start()
        people = until("synced: " + worker.text(), lambda: len(self.people()) == 5 and self.synced())
        self.check(people)
        self.assertEqual(people["+4930123456"]["refused"], "DESTINATION_NOT_ALLOWED")
        self.assertEqual(people["+14155550164"]["ended"], "END_REASON_BUSY")
        self.assertEqual(people[TALKERS[0]]["ended"], "END_REASON_NORMAL_HANGUP")
        self.assertTrue(people[TALKERS[0]]["summary"])
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.wait(), 0, worker.text())
        self.assertEqual(self.world.violations(), [])

    def test_both_sides_are_killed_and_nothing_is_lost_or_done_twice(self):
        for number in TALKERS:
            self.world.phone(BRIEF % number.lstrip("+"))
        self.write_leads(TALKERS)
        worker = self.start()
        # As soon as the first is asked for: its answer may be lost.
        until("a call", lambda: self.world.rows("SELECT id FROM call_logs"))
        worker.kill()
        worker = self.start()
        until("some events: " + worker.text(), lambda: sum(person["applied"] for person in self.people().values()) > 12)
        worker.kill()
        worker = self.start()
        self.world.server.kill()
        until("the break to be noticed", lambda: "the stream broke" in worker.text() or "asking again" in worker.text())
        self.assertTrue(self.world.start(), self.world.server.text())
        people = until("synced: " + worker.text(), self.synced)
        self.check(people)
        self.assertEqual(len(people), 3)
        # Another phone in the file, while nobody looks.
        worker.kill()
        self.world.phone(world.BUSY % "14155550164")
        self.write_leads(TALKERS + ["+14155550164"])
        worker = self.start()
        self.check(until("synced: " + worker.text(), lambda: len(self.people()) == 4 and self.synced()))


if __name__ == "__main__":
    junit.main()
