"""The commands of the server's binary that work on a database without serving: migrate, backup, erase, export, purge,
restored."""

import json
import os
import sqlite3
import subprocess
import tempfile
import unittest

from tests.house import junit
from tests.operator import world
from tests.operator.world import KEYS, until

PORTS = ["--http_listen=127.0.0.1:0", "--grpc_listen=127.0.0.1:0", "--admin_listen=127.0.0.1:0", "--public_url=http://127.0.0.1:1"]
PERSON = "+14155550123"
OLD = "2020-01-01T00:00:00.000000Z"


class CommandsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.database = self.path("calls.db")

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
        return path

    def run_command(self, *words):
        """No keys, no ports: the commands need neither."""
        return subprocess.run(
            [os.path.abspath("src/app/callbridge"), "--database_url=sqlite:" + self.database, *words],
            env=world.environment(), cwd=self.folder, capture_output=True, text=True, timeout=30, check=False)

    def done(self, *words):
        result = self.run_command(*words)
        self.assertEqual((result.returncode, result.stderr), (0, ""), words)
        return result.stdout

    def refused(self, words, *said):
        result = self.run_command(*words)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        for each in said:
            self.assertIn(each, result.stderr)

    def sql(self, text, *values, path=None):
        with sqlite3.connect(path or self.database) as database:
            return database.execute(text, values).fetchall()

    def fill(self):
        """A person who called long ago, and one whose call is not over."""
        self.done("migrate")
        self.sql("INSERT INTO leads (id, phone, created_at, updated_at) VALUES ('l1', ?, ?, ?)", PERSON, OLD, OLD)
        call = ("INSERT INTO call_logs (id, direction, from_number, to_number, agent, lead_id, state, created_at, ended_at, end_reason, "
                "end_initiator, end_layer, end_evidence, end_retryable, transcript, event_head) "
                "VALUES (?, 'inbound', ?, '+14155550100', 'desk', ?, ?, ?, ?, ?, 'caller', 'signalling', '', 0, 'Caller: a secret', 1)")
        self.sql(call, "c1", PERSON, "l1", "completed", OLD, OLD, "normal_hangup")
        self.sql(call, "c2", "+14155550199", None, "in_progress", OLD, None, None)
        for name in ("c1", "c2"):
            self.sql("INSERT INTO call_events (call_id, sequence, type, occurred_at, payload) "
                     "VALUES (?, 1, 'dtmf_received', ?, '{\"digit\": \"5\"}')", name, OLD)

    def serve(self):
        program = world.Program([os.path.abspath("src/app/callbridge"), "--database_url=sqlite:" + self.database, *PORTS],
                                world.environment(**KEYS), self.folder)
        self.addCleanup(program.kill)
        until("ready", lambda: "callbridge is ready" in program.text())
        return program

    def test_migrate_makes_and_repeats(self):
        for _ in range(2):
            self.assertIn("the schema is up to date, version", self.done("migrate"))
        self.assertEqual(self.sql("SELECT count(*) FROM call_logs"), [(0,)])

    def test_words_that_are_wrong(self):
        self.refused(["migrat"], "'migrat'", "migrate, backup, erase, export, purge, restored")
        self.refused(["migrate", "now"], "'now'")
        self.refused(["backup"], "callbridge backup FILE")
        self.refused(["erase", "--by=Grace"], "E.164", "+14155550123")
        self.refused(["erase", "4155550123", "--by=Grace"], "E.164")
        self.refused(["erase", PERSON], "--by NAME")
        self.refused(["export"], "E.164")
        self.refused(["purge"], "retention", "--config")
        self.refused(["backup", "copy.db", "--database_url=postgresql://db/calls"], "pg_dump")
        self.refused(["migrate", "--database_url=mysql://db/calls"], "--database_url", "sqlite:PATH")
        self.assertEqual(os.listdir(self.folder), [], "and nothing was made")

    def test_a_database_that_is_not_there(self):
        config = "--config=" + self.path("c.textproto", world.CONFIG + "retention { call_days: 30 }\n")
        for words in (["erase", PERSON, "--by=Grace"], ["export", PERSON], ["purge", config], ["backup", self.path("copy.db")]):
            with self.subTest(words[0]):
                self.refused(words, self.database)
        self.assertEqual(os.listdir(self.folder), ["c.textproto"])

    def test_files_that_are_not_ours(self):
        config = "--config=" + self.path("c.textproto", world.CONFIG + "retention { call_days: 30 }\n")
        commands = (["migrate"], ["erase", PERSON, "--by=Grace"], ["export", PERSON], ["purge", config], ["backup", self.path("copy.db")])
        with open(self.database, "w", encoding="utf-8") as out:
            out.write("This is a text, and no database at all.\n" * 100)
        for words in commands:
            with self.subTest("a text: " + words[0]):
                self.refused(words, self.database, "not a database")
        os.unlink(self.database)
        self.sql("CREATE TABLE theirs (x)")
        for words in commands:
            with self.subTest("somebody else's: " + words[0]):
                self.refused(words, self.database, "another program")
        self.assertEqual(self.sql("SELECT name FROM sqlite_schema"), [("theirs",)])
        os.unlink(self.database)
        self.done("migrate")
        self.sql("INSERT INTO schema_version VALUES (9999, '9999_future', 'sum', '')")
        for words in commands[:-1]:
            with self.subTest("a newer schema: " + words[0]):
                self.refused(words, self.database, "9999_future", "newer")

    def test_backup_and_restore(self):
        self.fill()
        copy = self.path("copy.db")
        self.assertIn(copy, self.done("backup", copy))
        self.refused(["backup", copy], copy, "is there already")
        self.sql("DELETE FROM call_events")
        # Restored as docs/operations.md says.
        for name in os.listdir(self.folder):
            if name.startswith("calls.db"):
                os.unlink(self.path(name))
        os.rename(copy, self.database)
        migrated = self.run_command("migrate")
        self.assertEqual(migrated.returncode, 0, migrated.stderr)
        self.assertIn("up to date", migrated.stdout)
        self.assertIn("restored from a backup", migrated.stderr)
        self.assertEqual(self.done("migrate"), migrated.stdout, "which is noted once")
        self.assertEqual(self.sql("SELECT count(*) FROM call_events"), [(2,)])
        self.assertEqual(self.sql("SELECT count(*) FROM lost_positions"), [(1,)])

    def test_restored_is_noted(self):
        self.fill()
        self.assertIn("noted", self.done("restored"))
        self.assertEqual(self.sql("SELECT after_position FROM lost_positions"), self.sql("SELECT max(position) FROM call_events"))
        self.refused(["restored", "today"], "'today'")

    def test_erase_and_export(self):
        self.fill()
        document = json.loads(self.done("export", PERSON))
        self.assertEqual(document["lead"]["phone"], PERSON)
        self.assertEqual([call["id"] for call in document["calls"]], ["c1"])
        self.assertEqual(document["calls"][0]["transcript"], "Caller: a secret")
        self.assertEqual(document["calls"][0]["events"][0]["payload"], {"digit": "5"})
        said = self.done("erase", PERSON, "--by", "Grace")
        self.assertIn("1 leads, 1 calls", said)
        self.assertNotIn(PERSON, said)
        self.assertEqual(self.sql("SELECT from_number, transcript FROM call_logs WHERE id = 'c1'"), [("", "")])
        self.assertEqual(self.sql("SELECT payload, erased FROM call_events WHERE call_id = 'c1'"), [("{}", 1)])
        self.assertEqual(self.sql("SELECT erased_by FROM erasures"), [("Grace",)])
        document = json.loads(self.done("export", PERSON))
        self.assertEqual((document["lead"], document["calls"]), (None, []))
        self.refused(["erase", "+14155550199", "--by=Grace"], "not over", "c2")

    def test_purge(self):
        self.fill()
        config = "--config=" + self.path("c.textproto", world.CONFIG + "retention { event_days: 30 call_days: 40 }\n")
        self.assertIn("1 whole calls", self.done("purge", config))
        self.assertEqual(self.sql("SELECT id FROM call_logs"), [("c2",)], "the other is not over")
        self.assertIn("0 whole calls", self.done("purge", config))

    def test_beside_a_server(self):
        self.fill()
        server = self.serve()
        config = "--config=" + self.path("c.textproto", world.CONFIG + "retention { call_days: 40 }\n")
        for words in (["migrate"], ["erase", PERSON, "--by=Grace"], ["purge", config]):
            with self.subTest(words[0]):
                self.refused(words, "another callbridge uses it", "stop that one")
        # Reading is fine.
        self.assertIn("bytes", self.done("backup", self.path("copy.db")))
        self.assertEqual(len(json.loads(self.done("export", PERSON))["calls"]), 1)
        self.assertEqual(self.sql("SELECT state FROM call_logs WHERE id = 'c2'", path=self.path("copy.db")), [("failed",)],
                         "as the server that started has left it")
        self.assertNotIn("⚠️ database", server.text())

    def test_the_server_purges_when_it_starts(self):
        self.fill()
        config = self.path("c.textproto", world.CONFIG + "retention { call_days: 40 }\n")
        PORTS.append("--config=" + config)
        self.addCleanup(PORTS.pop)
        server = self.serve()
        until("purged", lambda: "old records purged" in server.text())
        self.assertEqual(self.sql("SELECT count(*) FROM call_logs WHERE id = 'c1'"), [(0,)])


if __name__ == "__main__":
    junit.main()
