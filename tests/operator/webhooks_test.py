"""The carrier's side of the server over real HTTP: what is refused, what is answered, what is done only once."""

import base64
import html
import os
import re
import socket
import unittest
import urllib.parse

from tests.house import junit
from tests.operator import world
from tests.operator.world import request, signed, until

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CALLER = {"From": "14155550121", "To": "14155550100", "Direction": "inbound", "CallStatus": "in-progress", "Event": "StartApp"}


class WebhooksTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world.World()
        cls.addClassCleanup(cls.world.close)
        cls.calls = 0

    def tearDown(self):
        self.assertTrue(self.world.server.running(), self.world.server.text())

    def send(self, method, target, body=None, **headers):
        return request(self.world.http, method, target, body, dict(FORM, **headers) if body is not None else headers)

    def post(self, target, form, token=world.TOKEN):
        """As the carrier does."""
        return self.send("POST", target, urllib.parse.urlencode(form), **signed(self.world.url + target, form, token))

    def caller(self, **more):
        """The parameters of a new call that comes in."""
        type(self).calls += 1
        return dict(CALLER, CallUUID="11111111-2222-4333-8444-%012d" % self.calls, **more)

    def count(self):
        return self.world.rows("SELECT count(*) AS n FROM call_logs")[0]["n"]

    def row_of(self, form):
        return until("row of the call", lambda: self.world.rows("SELECT * FROM call_logs WHERE carrier_call_id = ?", form["CallUUID"]))[0]

    def upgrade(self, target, headers=None, version="13"):
        """-> status and body of the answer to a WebSocket upgrade."""
        key = base64.b64encode(os.urandom(16)).decode()
        if headers is None:
            headers = signed(self.world.url + target)
        wanted = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": version}
        return request(self.world.http, "GET", target, None, dict(wanted, **headers))

    def hang_up(self, form):
        over = dict(form, Event="Hangup", CallStatus="completed", HangupCauseCode="4000", HangupCauseName="Normal Hangup",
                    HangupSource="Caller")
        self.assertEqual(self.post("/hangup", over).status, 200)
        until("end", lambda: self.row_of(form)["state"] in ("completed", "failed"))

    def stream_target(self, answer):
        """The path and query of the media stream in an answer."""
        found = re.search(r"<Stream[^>]*>([^<]*)</Stream>", answer.body)
        self.assertTrue(found, answer.body)
        url = urllib.parse.urlsplit(html.unescape(found.group(1)).strip())
        self.assertEqual((url.scheme, url.netloc), ("ws", "127.0.0.1:%d" % self.world.http))
        return url.path + "?" + url.query

    def test_what_nobody_signed_is_refused_and_makes_no_call(self):
        before = self.count()
        form = self.caller()
        body = urllib.parse.urlencode(form)
        right = signed(self.world.url + "/answer", form)
        cases = {
            "no signature": {},
            "a signature of somebody else": signed(self.world.url + "/answer", form, token="another-token"),
            "a signature of other parameters": signed(self.world.url + "/answer", dict(form, From="14155550199")),
            "a signature for another path": signed(self.world.url + "/hangup", form),
            "a signature for another host": signed("http://evil.example.com/answer", form),
            "a signature without its nonce": {"X-Plivo-Signature-V3": right["X-Plivo-Signature-V3"]},
            "another nonce": dict(right, **{"X-Plivo-Signature-V3-Nonce": "1"}),
            "only the scheme before": {"X-Plivo-Signature-V2": "x", "X-Plivo-Signature-V2-Nonce": "1"},
            "garbage": {"X-Plivo-Signature-V3": "%s", "X-Plivo-Signature-V3-Nonce": "%n"},
        }
        for name, headers in cases.items():
            with self.subTest(name):
                self.assertEqual(self.send("POST", "/answer", body, **headers).status, 403)
        for target in ("/hangup", "/ring", "/stream-status", "/amd", "/transfer/x", "/transfer-done/x"):
            with self.subTest(target):
                self.assertEqual(self.send("POST", target, body).status, 403)
        self.assertEqual(self.send("GET", "/answer?" + body).status, 403)
        self.assertEqual(self.count(), before)

    def test_an_answer_is_the_same_when_it_is_asked_again(self):
        form = self.caller()
        first = self.post("/answer", form)
        self.assertEqual((first.status, first.headers["Content-Type"].split(";")[0]), (200, "application/xml"))
        again = self.post("/answer", form)
        self.assertEqual(first.body, again.body)
        self.row_of(form)
        self.assertEqual(self.world.rows("SELECT count(*) AS n FROM call_logs WHERE carrier_call_id = ?", form["CallUUID"])[0]["n"], 1)
        self.hang_up(form)
        self.assertEqual(self.post("/hangup", dict(form, Event="Hangup", CallStatus="completed")).status, 200)
        late = self.post("/answer", form)
        self.assertIn("<Hangup", late.body)
        self.assertEqual(self.world.rows("SELECT count(*) AS n FROM call_logs WHERE carrier_call_id = ?", form["CallUUID"])[0]["n"], 1)

    def test_what_the_carrier_says_late_settles_the_record(self):
        form = self.caller()
        self.post("/answer", form)
        self.hang_up(form)
        before = until("settled", lambda: (lambda row: row if row["settled_at"] else None)(self.row_of(form)))
        self.assertEqual((before["hangup_code"], before["hangup_cause"], before["hangup_source"]), (4000, "Normal Hangup", "Caller"))
        self.assertEqual((before["cost"], before["billed_duration"]), ("", None), "not told yet")
        bill = dict(form, Event="Hangup", CallStatus="completed", HangupCauseCode="4000", Duration="83", BillDuration="120",
                    TotalCost="0.01100")

        def settled():
            return until("cost", lambda: (lambda row: row if row["cost"] else None)(self.row_of(form)))

        # The same notice again and again, also to a server that has never had the call.
        self.assertEqual(self.post("/hangup", bill).status, 200)
        first = settled()
        self.assertEqual((first["cost"], first["billed_duration"], first["carrier_duration"]), ("0.01100", 120, 83))
        self.assertEqual((first["duration"], first["ended_at"], first["event_head"]),
                         (before["duration"], before["ended_at"], before["event_head"]), "ours stay")
        self.world.server.kill()
        self.assertTrue(self.world.start(), self.world.server_text())
        self.assertEqual(self.post("/hangup", bill).status, 200)
        self.assertEqual(self.post("/hangup", dict(bill, TotalCost="0.02200")).status, 200)
        until("correction", lambda: self.row_of(form)["cost"] == "0.02200")
        self.assertEqual(self.post("/hangup", dict(bill, CallUUID="22222222-0000-4333-8444-000000000000")).status, 200)
        self.assertEqual(self.row_of(form)["event_head"], before["event_head"])

    def test_get_works_as_well(self):
        form = self.caller()
        target = "/answer?" + urllib.parse.urlencode(form)
        answer = self.send("GET", target, **signed(self.world.url + target))
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIn("<Stream", answer.body)
        self.hang_up(form)

    def test_an_answer_request_about_a_hangup_makes_no_call(self):
        before = self.count()
        answer = self.post("/answer", dict(self.caller(), Event="Hangup", CallStatus="completed"))
        self.assertEqual(answer.status, 200)
        self.assertNotIn("<Stream", answer.body)
        self.assertEqual(self.count(), before)

    def test_fields_that_are_missing_or_malformed_are_named(self):
        before = self.count()
        for form in (dict(CALLER), dict(CALLER, CallUUID="a b"), dict(CALLER, CallUUID="x" * 65)):
            for target in ("/answer", "/hangup", "/ring"):
                answer = self.post(target, form)
                self.assertEqual(answer.status, 400)
                self.assertIn("CallUUID", answer.body)
        answer = self.send("POST", "/answer", "CallUUID=%zz", **signed(self.world.url + "/answer", {"CallUUID": "%zz"}))
        self.assertEqual(answer.status, 400)
        self.assertEqual(self.count(), before)

    def test_bodies_that_are_no_form(self):
        cases = {
            "JSON": ({"Content-Type": "application/json"}, '{"CallUUID":"x"}', 415),
            "text": ({"Content-Type": "text/plain"}, "CallUUID=x", 415),
            "too large": (FORM, "a=" + "x" * 70000, 413),
        }
        for name, (headers, body, status) in cases.items():
            with self.subTest(name):
                self.assertEqual(request(self.world.http, "POST", "/answer", body, headers).status, status)
        chunked = b"POST /answer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nCall=\r\n0\r\n\r\n"
        self.assertEqual(request(self.world.http, "", "", raw=chunked).status, 411)
        for length in (b"x", b"-1", b"99999999999999999999"):
            with self.subTest(length):
                raw = b"POST /answer HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n"
                self.assertIn(request(self.world.http, "", "", raw=raw).status, (400, 413))
        large = b"POST /answer HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20000 + b"\r\n\r\n"
        self.assertEqual(request(self.world.http, "", "", raw=large).status, 431)

    def test_paths_and_methods(self):
        for method, target, status, allow in (
                ("GET", "/nowhere", 404, None), ("POST", "/answers", 404, None), ("POST", "/transfer/", 404, None),
                ("GET", "/../etc/passwd", 404, None), ("GET", "/metrics", 404, None),
                ("PUT", "/answer", 405, "GET, POST"), ("DELETE", "/answer", 405, "GET, POST"), ("GET", "/hangup", 405, "POST"),
                ("GET", "/ring", 405, "POST"), ("GET", "/stream-status", 405, "POST"), ("GET", "/transfer-done/x", 405, "POST"),
                ("GET", "/media-stream", 426, None), ("GET", "/", 200, None)):
            with self.subTest("%s %s" % (method, target)):
                answer = self.send(method, target)
                self.assertEqual((answer.status, answer.headers.get("Allow")), (status, allow))
                self.assertEqual(answer.headers.get("Connection"), "close")

    def test_tokens_in_paths_that_nobody_was_given(self):
        for target in ("/transfer/nobody", "/transfer-done/nobody?transfer=nothing&target=0", "/whisper/nobody"):
            with self.subTest(target):
                self.assertEqual(self.post(target, self.caller()).status, 404)

    def test_a_media_stream_needs_its_own_token_once(self):
        form = self.caller()
        target = self.stream_target(self.post("/answer", form))
        for name, wrong in {"no token": "/media-stream", "an empty token": "/media-stream?token=",
                            "another token": "/media-stream?token=" + "A" * 43, "a token too long": target + "A"}.items():
            with self.subTest(name):
                self.assertEqual(self.upgrade(wrong).status, 403)
        self.assertEqual(self.upgrade(target, headers={}).status, 403, "not signed")
        self.assertEqual(self.upgrade(target, headers=signed(self.world.url + target, token="other")).status, 403)
        self.assertEqual(self.upgrade(target, version="8").status, 426)
        self.assertEqual(self.upgrade("/elsewhere").status, 404)
        self.assertEqual(self.row_of(form)["state"], "answered", "nobody who was refused changed the call")
        self.assertEqual(self.upgrade(target).status, 101)
        self.assertEqual(self.upgrade(target).status, 403, "a token is good for one stream")
        self.hang_up(form)

    def test_a_stream_that_sends_nonsense_ends_nothing_but_itself(self):
        form = self.caller()
        target = self.stream_target(self.post("/answer", form))
        lines = {"Host": "x", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                 "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        lines.update(signed(self.world.url + target))
        with socket.create_connection(("127.0.0.1", self.world.http), timeout=10) as stream:
            head = "GET %s HTTP/1.1\r\n" % target + "".join("%s: %s\r\n" % each for each in lines.items())
            stream.sendall(head.encode() + b"\r\n")
            self.assertIn(b" 101 ", stream.recv(4096))
            for text in (b"not json", b"{}", b'{"event":"media"}', b'{"event":"media","media":{"payload":"\\"}]}"}}'):
                stream.sendall(bytes([0x81, 0x80 | len(text)]) + b"\0\0\0\0" + text)
            stream.sendall(b"\xff" * 50)  # And no WebSocket frame at all.
            until("the server closes it", lambda: not stream.recv(4096))
        self.assertEqual(self.send("GET", "/").status, 200)
        self.hang_up(form)

    def test_the_operators_port(self):
        at = self.world.admin
        for path, status, says in (("/healthz", 200, "ok"), ("/readyz", 200, "ready"), ("/nowhere", 404, "/metrics"), ("/", 404, "")):
            with self.subTest(path):
                answer = request(at, "GET", path)
                self.assertEqual(answer.status, status)
                self.assertIn(says, answer.body)
        self.assertEqual(request(at, "POST", "/healthz", "").status, 405)
        metrics = request(at, "GET", "/metrics")
        self.assertEqual((metrics.status, metrics.headers["Content-Type"].split(";")[0]), (200, "text/plain"))
        values = dict(line.rsplit(" ", 1) for line in metrics.body.splitlines() if line and line[0] != "#")
        self.assertEqual(values["callbridge_ready"], "1")
        self.assertEqual(values["callbridge_events_lost_total"], "0")
        for line in metrics.body.splitlines():
            self.assertRegex(line, r"^(# (HELP|TYPE) callbridge_\w+ .+|callbridge_\w+(\{.*\})? [0-9.e+-]+)$")

    def test_a_call_shows_in_the_metrics(self):
        form = self.caller()
        self.post("/answer", form)
        live = lambda: re.search(r"^callbridge_calls_active (\d+)", request(self.world.admin, "GET", "/metrics").body, re.M).group(1)
        self.assertNotEqual(live(), "0")
        self.hang_up(form)
        until("no calls", lambda: live() == "0")


if __name__ == "__main__":
    junit.main()
