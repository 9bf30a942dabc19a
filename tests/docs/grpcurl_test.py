"""Every line of docs/grpcurl.md is executed, in order, against a sandbox of this test's own, and prints what stands below it: ids, times and places aside.

With CALLBRIDGE_WRITE_GRPCURL=FILE it writes the page there with what the lines print now.
"""

import os
import re
import subprocess
import unittest

from bazel import api_doc
from tests.house import junit
from tests.operator import world
from tests.operator.world import until

PAGE = "docs/grpcurl.md"
PROTOSET = "proto/callbridge/v1/callbridge_cc_grpc_protoset.protoset"
PORT = "127.0.0.1:50051"
# What is another in each run, by how it looks and by the field it is in.
MASKS = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "<time>"),
    (r'"\d+(\.\d+)?s"', '"<duration>"'),
    (r'("(?:cursor|next_page_token|etag|event_sequence|sequence|model_session_id|item_id)":) ?(?:"[^"]*"|\d+)', r"\1<other>"),
]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def steps(page):
    """-> [(command, what it is to print)]: each line of the bash blocks; behind the last of a block may be a block `text` with output."""
    found = []
    for commands, _, shown in re.findall(r"^```bash\n(.*?)^```\n(\n```text\n(.*?)^```\n)?", page, re.MULTILINE | re.DOTALL):
        lines = commands.splitlines()
        found += [(line, "") for line in lines[:-1]] + [(lines[-1], shown)]
    return found


def masked(text):
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    # An order of fields that nobody promises: maps.
    return sorted(line.strip().rstrip(",") for line in text.splitlines())


def methods():
    """All methods of the contract, `callbridge.v1.CallService/StartCall`."""
    with open(PROTOSET, "rb") as source:
        return api_doc.methods(source.read())


class Sandbox(world.World):
    """A world whose model sums calls up."""

    def server_flags(self):
        return super().server_flags() + ["--openai_rest_url=http://127.0.0.1:%d/v1" % self.model]


class PageTest(unittest.TestCase):
    def test_each_method_has_a_line(self):
        page = read(PAGE)
        self.assertGreater(len(methods()), 9)
        self.assertEqual([each for each in methods() if not re.search(re.escape(each) + r"\s", page)], [])


@unittest.skipUnless(world.grpcurl_program(), "there is no grpcurl, and no Go toolchain to build it")
class LinesTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.world = Sandbox(config=read("deploy/sandbox.textproto"))
        self.addCleanup(self.world.close)
        os.mkdir(os.path.join(self.world.folder, "bin"))
        os.symlink(world.grpcurl_program(), os.path.join(self.world.folder, "bin", "grpcurl"))
        self.env = world.environment(PATH=os.path.join(self.world.folder, "bin") + ":" + os.environ["PATH"])
        self.kept = []  # CALL=..., for the lines behind it.

    def run_line(self, line):
        line = line.replace(PORT, self.world.address)
        done = subprocess.run(["bash", "-c", "set -uo pipefail; %s\n%s" % ("\n".join(self.kept), line)], cwd=self.world.folder, env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=world.DEADLINE, check=False)
        out = done.stdout.decode().replace(self.world.address, PORT)
        name = re.match(r"([A-Z]+)=", line)
        if name:
            value = subprocess.run(["bash", "-c", "set -euo pipefail; %s\n%s; echo $%s" % ("\n".join(self.kept), line, name.group(1))],
                                   cwd=self.world.folder, env=self.env, capture_output=True, timeout=world.DEADLINE, check=True)
            self.kept.append("%s=%s" % (name.group(1), value.stdout.decode().strip()))
        return out

    def wait_as_a_person_would(self, line):
        """What takes its time behind a line."""
        if "CallService/StartCall" in line and "request_id" in line:
            call = self.world.rpc("ListCalls")["calls"][0]["name"]
            until("conversation", lambda: "transcript_item_final" in self.types(call) and "caller_speech_started" in self.types(call))
        elif "TransferCall" in line:
            until("ringing", lambda: any(t.get("attempts") for t in self.transfers()))
        elif "CancelTransfer" in line:
            until("record", lambda: self.transfers()[0]["state"] == "TRANSFER_STATE_FAILED")
        elif "EndCall" in line:
            call = self.world.rpc("ListCalls")["calls"][0]["name"]
            until("the call's last event", lambda: {"summary_ready", "summary_failed"} & self.types(call))

    def types(self, call):
        return {event["type"] for event in self.world.rpc("ListCallEvents", call=call, page_size=1000).get("events", [])}

    def transfers(self):
        return self.world.rpc("ListTransfers", call=self.world.rpc("ListCalls")["calls"][0]["name"])["transfers"]

    def test_the_lines_print_what_the_page_says(self):
        page, printed = read(PAGE), []
        for line, shown in steps(page):
            out = self.run_line(line)
            printed.append((line, out))
            self.wait_as_a_person_would(line)
            if not os.environ.get("CALLBRIDGE_WRITE_GRPCURL"):
                with self.subTest(line):
                    self.assertEqual(masked(out), masked(shown), out)
        if os.environ.get("CALLBRIDGE_WRITE_GRPCURL"):
            self.write(page, printed)
        self.assertEqual(self.world.violations(), [])

    @staticmethod
    def write(page, printed):
        page = re.sub(r"\n```text\n.*?^```\n", "", page, flags=re.MULTILINE | re.DOTALL)
        for line, out in printed:
            block = "%s\n```\n\n```text\n%s\n```\n\n```bash\n" % (line, out.rstrip()) if out.strip() else line + "\n"
            page = page.replace(line + "\n", block, 1)
        page = re.sub(r"```bash\n```\n+", "", page)
        page = re.sub(r"\n{3,}", "\n\n", page)
        with open(os.environ["CALLBRIDGE_WRITE_GRPCURL"], "w", encoding="utf-8") as out:
            out.write(page)


if __name__ == "__main__":
    junit.main()
