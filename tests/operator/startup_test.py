"""What the server says when it cannot start, and what it reads before: one line that says what to do, and an exit status that is not 0."""

import os
import signal
import socket
import tempfile
import unittest

from tests.house import junit
from tests.operator import world
from tests.operator.world import KEYS, until

PORTS = ["--http_listen=127.0.0.1:0", "--grpc_listen=127.0.0.1:0", "--admin_listen=127.0.0.1:0"]
URL = ["--public_url=http://127.0.0.1:1"]


class StartupTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
        return path

    def begin(self, *flags, **env):
        program = world.Program([os.path.abspath("src/app/callbridge"), *flags], world.environment(**env), self.folder)
        self.addCleanup(program.kill)
        return program

    def refused(self, flags, *said, env=None):
        """The one line of a start that fails."""
        program = self.begin(*flags, **(KEYS if env is None else env))
        status = program.wait(20)
        self.assertEqual((status, program.out), (1, []), program.text())
        self.assertEqual(len(program.lines), 1, program.text())
        line = program.lines[0]
        self.assertTrue(line.startswith("callbridge: "), line)
        for words in said:
            self.assertIn(words, line)
        return line

    def test_a_port_in_use(self):
        for flag in ("--http_listen", "--grpc_listen", "--admin_listen"):
            with self.subTest(flag), socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen(1)
                address = "%s=127.0.0.1:%d" % (flag, taken.getsockname()[1])
                line = self.refused(PORTS + URL + [address], flag, "the port is in use", "choose another")
                self.assertIn(str(taken.getsockname()[1]), line)

    def test_an_address_that_is_none(self):
        for flag in ("--http_listen", "--grpc_listen", "--admin_listen"):
            with self.subTest(flag):
                self.refused(PORTS + URL + [flag + "=8080"], flag, "host:port")

    def test_a_database_that_cannot_be_used(self):
        not_ours = self.path("notes.txt", "This is a text, and no database at all.\n" * 100)
        cases = {
            "a folder that cannot be made": ("sqlite:/proc/nobody/calls.db", "/proc/nobody/calls.db", "folder cannot be made"),
            "a path that cannot be written": ("sqlite:/proc/calls.db", "/proc/calls.db", "cannot be written"),
            "a folder": ("sqlite:" + self.folder, self.folder, "is a folder"),
            "a file of another kind": ("sqlite:" + not_ours, not_ours, "the file is not a database"),
            "a kind of database that is not there": ("mysql://localhost/calls", "sqlite:PATH", ""),
            "a file without a path": ("sqlite:", "not the path of a file", ""),
        }
        for name, (url, *said) in cases.items():
            with self.subTest(name):
                self.refused(PORTS + URL + ["--database_url=" + url], "--database_url: ", *said)
        with open(not_ours, encoding="utf-8") as kept:
            self.assertEqual(kept.read(), "This is a text, and no database at all.\n" * 100, "it is left as it was")

    def test_a_database_that_another_server_uses(self):
        flags = PORTS + URL + ["--database_url=sqlite:" + self.path("calls.db")]
        first = self.begin(*flags, **KEYS)
        until("ready", lambda: "callbridge is ready" in first.text())
        self.refused(flags, "--database_url: ", "another callbridge uses it")
        self.assertTrue(first.running())

    def test_a_spool_that_cannot_be_used(self):
        flags = PORTS + URL + ["--database_url=sqlite:" + self.path("calls.db")]
        self.refused(flags + ["--spool_dir=/proc/nobody"], "--spool_dir: ", "/proc/nobody")
        shared = ["--spool_dir=" + self.path("shared")]
        first = self.begin(*flags, *shared, **KEYS)
        until("ready", lambda: "callbridge is ready" in first.text())
        others = PORTS + URL + ["--database_url=sqlite:" + self.path("others.db")]
        self.refused(others + shared, "--spool_dir: ", "held by another process")
        # None at all, and the one that it takes by itself: for nobody else to read.
        self.assertTrue(until("ready", lambda p=self.begin(*others, "--spool_dir=", **KEYS): "callbridge is ready" in p.text()))
        third = self.begin(*PORTS, *URL, "--database_url=sqlite:" + self.path("third.db"), **KEYS)
        until("ready", lambda: "callbridge is ready" in third.text())
        self.assertEqual(os.stat(self.path("third.db.spool")).st_mode & 0o777, 0o700)
        self.assertFalse(os.path.exists(self.path("others.db.spool")))

    def test_a_damaged_spool_stops_the_start_once(self):
        flags = PORTS + URL + ["--database_url=sqlite:" + self.path("calls.db")]
        os.mkdir(self.path("calls.db.spool"))
        damaged = self.path("calls.db.spool/spool-00000001.log", "no record")
        self.path("calls.db.spool/spool-00000002.log", "")
        self.refused(flags, "--spool_dir: ", damaged, "offset 0", "start again")
        with open(damaged + ".quarantined", encoding="utf-8") as kept:
            self.assertEqual(kept.read(), "no record")
        again = self.begin(*flags, **KEYS)
        until("ready", lambda: "callbridge is ready" in again.text())
        self.assertIn("quarantined", again.text())

    def test_a_config_with_a_mistake(self):
        good = 'agents {\n  key: "desk"\n  instructions: "You answer."\n}\n'
        cases = {
            "a misspelt field": (good.replace("instructions", "instrutions"), ":3:", "instrutions"),
            "an open brace": ("agents {\n", ":2:", ""),
            "a wrong type": (good + 'max_calls: "many"\n', ":5:", "many"),
            "nothing": ("", ": agents: missing", ""),
            "an agent without instructions": ('agents { key: "desk" }', "agents[0].instructions: missing", ""),
            "a number that is none": (good + 'inbound_numbers { number: "0151" agent: "desk" }', "inbound_numbers[0].number", "+1415"),
            "an agent that is not there": (good + 'default_agent: "sales"', "default_agent: no agent 'sales'", ""),
            "a voice detection out of range": (
                good.replace("}", "  server_vad { threshold: 3 }\n}"), "agents[0].", "threshold"),
            "a key twice": (good + good, "agents[1].key: 'desk' is there twice", ""),
            "a prefix that is none": (good + 'allowed_prefixes: "1415"', "allowed_prefixes[0]", "+1415"),
        }
        for name, (text, *said) in cases.items():
            with self.subTest(name):
                path = self.path("config.textproto", text)
                self.refused(PORTS + URL + ["--config=" + path], path, *said)
                self.refused(["--check_config", "--config=" + path], path, *said)
        self.refused(["--check_config", "--config=" + self.path("nowhere")], self.path("nowhere"), "No such file")
        self.refused(["--check_config", "--config=" + self.folder], self.folder, "directory")

    def test_check_config_needs_no_keys_and_starts_nothing(self):
        path = self.path("config.textproto", world.CONFIG)
        program = self.begin("--check_config", "--config=" + path)
        self.assertEqual(program.wait(20), 0, program.text())
        self.assertEqual((program.out, program.lines), ([path + ": ok"], []))
        self.assertEqual(sorted(os.listdir(self.folder)), ["config.textproto"])

    def test_flags_that_are_wrong(self):
        cases = {
            "an unknown flag": (["--http_lisen=1"], "--http_lisen", "--help"),
            "an unknown flag behind a value": (["--config", "-x", "--nonsense"], "--nonsense", "--help"),
            "a word that is no flag": (["serve"], "'serve'", "--help"),
            "a log format": (["--log_format=xml"], "--log_format", "text or json"),
            "a kind of authentication": (["--webhook_auth=basic"], "--webhook_auth", "signature or none"),
            "a spool without room": (["--spool_limit_mb=0"], "--spool_limit_mb", "1 to 1000000"),
            "too many threads": (["--media_threads=1000"], "--media_threads", "0 to 256"),
            "a node on SQLite": (URL + ["--node_listen=127.0.0.1:0"], "--node_listen", "--database_url=postgresql://"),
            "a node's address and no node": (URL + ["--node_address=10.0.0.7:1"], "--node_address", "--node_listen"),
            "a negative drain": (["--drain_timeout=-3s"], "--drain_timeout", "0 or more"),
            "a model's URL": (["--openai_url=api.openai.com"], "--openai_url", "wss://"),
            "a carrier's URL": (["--plivo_api_url=api.plivo.com"], "--plivo_api_url", "https://"),
            "no public URL": ([], "--public_url: missing", "https://"),
            "a public URL without TLS": (["--public_url=http://calls.example.com"], "--public_url", "https://"),
            "a public URL of another kind": (["--public_url=calls.example.com"], "--public_url", "https://"),
            "webhooks open to everybody": (
                URL + ["--webhook_auth=none", "--http_listen=0.0.0.0:0"], "--webhook_auth=none", "--http_listen=127.0.0.1"),
            "a control plane open to everybody": (URL + ["--grpc_listen=0.0.0.0:0"], "--grpc_listen=0.0.0.0:0", "--grpc_tls_cert"),
            "a certificate without a key": (URL + ["--grpc_tls_cert=x"], "--grpc_tls_cert", "--grpc_tls_key"),
            "a certificate that is not there": (
                URL + ["--grpc_tls_cert=/nowhere.pem", "--grpc_tls_key=/nowhere.pem"], "--grpc_tls_cert", "/nowhere.pem"),
        }
        for name, (flags, *said) in cases.items():
            with self.subTest(name):
                self.refused(PORTS + flags, *said)

    def test_a_key_that_is_missing(self):
        for key in KEYS:
            with self.subTest(key):
                rest = {k: v for k, v in KEYS.items() if k != key}
                self.refused(PORTS + URL, key + ": missing", env=rest)
                self.refused(PORTS + URL, key + "_FILE", "/nowhere", env=dict(rest, **{key + "_FILE": "/nowhere"}))

    def test_the_environment_twin_of_a_flag(self):
        self.refused(PORTS, "--log_format", env=dict(KEYS, CALLBRIDGE_LOG_FORMAT="xml"))
        self.refused(PORTS, "CALLBRIDGE_MEDIA_THREADS", "--media_threads", env=dict(KEYS, CALLBRIDGE_MEDIA_THREADS="many"))
        # All of it from the environment; the flag wins.
        twins = {"CALLBRIDGE_" + flag[2:].split("=")[0].upper(): flag.split("=", 1)[1] for flag in PORTS + URL}
        program = self.begin("--database_url=sqlite:" + self.path("flag.db"), CALLBRIDGE_DATABASE_URL="sqlite:" + self.path("twin.db"),
                             CALLBRIDGE_LOG_FORMAT="json", **twins, **KEYS)
        until("ready: " + program.text(), lambda: "callbridge is ready" in program.text())
        self.assertTrue(program.lines[0].startswith("{"), program.text())
        self.assertTrue(os.path.exists(self.path("flag.db")))
        self.assertFalse(os.path.exists(self.path("twin.db")))

    def test_keys_from_files(self):
        files = {key + "_FILE": self.path(key, value + "\n") for key, value in KEYS.items()}
        program = self.begin(*PORTS, *URL, **files)
        until("ready: " + program.text(), lambda: "callbridge is ready" in program.text())
        for value in KEYS.values():
            self.assertNotIn(value, program.text())

    def test_systemd_is_told(self):
        name = "callbridge-startup-%d" % os.getpid()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind("\0" + name)
            listener.settimeout(20)
            program = self.begin(*PORTS, *URL, NOTIFY_SOCKET="@" + name, WATCHDOG_USEC="300000", **KEYS)
            self.assertIn(b"READY=1\n", listener.recv(4096))
            # Log lines are written by a thread of their own.
            until("ready", lambda: "callbridge is ready" in program.text())
            for _ in range(3):
                self.assertEqual(listener.recv(4096), b"WATCHDOG=1\n")
            program.signal(signal.SIGTERM)
            last = b""
            while b"STOPPING=1\n" not in last:
                last = listener.recv(4096)
            self.assertEqual(program.wait(20), 0)

    def test_help_lists_the_flags(self):
        for name, flag in (("src/app/callbridge", "--public_url"), ("src/sim/callbridge_sim", "--carrier_listen")):
            with self.subTest(name):
                program = world.Program([os.path.abspath(name), "--help"], world.environment(), self.folder)
                program.wait(20)
                self.assertIn(flag, "\n".join(program.out))
                self.assertNotIn("symbolize", "\n".join(program.out), "only its own")


if __name__ == "__main__":
    junit.main()
