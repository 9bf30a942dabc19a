"""Two servers on one PostgreSQL database: what is asked of one about a call of the other, and what becomes of the calls of one that dies."""

import json
import os
import re
import signal
import subprocess
import tempfile
import unittest

from tests.house import junit
from tests.operator import world
from tests.operator.postgres import Postgres, programs
from tests.operator.world import KEYS, SERVICE, request, until


def certificates(folder):
    """An authority and a certificate for all nodes, with a name that is nobody's address; -> the flags."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True)
    key = ["-newkey", "rsa:2048", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=nodes")
    openssl("req", *key, "-keyout", "node.key", "-out", "node.csr", "-subj", "/CN=node")
    openssl("x509", "-req", "-in", "node.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-out", "node.pem")
    return ["--node_tls_cert=%s/node.pem" % folder, "--node_tls_key=%s/node.key" % folder, "--node_tls_ca=%s/ca.pem" % folder]


@unittest.skipUnless(world.CLIENT, world.NEEDS_CLIENT)
@unittest.skipUnless(programs(), "needs the programs of the PostgreSQL server (Debian: postgresql)")
class SteeringTest(unittest.TestCase):
    def setUp(self):
        self.postgres = Postgres()
        self.addCleanup(self.postgres.close)
        self.folder = tempfile.mkdtemp(prefix="nodes-", dir=os.environ.get("TEST_TMPDIR"))
        self.tls = certificates(self.folder)
        node = world.free_ports(1)[0]
        self.first = world.World(*self.flags("first"), "--node_listen=127.0.0.1:%d" % node)
        self.addCleanup(self.first.close)
        self.node_port = node
        self.second = self.start_second()

    def flags(self, name):
        return ["--database_url=" + self.postgres.url, "--spool_dir=" + os.path.join(self.folder, name)] + self.tls

    def start_second(self):
        """The other server, as a caller of RPCs."""
        http, self.grpc, self.admin, node = world.free_ports(4)
        flags = [flag for flag in self.first.server_flags() if not re.match("--(http|grpc|admin|node)_listen|--spool_dir", flag)]
        program = self.first.run("src/app/callbridge", *flags, "--http_listen=127.0.0.1:%d" % http, "--grpc_listen=127.0.0.1:%d" % self.grpc,
                                 "--admin_listen=127.0.0.1:%d" % self.admin, "--node_listen=127.0.0.1:%d" % node,
                                 "--spool_dir=" + os.path.join(self.folder, "second"), **KEYS)
        until("ready: ", lambda: not program.running() or "callbridge is ready" in program.text())
        self.assertTrue(program.running(), program.text())
        return program

    def ask_second(self, method, **fields):
        status, out, err = world.output(world.CLIENT.call("127.0.0.1:%d" % self.grpc, SERVICE + method, fields))
        return (world.CLIENT.message(json.loads(out)), None) if status == 0 else (None, world.CLIENT.failure(err))

    def watch_second(self):
        program = world.Program(world.CLIENT.call("127.0.0.1:%d" % self.grpc, SERVICE + "CallEvents", {}), world.environment(), self.folder)
        self.addCleanup(program.kill)
        return world.Stream(program).wait_live()

    def metric(self, port, name):
        text = request(port, "GET", "/metrics").body
        found = re.search("^%s ([0-9.e+-]+)$" % re.escape(name), text if isinstance(text, str) else text.decode(), re.M)
        self.assertTrue(found, name)
        return float(found.group(1))

    def row(self, name):
        return self.postgres.rows("SELECT * FROM call_logs WHERE id = '%s'" % name.split("/")[-1])[0]

    def test_any_node_takes_a_request_and_closes_what_a_dead_one_left(self):
        until("they know each other", lambda: self.metric(self.first.admin, 'callbridge_nodes{state="up"}') == 2
              and self.metric(self.admin, 'callbridge_nodes{state="up"}') == 2)

        # Steered, and watched, from the node that does not have it.
        watching = self.watch_second()
        name, _ = self.first.talking("+14155550123")
        answer, failure = self.ask_second("EndCall", call=name, reason="asked elsewhere")
        self.assertIsNone(failure, failure and failure.text)
        self.assertEqual(answer, {})
        until("its end", lambda: self.row(name)["state"] == "completed")
        self.assertEqual(self.row(name)["end_reason"], "api_ended")
        self.assertEqual(self.metric(self.admin, 'callbridge_forwarded_rpcs_total{outcome="answered"}'), 1)
        watching.wait_for("call_ended")
        self.assertEqual([int(event["sequence"]) for event in watching.events()], list(range(1, len(watching.events()) + 1)))
        # It is over: any node knows.
        self.assertEqual(self.ask_second("EndCall", call=name), ({}, None))
        _, failure = self.ask_second("TransferCall", call=name, destination="nowhere")
        self.assertEqual(failure.code, "InvalidArgument", failure.text)

        # The owner dies. Until that is certain nobody can say more than that it does not answer.
        name, _ = self.first.talking("+14155550124")
        self.first.server.signal(signal.SIGKILL)
        self.first.server.wait()
        _, failure = self.ask_second("EndCall", call=name)
        self.assertEqual((failure.code, failure.reason), ("Unavailable", "OWNER_UNREACHABLE"), failure.text)
        self.assertEqual(self.row(name)["state"] in ("completed", "failed"), False)
        until("the reaper", lambda: self.row(name)["end_reason"] == "process_lost", 60)
        until("the carrier has hung up", lambda: self.first.at_carrier()["over"])
        self.assertEqual(self.ask_second("EndCall", call=name), ({}, None))
        self.assertEqual(self.metric(self.admin, "callbridge_calls_reaped_total"), 1)
        self.assertEqual(self.metric(self.admin, 'callbridge_nodes{state="up"}'), 1)

        # Told to stop, a node leaves.
        self.second.signal(signal.SIGTERM)
        self.assertEqual(self.second.wait(), 0, self.second.text())
        self.assertEqual(self.postgres.rows("SELECT 1 FROM nodes WHERE state <> 'gone'"), [])


if __name__ == "__main__":
    junit.main()
