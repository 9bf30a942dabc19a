"""What the operator tests start and talk to: the real callbridge, the simulated world, real grpcurl (or `buf curl` where there is none).

A World is a temporary folder, a simulated carrier and model, and a server, all on free loopback ports. Tests wait for conditions with
`until`, never for a fixed time.
"""

import base64
import collections
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

SERVICE = "callbridge.v1.CallService/"
TOKEN = "b3BlcmF0b3ItdGVzdC1hdXRoLXRva2Vu"
KEYS = {"OPENAI_API_KEY": "sk-operator-test", "PLIVO_AUTH_ID": "MAOPERATORTEST000000", "PLIVO_AUTH_TOKEN": TOKEN}
CONFIG = """
agents {
  key: "desk"
  instructions: "You answer the phone of Example Bell."
  greeting_prompt: "Greet the caller."
  caller_id: "+14155550100"
  after_call { summary: SESSION }
}
agents { key: "nameless" instructions: "You have no number." }
inbound_numbers { number: "+14155550100" agent: "desk" }
destinations { key: "sales" number: "+14155550142" description: "Buying." }
destinations { key: "support" number: "+14155550143" description: "Faults." }
allowed_prefixes: "+1415555"
transfer_prefixes: "+1415555014"
"""
# Somebody who would talk for a minute; tests end the call before. Sales picks up, support is busy.
TALKER = """
call: outbound
to: %s
pickup: answer after 200ms

[person]
wait assistant done 200ms
repeat 12
say vm-youhave
wait assistant done 300ms
end

[humans]
14155550142: answer after 300ms, talk 1s
14155550143: busy after 300ms

[model]
reply: say dir-welcome
reply: say vm-login
reply: say vm-login
reply: say vm-login
reply: say vm-login
"""
BUSY = "call: outbound\nto: %s\npickup: busy after 100ms\n\n[person]\nhang up\n"
DEADLINE = 40

Answer = collections.namedtuple("Answer", "status headers body")


def grpcurl_program():
    """Its path, or None: `./dev test` passes what it has."""
    return os.environ.get("CALLBRIDGE_GRPCURL") or shutil.which("grpcurl")


def free_ports(count):
    """Below those that the system gives to clients: another test's connection must not take one in the meantime."""
    ports = []
    while len(ports) < count:
        port = random.randrange(20000, 32000)
        with socket.socket() as each:
            try:
                each.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


def until(what, look, within=DEADLINE):
    """Returns the first true value of look()."""
    deadline = time.monotonic() + within
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("not within %s s: %s (last: %r)" % (within, what, value))
        time.sleep(0.02)


def environment(**more):
    """Nothing of the machine's own settings and keys may leak into a test."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CALLBRIDGE_") and k not in KEYS}
    return dict(kept, **more)


def request(port, method, target, body=None, headers=None, raw=None):
    """One HTTP request; `raw` is sent as it is instead."""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        if raw is None:
            data = (body or "").encode()
            lines = ["%s %s HTTP/1.1" % (method, target), "Host: 127.0.0.1:%d" % port]
            if body is not None:
                lines.append("Content-Length: %d" % len(data))
            lines += ["%s: %s" % each for each in (headers or {}).items()]
            raw = "\r\n".join(lines + ["", ""]).encode() + data
        try:
            connection.sendall(raw)
        except BrokenPipeError:
            pass  # Refused before all was sent; the answer is there all the same.
        response = http.client.HTTPResponse(connection, method=method or "POST")
        response.begin()
        text = b"" if response.status == 101 else response.read()
        return Answer(response.status, dict(response.getheaders()), text.decode())


def signed(url, form=None, token=TOKEN, nonce="12345678901234567890"):
    """The carrier's headers for a GET of `url`, or a POST of the dictionary `form`."""
    base, _, query = url.partition("?")
    pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
    text = "&".join("%s=%s" % pair for pair in pairs)
    if form:
        base += "?"
        text += "." if text else ""
        text += "".join(k + v for k, v in sorted(form.items()))
    elif text:
        base += "?"
    digest = hmac.new(token.encode(), ("%s%s.%s" % (base, text, nonce)).encode(), hashlib.sha256).digest()
    return {"X-Plivo-Signature-V3": base64.b64encode(digest).decode(), "X-Plivo-Signature-V3-Nonce": nonce}


def output(command):
    """-> (exit status, stdout, stderr)."""
    done = subprocess.run(command, capture_output=True, timeout=DEADLINE, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Program:
    """A process whose lines of output are collected while it runs. It ends with the test."""

    def __init__(self, command, env, cwd, separate=True):
        self.lines = []  # stderr, and stdout too unless `separate`.
        self.process = subprocess.Popen(
            command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if separate else subprocess.STDOUT, start_new_session=True)
        self.out = []
        self.readers = [self._collect(self.process.stderr, self.lines), self._collect(self.process.stdout, self.out)] if separate else [
            self._collect(self.process.stdout, self.lines)]

    @staticmethod
    def _collect(stream, lines):
        def read():
            with stream:
                for line in stream:
                    lines.append(line.decode("utf-8", "replace").rstrip("\n"))
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        return reader

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, within=DEADLINE):
        """-> exit status, with all of its output read."""
        status = self.process.wait(timeout=within)
        for reader in self.readers:
            reader.join(timeout=5)
        return status

    def text(self):
        return "\n".join(self.lines)

    def kill(self):
        if self.running():
            self.process.kill()
        self.wait()


class Stream:
    """CallEvents, or another stream, as the client prints it, message by message."""

    def __init__(self, program):
        self.program = program

    def messages(self):
        decoder, text, found, at = json.JSONDecoder(), "\n".join(list(self.program.out)), [], 0
        while True:
            at = text.find("{", at)
            if at < 0:
                return found
            try:
                message, at = decoder.raw_decode(text, at)
            except ValueError:  # Its end is still to come.
                return found
            found.append(CLIENT.message(message))

    def events(self):
        return [each["event"] for each in self.messages() if "event" in each]

    def wait_for(self, type_, within=DEADLINE):
        """The first event of that type."""
        return until("event %s in %s" % (type_, [e["type"] for e in self.events()]),
                     lambda: next((e for e in self.events() if e["type"] == type_), None), within)

    def wait_live(self):
        until("caught_up: %s" % self.program.lines, lambda: any("caught_up" in each for each in self.messages()))
        return self


class Failure:
    """An error as the client prints it. details: [{"@type": ..., its fields}]"""

    def __init__(self, text, code, message, details):
        self.text, self.code, self.message, self.details = text, code, message, details

    def _detail(self, type_):
        return next((d for d in self.details if d["@type"].endswith("google.rpc." + type_)), {})

    @property
    def reason(self):
        return self._detail("ErrorInfo").get("reason", "")

    @property
    def domain(self):
        return self._detail("ErrorInfo").get("domain", "")

    @property
    def metadata(self):
        return self._detail("ErrorInfo").get("metadata", {})

    @property
    def fields(self):
        return [v["field"] for v in self._detail("BadRequest").get("field_violations", [])]


class Grpcurl:
    """Real grpcurl."""

    def __init__(self, program):
        self.program = program

    def call(self, address, method, fields, headers=()):
        words = [self.program, "-plaintext"]
        for header in headers:
            words += ["-H", header]
        return words + ["-d", json.dumps(fields), address, method]

    def list(self, address):
        return [self.program, "-plaintext", address, "list"]

    def describe(self, address, symbol):
        return [self.program, "-plaintext", address, "describe", symbol]

    @staticmethod
    def mask(*paths):
        """A field mask as this client takes it."""
        return {"paths": list(paths)}

    @staticmethod
    def message(message):
        return message

    @staticmethod
    def failure(text):
        code = re.search(r"Code: (\w+)", text)
        message = re.search(r"Message: (.*)", text)
        details = [json.loads(found) for found in re.findall(r"^  \d+\)\t(\{.*?^    \t\})", text, re.MULTILINE | re.DOTALL)]
        return Failure(text, code.group(1) if code else "", message.group(1) if message else "", details)


def wire(data):
    """-> [(number, bytes)] of a protobuf message that has only texts and messages in it."""
    found, at = [], 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        number, size = varint() >> 3, varint()
        found.append((number, data[at:at + size]))
        at += size
    return found


class BufCurl:
    """`buf curl`, where grpcurl cannot be had. It writes fields in camelCase and details of errors in binary."""

    def __init__(self, program):
        self.program = program

    def call(self, address, method, fields, headers=()):
        words = [self.program, "curl", "--http2-prior-knowledge", "--protocol", "grpc"]
        for header in headers:
            words += ["-H", header]
        return words + ["-d", json.dumps(fields), "http://%s/%s" % (address, method)]

    def list(self, address):
        return [self.program, "curl", "--http2-prior-knowledge", "--protocol", "grpc", "--list-services", "http://" + address]

    @staticmethod
    def describe(_address, _symbol):
        raise unittest.SkipTest("buf curl describes nothing")

    @staticmethod
    def mask(*paths):
        return ",".join(paths)

    @classmethod
    def message(cls, message):
        if isinstance(message, list):
            return [cls.message(each) for each in message]
        if not isinstance(message, dict):
            return message
        return {re.sub("[A-Z]", lambda c: "_" + c.group().lower(), key): value if key in ("metadata", "labels") else cls.message(value)
                for key, value in message.items()}

    @staticmethod
    def failure(text):
        error = json.loads(text[text.index("{"):]) if "{" in text else {}
        details = []
        for each in error.get("details", []):
            fields = wire(base64.b64decode(each["value"] + "=="))
            detail = {"@type": each["type"]}
            if each["type"].endswith("ErrorInfo"):
                detail.update(reason=dict(fields)[1].decode(), domain=dict(fields)[2].decode(), metadata={})
                for entry in [dict(wire(value)) for number, value in fields if number == 3]:
                    detail["metadata"][entry[1].decode()] = entry.get(2, b"").decode()
            elif each["type"].endswith("BadRequest"):
                detail["field_violations"] = [{"field": dict(wire(value))[1].decode()} for _, value in fields]
            details.append(detail)
        return Failure(text, error.get("code", "").title().replace("_", ""), error.get("message", ""), details)


def _client():
    if grpcurl_program():
        return Grpcurl(grpcurl_program())
    return BufCurl(os.environ["CALLBRIDGE_BUF"]) if os.environ.get("CALLBRIDGE_BUF") else None


CLIENT = _client()
NEEDS_CLIENT = "there is neither grpcurl (nor Go to build it) nor buf"


class World:
    """A server beside a simulated world. `flags` go to the server. Call close()."""

    def __init__(self, *flags, config=CONFIG):
        self.folder = tempfile.mkdtemp(prefix="callbridge-", dir=os.environ.get("TEST_TMPDIR"))
        self.flags = list(flags)
        self.programs = []
        self.server = None
        self.config = os.path.join(self.folder, "config.textproto")
        self.database = os.path.join(self.folder, "calls.db")
        with open(self.config, "w", encoding="utf-8") as out:
            out.write(config)
        try:
            self._start_both()
        except BaseException:
            self.close()
            raise

    def _start_both(self):
        for attempt in range(3):
            self.http, self.grpc, self.admin, self.carrier, self.model = free_ports(5)
            self.url = "http://127.0.0.1:%d" % self.http
            self.sim = self.run("src/sim/callbridge_sim", "--carrier_listen=127.0.0.1:%d" % self.carrier,
                                "--model_listen=127.0.0.1:%d" % self.model, "--server_url=" + self.url,
                                "--auth_id=" + KEYS["PLIVO_AUTH_ID"], "--auth_token=" + TOKEN, "--api_key=" + KEYS["OPENAI_API_KEY"],
                                separate=False)
            ready = until("simulated world", lambda: not self.sim.running() or "is ready" in self.sim.text())
            if self.sim.running() and ready and self.start():
                return
            # Somebody took a port between our look and now.
            if attempt == 2 or "in use" not in self.sim.text() + self.server_text():
                raise AssertionError("did not start: " + self.sim.text() + self.server_text())
            self.sim.kill()

    def server_text(self):
        return self.server.text() if self.server else ""

    def start(self):
        """Starts the server (again); whether it is ready."""
        self.server = self.run("src/app/callbridge", *self.server_flags(), **KEYS)
        until("ready: " + self.server.text(), lambda: not self.server.running() or "callbridge is ready" in self.server.text())
        return self.server.running()

    def server_flags(self):
        return ["--http_listen=127.0.0.1:%d" % self.http, "--grpc_listen=127.0.0.1:%d" % self.grpc,
                "--admin_listen=127.0.0.1:%d" % self.admin, "--public_url=" + self.url,
                "--openai_url=ws://127.0.0.1:%d/v1/realtime" % self.model, "--plivo_api_url=http://127.0.0.1:%d" % self.carrier,
                "--database_url=sqlite:" + self.database, "--config=" + self.config, "--media_threads=2"] + self.flags

    def run(self, program, *flags, separate=True, **env):
        started = Program([os.path.abspath(program)] + list(flags), environment(**env), self.folder, separate)
        self.programs.append(started)
        return started

    def close(self):
        for program in reversed(self.programs):
            program.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- gRPC ----

    @property
    def address(self):
        return "127.0.0.1:%d" % self.grpc

    def ask(self, method, fields, headers=()):
        """-> (the answer, None) or (None, its Failure). `method` with its service."""
        status, out, err = output(CLIENT.call(self.address, method, fields, headers))
        return (CLIENT.message(json.loads(out)), None) if status == 0 else (None, CLIENT.failure(err))

    def rpc(self, method, **fields):
        """The answer of a method that must succeed."""
        answer, failure = self.ask(SERVICE + method, fields)
        if failure:
            raise AssertionError("%s %s: %s" % (method, fields, failure.text))
        return answer

    def failing(self, method, **fields):
        """How a method that must fail does."""
        answer, failure = self.ask(SERVICE + method, fields)
        if not failure:
            raise AssertionError("%s %s succeeded: %s" % (method, fields, answer))
        return failure

    def events(self, **fields):
        return self.stream("CallEvents", **fields)

    def stream(self, method, **fields):
        program = Program(CLIENT.call(self.address, SERVICE + method, fields), environment(), self.folder)
        self.programs.append(program)
        return Stream(program)

    # ---- Calls ----

    def phone(self, text):
        """Gives a phone number to somebody, by a scenario."""
        answer = request(self.carrier, "POST", "/sim/phones", json.dumps({"text": text}))
        if answer.status != 201:
            raise AssertionError(answer.body)

    def dial(self, to, **more):
        """-> name of the call."""
        return self.rpc("StartCall", call=dict({"to": to}, **more))["call"]["name"]

    def call_in(self, text):
        """Somebody calls us; -> the carrier's id."""
        answer = request(self.carrier, "POST", "/sim/calls", json.dumps({"text": text}))
        if answer.status != 201:
            raise AssertionError(answer.body)
        return json.loads(answer.body)["call_uuid"]

    def talking(self, to):
        """Dials somebody who talks and waits until they do; -> (name of the call, its events)."""
        self.phone(TALKER % to.lstrip("+"))
        name = self.dial(to)
        stream = self.events(call=name, from_beginning=True)
        stream.wait_for("caller_speech_started")
        return name, stream

    def at_carrier(self, call_uuid=""):
        """What the carrier saw of a call, or of its only one."""
        calls = json.loads(request(self.carrier, "GET", "/sim/calls").body)["calls"]
        if call_uuid:
            calls = [each for each in calls if each["call_uuid"] == call_uuid]
        return json.loads(request(self.carrier, "GET", "/sim/calls/" + calls[-1]["call_uuid"]).body)

    def model_sessions(self):
        return json.loads(request(self.carrier, "GET", "/sim/model/sessions").body)["sessions"]

    def violations(self):
        """What the server did that a correct one never does."""
        return json.loads(request(self.carrier, "GET", "/sim/violations").body)["violations"]

    def rows(self, sql, *values):
        with sqlite3.connect("file:%s?mode=ro" % self.database, uri=True) as database:
            database.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in database.execute(sql, values)]
            finally:
                database.commit()

    def row(self, name):
        """The row of a call."""
        return self.rows("SELECT * FROM call_logs WHERE id = ?", name.split("/")[-1])[0]

    def stop(self, number=signal.SIGINT, within=DEADLINE):
        self.server.signal(number)
        return self.server.wait(within)
