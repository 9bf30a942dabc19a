"""Several callbridge servers ("nodes") on one PostgreSQL behind nginx, and the simulated world, which reaches them through nginx only.

Where the machine allows it (root, `ip netns`) each node is in a network namespace with three cables: to the proxy and the world outside, to the
other nodes, and to the database. A cable can be pulled. Else all is on loopback, and there are no cables.
"""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from tests.operator import postgres, world
from tests.operator.world import Program, Stream, environment, free_ports, output, request, until

CABLES = ("front", "mesh", "base")  # The third byte of their addresses is 1, 2, 3.
HUB = "254"
HOME = "CALLBRIDGE_NODES_HUB"  # Names the namespace that this process is in.


def ip(*words, check=True):
    return subprocess.run(("ip",) + words, capture_output=True, text=True, check=check)


def enter_hub():
    """Starts this program again in a network namespace of its own, where it may. Call it first."""
    if HOME in os.environ or os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("nsenter"):
        return
    for name in ip("netns", "list", check=False).stdout.split():
        left = re.fullmatch(r"cbt(\d+)-\w+", name)
        if left and not os.path.exists("/proc/" + left.group(1)):
            ip("netns", "del", name, check=False)
    hub = "cbt%d-hub" % os.getpid()
    if ip("netns", "add", hub, check=False).returncode != 0:
        return
    os.environ[HOME] = hub
    os.execvp("nsenter", ["nsenter", "--net=/run/netns/" + hub, sys.executable] + sys.argv)


def leave_hub():
    if HOME in os.environ:
        ip("netns", "del", os.environ[HOME], check=False)


def has_cables():
    return HOME in os.environ


class Node:
    """One server. It keeps its address and its spool when it is started again."""

    def __init__(self, nodes, number):
        self.nodes, self.number = nodes, number
        self.spool = os.path.join(nodes.folder, "spool%d" % number)
        self.program = None
        self.namespace = ""
        if has_cables():
            self.namespace = "%s-n%d" % (os.environ[HOME].split("-")[0], number)
            self._wire()
            self.http, self.grpc, self.admin, self.node = 8080, 50051, 9464, 50052
            self.front, self.mesh = self.at("front"), self.at("mesh")
        else:
            self.http, self.grpc, self.admin, self.node = free_ports(4)
            self.front = self.mesh = "127.0.0.1"

    def at(self, cable):
        return "10.231.%d.%d" % (CABLES.index(cable) + 1, self.number)

    def _wire(self):
        ip("netns", "add", self.namespace)
        ip("-n", self.namespace, "link", "set", "lo", "up")
        for cable in CABLES:
            end = cable + str(self.number)
            ip("link", "add", end, "type", "veth", "peer", "name", cable, "netns", self.namespace)
            ip("link", "set", end, "master", "br-" + cable, "up")
            ip("-n", self.namespace, "addr", "add", self.at(cable) + "/24", "dev", cable)
            ip("-n", self.namespace, "link", "set", cable, "up")

    def pull(self, cable):
        """What is sent through it is lost from now on, without a word."""
        ip("link", "set", cable + str(self.number), "nomaster")

    def plug(self, cable):
        ip("link", "set", cable + str(self.number), "master", "br-" + cable)

    def inside(self, command):
        return ["ip", "netns", "exec", self.namespace] + command if self.namespace else command

    def start(self):
        command = [os.path.abspath("src/app/callbridge"), "--http_listen=%s:%d" % ("0.0.0.0" if self.namespace else self.front, self.http),
                   "--grpc_listen=127.0.0.1:%d" % self.grpc, "--admin_listen=127.0.0.1:%d" % self.admin,
                   "--node_listen=%s:%d" % (self.mesh, self.node), "--node_tls_cert=" + self.nodes.file("node.pem"),
                   "--node_tls_key=" + self.nodes.file("node.key"), "--node_tls_ca=" + self.nodes.file("ca.pem"),
                   "--public_url=" + self.nodes.url, "--openai_url=ws://%s:%d/v1/realtime" % (self.nodes.hub, self.nodes.model),
                   "--plivo_api_url=http://%s:%d" % (self.nodes.hub, self.nodes.carrier), "--database_url=" + self.nodes.database_url,
                   "--config=" + self.nodes.file("config.textproto"), "--spool_dir=" + self.spool, "--media_threads=2",
                   "--drain_timeout=90s"]
        self.program = Program(self.inside(command), environment(**world.KEYS), self.nodes.folder)
        self.nodes.programs.append(self.program)
        return self

    def wait_ready(self):
        program = self.program
        until("ready: " + program.text(), lambda: not program.running() or "callbridge is ready" in program.text())
        if not program.running():
            raise AssertionError("node %d did not start: %s" % (self.number, program.text()))
        return self

    @property
    def id(self):
        return re.search(r"one of several nodes.*?node=([\w-]+)", self.program.text()).group(1)

    def signal(self, number):
        self.program.signal(number)

    # ---- gRPC, at this node's own port ----

    def ask(self, method, **fields):
        """-> (the answer, None) or (None, its Failure). A method without a service is CallService's."""
        full = method if "/" in method else world.SERVICE + method
        status, out, err = output(self.inside(world.CLIENT.call("127.0.0.1:%d" % self.grpc, full, fields)))
        return (world.CLIENT.message(json.loads(out)), None) if status == 0 else (None, world.CLIENT.failure(err))

    def rpc(self, method, **fields):
        answer, failure = self.ask(method, **fields)
        if failure:
            troubles = [line for line in self.program.text().splitlines() if "⚠" in line]
            raise AssertionError("%s %s: %s\n%s" % (method, fields, failure.text, "\n".join(troubles[-10:])))
        return answer

    def stream(self, method, **fields):
        """-> the client that prints it."""
        command = world.CLIENT.call("127.0.0.1:%d" % self.grpc, world.SERVICE + method, fields)
        program = Program(self.inside(command), environment(), self.nodes.folder)
        self.nodes.programs.append(program)
        return program

    def events(self, **fields):
        return Stream(self.stream("CallEvents", **fields))


class Nodes:
    """The whole: call close()."""

    def __init__(self, count=3):
        self.folder = tempfile.mkdtemp(prefix="callbridge-", dir=os.environ.get("TEST_TMPDIR"))
        self.programs, self.nodes, self.database, self.nginx = [], [], None, None
        try:
            self._start(count)
        except BaseException:
            self.close()
            raise

    def file(self, name):
        return os.path.join(self.folder, name)

    def _start(self, count):
        with open(self.file("config.textproto"), "w", encoding="utf-8") as out:
            out.write(world.CONFIG)
        self.hub, base = "127.0.0.1", ""
        if has_cables():
            self._bridges()
            self.hub, base = "10.231.1." + HUB, "10.231.3." + HUB
        self.carrier, self.model, self.proxy = free_ports(3)
        self.url = "http://127.0.0.1:%d" % self.proxy
        self.issue_certificates()
        self.database = postgres.Postgres(base, "10.231.3.0/24" if base else "")
        self.database_url = "postgresql://callbridge@%s:5432/postgres" % base if base else self.database.url
        self.nodes = [Node(self, number + 1) for number in range(count)]
        listen = "0.0.0.0" if has_cables() else "127.0.0.1"
        self.sim = Program([os.path.abspath("src/sim/callbridge_sim"), "--carrier_listen=%s:%d" % (listen, self.carrier),
                            "--model_listen=%s:%d" % (listen, self.model), "--server_url=" + self.url, "--auth_id=" + world.KEYS["PLIVO_AUTH_ID"],
                            "--auth_token=" + world.TOKEN, "--api_key=" + world.KEYS["OPENAI_API_KEY"], "--dials_per_second=50"],
                           environment(), self.folder, separate=False)
        self.programs.append(self.sim)
        until("simulated world", lambda: not self.sim.running() or "is ready" in self.sim.text())
        if not self.sim.running():
            raise AssertionError(self.sim.text())
        self.nodes[0].start().wait_ready()  # The first makes the tables.
        for node in self.nodes[1:]:
            node.start()
        for node in self.nodes[1:]:
            node.wait_ready()
        self._start_proxy()

    @staticmethod
    def _bridges():
        ip("link", "set", "lo", "up")
        for number, cable in enumerate(CABLES, 1):
            ip("link", "add", "br-" + cable, "type", "bridge")
            ip("link", "set", "br-" + cable, "up")
            if cable != "mesh":
                ip("addr", "add", "10.231.%d.%s/24" % (number, HUB), "dev", "br-" + cable)

    def issue_certificates(self):
        """A new authority of the nodes, and one certificate of it that they share, in place of any that were there."""
        def openssl(*words):
            subprocess.run(("openssl",) + words, capture_output=True, check=True, cwd=self.folder)
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=nodes")
        openssl("req", *curve, "-keyout", "node.key", "-out", "node.csr", "-subj", "/CN=node")
        openssl("x509", "-req", "-in", "node.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "node.pem", "-days", "2")

    def _start_proxy(self):
        """nginx with the carrier's half of the example, without its TLS."""
        with open("deploy/nginx.conf", encoding="utf-8") as file:
            text = file.read()
        text = text[:text.rindex("server {")]
        servers = "".join("  server %s:%d max_fails=0;\n" % (node.front, node.http) for node in self.nodes)
        text = text.replace("  server 127.0.0.1:8080 max_fails=0;\n", servers)
        text = text.replace("listen 443 ssl;", "listen 127.0.0.1:%d;" % self.proxy)
        text = re.sub(r"\n  ssl_[^;]*;", "", text).replace("/etc/nginx/", self.folder + "/")
        with open(self.file("nginx.conf"), "w", encoding="utf-8") as out:
            out.write("daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\n"
                      "log_format nodes '$request_method $request_uri $status $upstream_addr $upstream_status $request_time';\naccess_log access.log nodes;\n"
                      + "".join("%s_temp_path %s;\n" % (each, each) for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                      + text + "}\n")
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        self.nginx = Program([nginx(), "-p", self.folder, "-c", self.file("nginx.conf")] + user, environment(), self.folder, separate=False)
        self.programs.append(self.nginx)

        def answers():
            try:
                return request(self.proxy, "GET", "/").status == 200
            except OSError:
                return False
        until("proxy", lambda: not self.nginx.running() or answers())
        if not self.nginx.running():
            raise AssertionError(self.nginx.text())

    def passed(self, path):
        """-> the nodes' addresses that requests with that beginning were passed to, in order; several where one did not answer."""
        found = []
        with open(self.file("access.log"), encoding="utf-8") as file:
            for line in file:
                words = line.replace(", ", ",").split()
                if words[1].startswith(path):
                    found.append(words[3].split(","))
        return found

    def at_others(self, path):
        """-> how many requests with that beginning, and a call's token, came to a node that does not have the call."""
        homes = {node.id: "%s:%d" % (node.front, node.http) for node in self.nodes}
        found = 0
        with open(self.file("access.log"), encoding="utf-8") as file:
            for line in file:
                words = line.replace(", ", ",").split()
                owner = re.search("[/=]([0-9a-f-]{36})[.]", words[1])
                if words[1].startswith(path) and owner and owner.group(1) in homes:
                    found += words[3].split(",")[-1] != homes[owner.group(1)]
        return found

    def route_streams(self):
        """As an operator would who saves the hop."""
        lines = ["~^%s[.] %s;\n" % (row["id"], row["media_address"].replace("10.231.2.", "10.231.1."))
                 for row in self.database.rows("SELECT id, media_address FROM nodes WHERE state <> 'gone'")]
        with open(self.file("callbridge-nodes.map"), "w", encoding="utf-8") as out:
            out.writelines(lines)
        before = self._workers()
        self.nginx.signal(signal.SIGHUP)
        # Until then streams may still go the old way, and through a node that is about to be harmed.
        until("the proxy has read it", lambda: not before & self._workers())

    def _workers(self):
        """-> the processes of the proxy that take connections."""
        out = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(self.nginx.process.pid)], capture_output=True, text=True, check=False).stdout
        return {line.split()[0] for line in out.splitlines() if "shutting down" not in line}

    def close(self):
        if self.nginx and self.nginx.running():  # Killed, it would leave its workers behind.
            self.nginx.signal(signal.SIGTERM)
            self.nginx.wait()
        for program in reversed(self.programs):
            if program.running():
                program.signal(signal.SIGCONT)
            program.kill()
        if self.database:
            self.database.close()
        for node in self.nodes:
            if node.namespace:
                ip("netns", "del", node.namespace, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- The world outside ----

    def sim_get(self, path):
        return json.loads(request(self.carrier, "GET", path).body)

    def calls_at_carrier(self):
        return {call["call_uuid"]: call for call in self.sim_get("/sim/calls")["calls"]}

    def call_in(self, text):
        answer = request(self.carrier, "POST", "/sim/calls", json.dumps({"text": text}))
        if answer.status != 201:
            raise AssertionError(answer.body)
        return json.loads(answer.body)["call_uuid"]

    def phone(self, text):
        answer = request(self.carrier, "POST", "/sim/phones", json.dumps({"text": text}))
        if answer.status != 201:
            raise AssertionError(answer.body)

    def row(self, carrier_call_id):
        found = self.database.rows("SELECT * FROM call_logs WHERE carrier_call_id = '%s'" % carrier_call_id)
        return found[0] if len(found) == 1 else None


def nginx():
    """Its path, or None."""
    return shutil.which("nginx") or next(iter(glob.glob("/usr/sbin/nginx")), None)
