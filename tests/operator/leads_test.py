"""The people who are called, and what the client's own words find, as an operator sees them in a terminal."""

import unittest
import uuid

from tests.house import junit
from tests.operator import world
from tests.operator.world import until

LEADS = "callbridge.v1.LeadService/"
NOBODY = "leads/99999999-2222-4333-8444-555555555555"


@unittest.skipUnless(world.CLIENT, world.NEEDS_CLIENT)
class LeadsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world.World()
        cls.addClassCleanup(cls.world.close)

    def tearDown(self):
        self.assertTrue(self.world.server.running(), self.world.server.text())
        self.assertEqual(self.world.violations(), [])

    def lead(self, method, **fields):
        """The answer of a method that must succeed."""
        answer, failure = self.world.ask(LEADS + method, fields)
        self.assertIsNone(failure, failure and failure.text)
        return answer

    def refused(self, code, reason, method, **fields):
        answer, failure = self.world.ask(LEADS + method, fields)
        self.assertIsNone(answer, answer)
        self.assertEqual((failure.code, failure.reason, failure.domain), (code, reason, "callbridge"), failure.text)
        return failure

    def over(self, name):
        def look():
            call = self.world.rpc("GetCall", call=name)["call"]
            return call if "end" in call else None
        return until("end of " + name, look)

    def test_a_person_is_kept_found_changed_and_erased(self):
        key = str(uuid.uuid4())
        asked = dict(request_id=key, phone="+14155550161", display_name="Ada", metadata={"crm": "17"})
        made = self.lead("CreateLead", **asked)["lead"]
        self.assertEqual((made["name"], made["phone"], made["display_name"]), ("leads/" + key, "+14155550161", "Ada"))
        self.assertEqual((made["call_status"], made["metadata"]), ("LEAD_CALL_STATUS_NEW", {"crm": "17"}))
        self.assertEqual(self.lead("CreateLead", **asked)["lead"], made, "a repeat is the same lead")
        failure = self.refused("AlreadyExists", "LEAD_EXISTS", "CreateLead", phone="+14155550161")
        self.assertIn(key, failure.metadata["lead"])
        self.assertEqual(self.lead("GetLead", lead=made["name"])["lead"], made)
        self.assertEqual(self.lead("LookupLead", phone="+14155550161")["lead"], made)
        self.refused("NotFound", "LEAD_NOT_FOUND", "GetLead", lead=NOBODY)
        self.assertEqual(self.refused("InvalidArgument", "INVALID_E164", "LookupLead", phone="4155550161").fields, ["phone"])

        # Two clients change what they read; the second one is told.
        change = dict(lead=made["name"], display_name="Ada L.", update_mask=world.CLIENT.mask("display_name"), etag=made["etag"])
        changed = self.lead("UpdateLead", **change)["lead"]
        self.assertEqual((changed["display_name"], changed["metadata"]), ("Ada L.", {"crm": "17"}))
        self.assertNotEqual(changed["etag"], made["etag"])
        self.refused("Aborted", "LEAD_CHANGED", "UpdateLead", **change)

        # A call is with the lead that is there, and says so.
        self.world.phone(world.BUSY % "14155550161")
        name = self.world.dial("+14155550161")
        self.assertEqual(self.over(name)["lead"], made["name"])
        called = self.lead("GetLead", lead=made["name"])["lead"]
        self.assertEqual((called["call_status"], called["last_call"], called["status_call"]), ("LEAD_CALL_STATUS_CALLED", name, name))

        self.assertEqual(self.lead("EraseLead", phone="+14155550161")["calls"], "1")
        self.refused("NotFound", "LEAD_NOT_FOUND", "GetLead", lead=made["name"])
        self.assertEqual(self.world.rpc("GetCall", call=name)["call"].get("to", ""), "")
        self.assertNotIn("calls", self.lead("EraseLead", phone="+14155550161"), "a repeat finds nothing")

    def test_leads_are_listed_page_by_page(self):
        names = [self.lead("CreateLead", phone="+1415555017%d" % last)["lead"]["name"] for last in range(3)]
        self.lead("SuppressLead", lead=names[1], reason="asked not to be called")
        shown, token = [], ""
        while True:
            page = self.lead("ListLeads", filter={"call_status": "LEAD_CALL_STATUS_NEW", "suppressed": False}, page_size=1, page_token=token)
            shown += [each["name"] for each in page.get("leads", [])]
            token = page.get("next_page_token", "")
            if not token:
                break
        self.assertEqual([each for each in shown if each in names], [names[2], names[0]])
        suppressed = self.lead("ListLeads", filter={"suppressed": True})["leads"]
        self.assertIn(names[1], [each["name"] for each in suppressed])
        self.refused("InvalidArgument", "PAGE_TOKEN_INVALID", "ListLeads", page_token="x")

    def test_who_is_suppressed_is_not_dialled_nor_transferred_to(self):
        lead = self.lead("CreateLead", phone="+14155550149")["lead"]["name"]
        suppressed = self.lead("SuppressLead", lead=lead, reason="asked not to be called")["lead"]
        self.assertEqual((suppressed["suppressed"], suppressed["suppress_reason"]), (True, "asked not to be called"))
        self.assertEqual(self.lead("SuppressLead", lead=lead, reason="again")["lead"]["suppress_time"], suppressed["suppress_time"])
        failure = self.world.failing("StartCall", call={"to": "+14155550149"})
        self.assertEqual((failure.code, failure.reason), ("FailedPrecondition", "LEAD_SUPPRESSED"), failure.text)

        name, stream = self.world.talking("+14155550162")
        failure = self.world.failing("TransferCall", call=name, number="+14155550149")
        self.assertEqual((failure.code, failure.reason), ("FailedPrecondition", "LEAD_SUPPRESSED"), failure.text)
        self.assertEqual((failure.metadata["field"], failure.metadata["lead"]), ("number", lead), failure.text)
        self.assertEqual(self.world.rpc("ListTransfers", call=name), {})

        self.assertNotIn("suppressed", self.lead("UnsuppressLead", lead=lead)["lead"])
        transfer = self.world.rpc("TransferCall", call=name, number="+14155550149")["transfer"]
        self.assertTrue(transfer["name"].startswith(name + "/transfers/"), transfer)
        self.world.rpc("EndCall", call=name)
        stream.wait_for("call_ended")

    def test_calls_are_found_by_the_clients_own_words(self):
        self.world.phone(world.BUSY % "14155550163")
        name = self.world.dial("+14155550163", labels={"campaign": "spring"}, metadata={"deal": "17"})
        self.assertEqual(self.over(name)["labels"], {"campaign": "spring"})
        changed = self.world.rpc("UpdateCall", call=name, labels={"campaign": "spring", "tried": "1"}, update_mask=world.CLIENT.mask("labels"))["call"]
        self.assertEqual((changed["labels"], changed["metadata"]), ({"campaign": "spring", "tried": "1"}, {"deal": "17"}))

        def found(**words):
            return [each["name"] for each in self.world.rpc("ListCalls", filter=words).get("calls", [])]
        self.assertEqual(found(labels={"campaign": "spring"}), [name])
        self.assertEqual(found(labels={"campaign": "autumn"}), [])
        self.assertIn(name, found(end_reasons=["END_REASON_BUSY"]))
        self.assertNotIn(name, found(end_reasons=["END_REASON_NO_ANSWER"]))
        self.assertEqual(self.world.failing("UpdateCall", call=name, update_mask=world.CLIENT.mask("summary")).fields, ["update_mask"])

    def test_events_that_have_happened_are_read_page_by_page(self):
        self.world.phone(world.BUSY % "14155550164")
        name = self.world.dial("+14155550164")
        head = int(self.over(name)["event_sequence"])
        events, token = [], ""
        while True:
            page = self.world.rpc("ListCallEvents", call=name, page_size=2, page_token=token)
            events += page.get("events", [])
            token = page.get("next_page_token", "")
            if not token:
                break
        self.assertEqual([int(event["sequence"]) for event in events][:head], list(range(1, head + 1)))
        self.assertEqual((events[0]["type"], "call_ended" in [event["type"] for event in events]), ("call_created", True))


if __name__ == "__main__":
    junit.main()
