"""What is in the log of a call, and what never is."""

import json
import re
import unittest

from tests.house import junit
from tests.operator import world
from tests.operator.world import until

# Somebody who asks for a human, by the model's tool, and is not put through; so that every kind of line is there.
CALLER = """
call: inbound
from: 14155550121
to: 14155550100
summary: A secret summary.

[person]
wait assistant done 200ms
say vm-youhave
wait assistant speaking 500ms
say vm-reachoper
wait returned
wait assistant done 200ms
hang up

[humans]
14155550142: busy after 200ms

[model]
reply: say dir-welcome
reply: say vm-intro
reply: say one-moment-please ; call transfer_call {"destination":"sales","reason":"confidential reason"}
reply when tool-failed: say vm-nobodyavail
"""
BRIEF = """
call: inbound
from: 14155550121
to: 14155550100
summary: A secret summary.

[person]
wait assistant done 200ms
hang up

[model]
reply: say dir-welcome
"""
SAID = ("Welcome to the directory", "You have", "Please leave", "One moment", "Nobody is available", "secret summary")
NUMBERS = ("4155550121", "4155550100", "4155550142")


class LogsTest(unittest.TestCase):
    def call(self, *flags, caller=CALLER):
        """One call on a server with these flags; -> (the world, id of the call), over and stopped."""
        made = world.World(*flags)
        self.addCleanup(made.close)
        call_uuid = made.call_in(caller)
        row = until("summary", lambda: made.rows("SELECT * FROM call_logs WHERE summary <> ''"))[0]
        at_carrier = until("end", lambda: (lambda c: c if c["over"] else None)(made.at_carrier(call_uuid)))
        self.assertEqual((at_carrier["failed_steps"], made.violations()), ([], []))
        # Somebody who is refused leaves a line, too.
        self.assertEqual(world.request(made.http, "POST", "/answer", "CallUUID=x&From=14155550121",
                                       {"Content-Type": "application/x-www-form-urlencoded"}).status, 403)
        self.assertEqual(made.stop(), 0, made.server.text())
        return made, row

    def check_secrets(self, text):
        for secret in NUMBERS + tuple(world.KEYS.values()) + ("token=", "/transfer/"):
            self.assertNotIn(secret, text)
        # Nothing that looks like one of our tokens: they are 32 characters or longer without a dash in the right place.
        for word in re.findall(r"[A-Za-z0-9_-]{32,}", text):
            self.assertRegex(word, r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")

    def test_lines_for_people(self):
        made, row = self.call()
        text = made.server.text()
        self.check_secrets(text)
        for said in SAID + ("confidential reason",):
            self.assertNotIn(said, text)
        self.assertIn("+1********21", text)
        lines = made.server.lines
        for line in lines:
            self.assertRegex(line, r"^\d\d:\d\d:\d\d\.\d{3} (🚀|📞|🎤|🔊|✋|🔁|💾|⚠️|🏁) ")
        of_call = [line for line in lines if "[%s]" % row["id"] in line]
        self.assertEqual([line for line in lines if line not in of_call and not re.search("ready|listens|draining|stopped|webhook refused", line)],
                         [], "every line about the call carries its id")
        for emoji, words in (("📞", "inbound call"), ("📞", "audio stream connected"), ("🔊", "assistant greets"), ("🎤", "caller speaks"),
                             ("✋", "caller interrupts"), ("🔁", "transfer failed"), ("🔁", "caller is back"), ("🏁", "call ended"),
                             ("🏁", "summary ready")):
            self.assertTrue([line for line in of_call if emoji in line and words in line], "%s %s in:\n%s" % (emoji, words, text))

    def test_lines_for_machines(self):
        made, row = self.call("--log_format=json")
        self.check_secrets(made.server.text())
        for said in SAID:
            self.assertNotIn(said, made.server.text())
        lines = [json.loads(line) for line in made.server.lines]
        for line in lines:
            self.assertRegex(line["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
            self.assertIn(line["kind"], ("start", "call", "caller", "assistant", "barge_in", "transfer", "database", "trouble", "end"))
            self.assertTrue(line["msg"])
        self.assertEqual({line["call_id"] for line in lines if "call_id" in line}, {row["id"]})
        ended = [line for line in lines if line["msg"] == "call ended"]
        self.assertEqual([line["reason"] for line in ended], ["normal_hangup"])

    def test_what_was_said_is_there_only_when_it_is_asked_for(self):
        made, _ = self.call("--log_transcripts", "--log_format=json", caller=BRIEF)
        self.check_secrets(made.server.text())
        said = [line.get("text", "") for line in map(json.loads, made.server.lines)]
        self.assertIn("Welcome to the directory.", said)


if __name__ == "__main__":
    junit.main()
