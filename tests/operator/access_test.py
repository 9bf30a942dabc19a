"""Tokens as an operator makes and changes them: what each may do, and that a server takes another list when it is told to."""

import re
import signal
import unittest

from tests.house import junit
from tests.operator import world
from tests.operator.world import SERVICE, until

LEADS = "callbridge.v1.LeadService/"
NUMBER = "+14155550160"


@unittest.skipUnless(world.CLIENT, world.NEEDS_CLIENT)
class AccessTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tokens, cls.stanzas = {}, {}
        for name, scopes in (("dialler", ["calls.start"]), ("reader", ["calls.read", "leads.read"])):
            printed = cls.make(name, *scopes)
            cls.tokens[name] = re.search(r"cbt_[0-9a-f]{64}", printed).group()
            cls.stanzas[name] = printed[printed.index("api_tokens"):]
        cls.world = world.World(config=world.CONFIG + cls.stanzas["dialler"])
        cls.addClassCleanup(cls.world.close)

    @staticmethod
    def make(*words):
        status, out, err = world.output(["src/app/callbridge", "token", *words])
        if status:
            raise AssertionError(err)
        return out

    def ask(self, method, fields, token=None, scheme="Bearer"):
        """-> the reason of the failure; None: it was done."""
        headers = ["authorization: %s %s" % (scheme, token)] if token else []
        _, failure = self.world.ask(method, fields, headers)
        return failure.reason if failure else None

    def write_config(self, text):
        with open(self.world.config, "w", encoding="utf-8") as out:
            out.write(text)
        lines = self.world.server.text().count("read again") + self.world.server.text().count("stay as they were")
        self.world.server.signal(signal.SIGHUP)
        until("the new list", lambda: self.world.server.text().count("read again") + self.world.server.text().count("stay as they were") > lines)

    def test_a_token_is_for_what_it_says(self):
        start = {"call": {"to": "+4930123456"}}
        self.assertEqual(self.ask(SERVICE + "StartCall", start), "TOKEN_MISSING")
        self.assertEqual(self.ask(SERVICE + "StartCall", start, "cbt_" + "0" * 64), "TOKEN_INVALID")
        self.assertEqual(self.ask(SERVICE + "StartCall", start, self.tokens["dialler"], "Basic"), "TOKEN_INVALID")
        self.assertEqual(self.ask(SERVICE + "StartCall", start, self.tokens["dialler"]), "DESTINATION_NOT_ALLOWED", "let in")
        self.assertEqual(self.ask(SERVICE + "ListCalls", {}, self.tokens["dialler"]), "SCOPE_REQUIRED")
        self.assertEqual(self.ask(SERVICE + "CallEvents", {}, self.tokens["dialler"]), "SCOPE_REQUIRED", "streams, too")
        self.assertEqual(self.ask(LEADS + "LookupLead", {"phone": NUMBER}, self.tokens["dialler"]), "SCOPE_REQUIRED")

    def test_another_list_is_taken_at_sighup(self):
        self.assertEqual(self.ask(SERVICE + "ListCalls", {}, self.tokens["reader"]), "TOKEN_INVALID")
        self.write_config(world.CONFIG + self.stanzas["dialler"] + self.stanzas["reader"])
        self.assertIsNone(self.ask(SERVICE + "ListCalls", {}, self.tokens["reader"]))
        self.assertEqual(self.ask(LEADS + "LookupLead", {"phone": NUMBER}, self.tokens["reader"]), "LEAD_NOT_FOUND")
        # One that is wrong changes nothing, and is said.
        self.write_config(world.CONFIG + self.stanzas["reader"].replace("calls.read", "calls.dream"))
        self.assertIn("no scope 'calls.dream'", self.world.server.text())
        self.assertIsNone(self.ask(SERVICE + "ListCalls", {}, self.tokens["reader"]))
        # A token that is taken out is good for nothing.
        self.write_config(world.CONFIG + self.stanzas["dialler"])
        self.assertEqual(self.ask(SERVICE + "ListCalls", {}, self.tokens["reader"]), "TOKEN_INVALID")

    def test_a_token_is_made_for_scopes_that_exist(self):
        for words, says in ((["token"], "a name and what it may be used for"), (["token", "crm"], "scopes are: admin"),
                            (["token", "crm", "calls"], "no scope 'calls'"), (["token", "the crm", "admin"], "name")):
            status, out, err = world.output(["src/app/callbridge", *words])
            self.assertEqual((status, out), (1, ""), words)
            self.assertIn(says, err)
        self.assertNotEqual(self.make("a", "admin"), self.make("a", "admin"))


if __name__ == "__main__":
    junit.main()
