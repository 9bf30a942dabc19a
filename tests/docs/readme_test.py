"""What README.md promises: every command of its bash blocks works as it is written, in order, and every file it links to is there.

The commands run against a server and a world of this test's own, on other ports; lines that end with `# real keys` are not run, since
they need some. `./dev ...` is looked up, not run.
"""

import os
import re
import subprocess
import unittest

from tests.house import junit
from tests.operator import world
from tests.operator.world import until

MARKER = "# real keys"
PORTS = {"8080": "http", "50051": "grpc", "9464": "admin", "8081": "carrier"}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def commands(text, block="bash"):
    """-> the lines of all blocks of that language."""
    found = []
    for body in re.findall(r"^ *```%s\n(.*?)^ *```$" % block, text, re.MULTILINE | re.DOTALL):
        found += [line.strip() for line in body.splitlines() if line.strip()]
    return found


def banner():
    """What `./dev run` prints: the lines that are commands."""
    shown = subprocess.run(["bash", "-c", "GRPCURL=grpcurl; source bazel/sandbox.sh; sandbox_banner"], capture_output=True, check=True)
    return [line.strip() for line in shown.stdout.decode().splitlines() if re.match(r"^     \S", line)]


@unittest.skipUnless(world.grpcurl_program(), "there is no grpcurl, and no Go toolchain to build it")
class CommandsTest(unittest.TestCase):
    def run_all(self, lines):
        self.assertTrue(any("StartCall" in line for line in lines) and any("sim/calls" in line for line in lines), lines)
        made = world.World(config=read("deploy/sandbox.textproto"))
        self.addCleanup(made.close)
        os.mkdir(os.path.join(made.folder, "var"))
        os.symlink(made.database, os.path.join(made.folder, "var", "sandbox.db"))
        os.mkdir(os.path.join(made.folder, "bin"))
        os.symlink(world.grpcurl_program(), os.path.join(made.folder, "bin", "grpcurl"))
        env = world.environment(PATH=os.path.join(made.folder, "bin") + ":" + os.environ["PATH"])
        kept = ""  # CALL=..., for the commands behind it.
        for line in lines:
            for port, name in PORTS.items():
                line = line.replace("127.0.0.1:" + port, "127.0.0.1:%d" % getattr(made, name))
            with self.subTest(line):
                if "CallEvents" in line:  # It follows until Ctrl-C.
                    watcher = world.Stream(world.Program(["bash", "-c", line], env, made.folder))
                    made.programs.append(watcher.program)
                    watcher.wait_live()
                    continue
                done = subprocess.run(["bash", "-c", "set -euo pipefail; %s\n%s" % (kept, line)], cwd=made.folder, env=env,
                                      capture_output=True, timeout=world.DEADLINE, check=False)
                out, err = done.stdout.decode(), done.stderr.decode()
                self.assertEqual(done.returncode, 0, err + out)
                self.assertNotIn('"error"', out)
                if line.startswith("CALL="):
                    kept = line
                elif "StartCall" in line:
                    # A person reads for longer.
                    until("conversation", lambda: any(e["type"] == "assistant_speech_finished" for e in watcher.events()))
                elif "GetTranscript" in line:
                    self.assertIn("Welcome to the directory.", out)
                elif "sqlite3" in line:
                    self.assertIn("|", out)
        # The call comes in for real.
        watcher.wait_for("barge_in")
        self.assertEqual(made.violations(), [])

    def test_the_commands_of_the_readme(self):
        self.run_all([line for line in commands(read("README.md")) if not line.endswith(MARKER) and not line.startswith("./dev")])

    def test_the_commands_that_the_sandbox_prints(self):
        self.run_all(banner())


class ReadmeTest(unittest.TestCase):
    def test_what_dev_does_is_there(self):
        there = set(re.findall(r"^cmd_(\w+)\(\)", read("dev"), re.MULTILINE))
        for word in re.findall(r"\./dev (\w+)", read("README.md")):
            self.assertIn(word, there)

    def test_the_example_is_a_configuration(self):
        blocks = re.findall(r"```textproto\n(.*?)```", read("README.md"), re.DOTALL)
        self.assertTrue(blocks)
        for text in blocks:
            path = os.path.join(os.environ.get("TEST_TMPDIR", "/tmp"), "readme.textproto")
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
            done = subprocess.run(["src/app/callbridge", "--check_config", "--config=" + path], capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr.decode() + text)

    def test_the_scenarios_that_failures_names_exist(self):
        page = os.path.realpath("docs/failures.md")
        folder = os.path.join(os.path.dirname(page), "../tests/scenario")
        scenarios = "".join(read(os.path.join(folder, name)) for name in os.listdir(folder) if name.endswith(".cc"))
        names = re.findall(r"`(Complaint\d\d_)\*`|`([A-Z][a-z]+[A-Z]\w+)`|`(\w+)\.?\*`", read(page))
        self.assertGreater(len(names), 20)
        for name in ("".join(each) for each in names):
            self.assertIn('"' + name, scenarios, name)

    def test_the_tests_that_guarantees_names_exist(self):
        page = os.path.realpath("docs/guarantees.md")
        sources = ""
        for folder, _, names in os.walk(os.path.join(os.path.dirname(page), "../tests")):
            sources += "".join(read(os.path.join(folder, name)) for name in names if name.endswith((".cc", ".py")))
        named = re.findall(r"`(\w+)\.([A-Z]\w+)`", read(page))
        self.assertGreater(len(named), 20)
        for suite, name in named:
            self.assertTrue(re.search(r"TEST(_F|_P)?\(%s, %s\)" % (suite, name), sources), suite + "." + name)
        for name in re.findall(r"`(test_\w+)`", read(page)):
            self.assertTrue("def %s(" % name in sources, name)

    def test_flags_that_are_named_exist(self):
        known = set(re.findall(r"--(\w+)", subprocess.run(["src/app/callbridge", "--help"], capture_output=True, check=False).stdout.decode()))
        named = set(re.findall(r"--([a-z]+_\w+)", read("README.md")))
        self.assertTrue(named)
        self.assertEqual(named - known, set())

    def test_links_lead_somewhere(self):
        for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/api.md", "docs/architecture.md", "docs/crm-guide.md", "docs/failures.md",
                     "docs/grpcurl.md", "docs/guarantees.md", "docs/operations.md", "docs/tapes.md"):
            folder = os.path.dirname(os.path.realpath(page))
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", read(page)):
                if not target.startswith("https://"):
                    self.assertTrue(os.path.exists(os.path.join(folder, target)), "%s links to %s" % (page, target))


if __name__ == "__main__":
    junit.main()
