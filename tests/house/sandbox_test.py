"""`./dev run` without keys: who is started with what, and who is stopped when, with stand-ins for both programs."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from tests.house import junit

DRIVER = """
set -euo pipefail
say() { printf '%s\\n' "$*" >&2; }
die() { say "dev: $*"; exit 1; }
source "$SANDBOX"
sandbox_ports "$@"
sandbox_check_ports
GRPCURL=/opt/grpcurl
sandbox_run "$@"
"""
DEADLINE = 30


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class SandboxTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.log_path = os.path.join(self.folder, "log")
        self.ports = free_ports(5)
        self.process = None
        for name in ("sim", "server"):
            path = os.path.join(self.folder, name)
            with open(path, "w", encoding="utf-8") as out:
                world = os.path.abspath("tests/house/fake_world.py")
                out.write('#!/bin/sh\nexec %s %s %s %s "$@"\n' % (sys.executable, world, name, self.log_path))
            os.chmod(path, 0o755)

    def tearDown(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process:
            self.process.stdout.close()
            self.process.stderr.close()
        for pid in self.pids():
            if alive(pid):
                os.kill(pid, signal.SIGKILL)

    def start(self, *flags, **env):
        http, grpc, admin, carrier, model = self.ports
        settings = dict(
            os.environ, SANDBOX=os.path.abspath("bazel/sandbox.sh"), SIM_BINARY=self.folder + "/sim", SERVER_BINARY=self.folder + "/server",
            CALLBRIDGE_SIM_CARRIER_PORT=str(carrier), CALLBRIDGE_SIM_MODEL_PORT=str(model), CALLBRIDGE_ADMIN_LISTEN="127.0.0.1:%d" % admin)
        settings.update(env)
        self.process = subprocess.Popen(
            ["bash", "-c", DRIVER, "dev", "--http_listen=127.0.0.1:%d" % http, "--grpc_listen", "127.0.0.1:%d" % grpc] + list(flags),
            cwd=self.folder, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8") as log:
                return log.read().splitlines()
        except FileNotFoundError:
            return []

    def pids(self):
        return [int(m.group(1)) for m in map(re.compile(r"\w+ pid (\d+)").match, self.log()) if m]

    def wait_for(self, line):
        deadline = time.monotonic() + DEADLINE
        while line not in self.log():
            self.assertLess(time.monotonic(), deadline, "no '%s' in %s" % (line, self.log()))
            time.sleep(0.02)

    def finish(self):
        """-> (status, stdout, stderr), with nothing left running."""
        out, err = self.process.communicate(timeout=DEADLINE)
        self.assertEqual([pid for pid in self.pids() if alive(pid)], [])
        return self.process.returncode, out, err

    def test_tells_what_it_is_and_what_to_try(self):
        self.start("--log_format=json")
        self.wait_for("server ready")
        self.process.send_signal(signal.SIGINT)
        _, out, _ = self.finish()
        self.assertIn("This is the sandbox", out.splitlines()[0])
        self.assertIn("/opt/grpcurl -plaintext 127.0.0.1:%d list" % self.ports[1], out)

    def test_both_meet_on_the_ports_that_were_asked_for(self):
        self.start("--log_format=json")
        self.wait_for("server ready")
        self.process.send_signal(signal.SIGINT)
        self.finish()
        sim, server = [line for line in self.log() if " flags " in line]
        http, grpc, admin, carrier, model = self.ports
        self.assertIn("--server_url=http://127.0.0.1:%d " % http, sim)
        self.assertIn("--public_url=http://127.0.0.1:%d " % http, server)
        self.assertIn("--grpc_listen=127.0.0.1:%d " % grpc, server)
        self.assertIn("--admin_listen=127.0.0.1:%d " % admin, server)
        self.assertIn("--plivo_api_url=http://127.0.0.1:%d " % carrier, server)
        self.assertIn("--openai_url=ws://127.0.0.1:%d/" % model, server)
        self.assertTrue(server.endswith("--log_format=json"), "the user's flags come last, so that they win: " + server)
        keys = {line.split(" ", 2)[2] for line in self.log() if " keys " in line}
        self.assertEqual(len(keys), 1)
        self.assertNotEqual(keys, {""})

    def test_a_signal_ends_the_server_first_and_its_status_is_ours(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                self.setUp()
                self.start(FAKE_DRAIN="0.3", FAKE_STATUS="7")
                self.wait_for("server ready")
                self.process.send_signal(number)
                status, _, _ = self.finish()
                self.assertEqual(status, 7)
                got = [line for line in self.log() if "got" in line or "ended" in line]
                passed_on = "SIGINT" if number == signal.SIGINT else "SIGTERM"
                self.assertEqual(got, ["server got " + passed_on, "server ended", "sim got SIGTERM", "sim ended"])

    # A terminal sends Ctrl-C to everything in its foreground: the simulated world must outlive the server all the same.
    def test_ctrl_c_on_a_terminal_reaches_the_server_once(self):
        self.start(FAKE_DRAIN="0.3")
        self.wait_for("server ready")
        os.killpg(self.process.pid, signal.SIGINT)
        self.finish()
        got = [line for line in self.log() if "got" in line or "ended" in line]
        self.assertEqual(got, ["server got SIGINT", "server ended", "sim got SIGTERM", "sim ended"])

    def test_the_end_of_the_world_ends_the_server(self):
        self.start(FAKE_SIM_LIFE="1", FAKE_DRAIN="0.2")
        self.wait_for("server ready")
        status, _, err = self.finish()
        self.assertEqual(status, 0)
        self.assertIn("The simulated world ended (status 4)", err)
        self.assertIn("server got SIGTERM", self.log())

    def test_a_world_that_does_not_start_is_an_error(self):
        self.start(FAKE_SIM_DEAF="1")
        status, _, err = self.finish()
        self.assertEqual(status, 1)
        self.assertIn("the simulated world did not start", err)
        self.assertFalse([line for line in self.log() if line.startswith("server")])

    def test_a_port_in_use_is_one_line_and_nothing_starts(self):
        for name, index in (("http", 0), ("grpc", 1), ("admin", 2), ("carrier", 3), ("model", 4)):
            with self.subTest(name), socket.socket() as taken:
                taken.bind(("127.0.0.1", self.ports[index]))
                taken.listen(1)
                self.start()
                status, out, err = self.finish()
                self.assertEqual((status, out), (1, ""))
                self.assertEqual(err.count("\n"), 1, err)
                self.assertIn("port %d (%s) is in use" % (self.ports[index], name), err)
                self.assertEqual(self.log(), [])

    def test_a_port_that_is_none_is_one_line(self):
        self.start("--http_listen=nonsense")
        status, _, err = self.finish()
        self.assertEqual((status, err.count("\n")), (1, 1))
        self.assertIn("not 'nonsense'", err)


if __name__ == "__main__":
    junit.main()
