"""What deploy/ says agrees with the program and its documents."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.house import junit


def text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def names(promql):
    """The metrics in an expression, without what a histogram adds to its name."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\bcallbridge_\w+", promql)}

# It is where a user's PATH does not look, and Bazel's neither.
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")


class MetricsTest(unittest.TestCase):
    known = set(re.findall(r"`(callbridge_\w+)`", text("docs/metrics.md")))

    def test_every_alert_is_over_metrics_that_there_are_and_says_what_to_do(self):
        alerts = text("deploy/prometheus/alerts.yaml")
        rules = re.split(r"\n\s+- alert: ", alerts)[1:]
        self.assertGreater(len(rules), 5)
        manual = text("docs/operations.md")
        for rule in rules:
            name = rule.split("\n")[0]
            with self.subTest(name):
                expression = re.search(r"expr: (.*?)\n\s+(?:for|labels):", rule, re.S).group(1)
                self.assertLessEqual(names(expression), self.known)
                self.assertIn("severity:", rule)
                self.assertIn("runbook: docs/operations.md#" + name.lower(), rule)
                self.assertIn("### " + name + "\n", manual)

    def test_every_panel_shows_metrics_that_there_are(self):
        board = json.loads(text("deploy/grafana/callbridge.json"))
        shown = set()
        for panel in board["panels"]:
            for target in panel["targets"]:
                with self.subTest(panel["title"]):
                    self.assertTrue(names(target["expr"]), target["expr"])
                    self.assertLessEqual(names(target["expr"]), self.known)
                shown |= names(target["expr"])
        self.assertGreater(len(shown), 12)
        self.assertEqual(len({panel["id"] for panel in board["panels"]}), len(board["panels"]))


class ServiceTest(unittest.TestCase):
    unit = text("deploy/callbridge.service")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_systemd_understands_the_unit(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "callbridge.service")
            with open(path, "w", encoding="utf-8") as file:
                # The programs of this machine.
                file.write(self.unit.replace("/usr/local/bin/callbridge", "/bin/true"))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True, check=False)
            complaints = [line for line in done.stderr.splitlines() if "callbridge.service" in line]
            self.assertEqual(complaints, [])

    def test_its_flags_are_the_servers(self):
        self.flags_exist(re.search(r"ExecStart=(.*)", self.unit).group(1))

    def test_the_containers_flags_are_the_servers(self):
        self.flags_exist(text("deploy/Dockerfile"))

    def flags_exist(self, line):
        done = subprocess.run([os.path.abspath("src/app/callbridge"), "--help"], capture_output=True, text=True, check=False)
        used = set(re.findall(r"(--[a-z_]+)=", re.sub(r"#.*|RUN.*|COPY.*|HEALTHCHECK.*", "", line)))
        self.assertTrue(used)
        for flag in used:
            self.assertIn(flag + " ", done.stdout + " ")

    def test_the_pods_flags_are_the_servers(self):
        self.flags_exist(text("deploy/kubernetes/callbridge.yaml"))

    def test_calls_may_finish_before_the_pod_goes(self):
        pod = text("deploy/kubernetes/callbridge.yaml")
        drain = 60 * int(re.search(r"--drain_timeout=(\d+)m", pod).group(1))
        # Behind the drain it ends what is left, which takes a minute at the most.
        self.assertGreaterEqual(int(re.search(r"terminationGracePeriodSeconds: (\d+)", pod).group(1)), drain + 60)

    def test_the_container_has_what_the_server_is_linked_with(self):
        if not shutil.which("dpkg-query"):
            self.skipTest("needs dpkg-query")
        needed = re.findall(r"NEEDED\s+(\S+)", subprocess.run(["objdump", "-p", "src/app/callbridge"], capture_output=True, text=True, check=True).stdout)
        self.assertTrue(needed)
        # Part of every Debian image; the last two are those of a build with sanitizers.
        inside = {"libc6", "libstdc++6", "libgcc-s1", "libasan8", "libubsan1"}
        installed = set(re.findall(r"\blib[\w.+-]+", text("deploy/Dockerfile")))
        for library in needed:
            owner = subprocess.run(["dpkg-query", "-S", "*/" + library], capture_output=True, text=True, check=False).stdout
            packages = {line.split(":")[0] for line in owner.splitlines()} - {""}
            with self.subTest(library):
                self.assertTrue(packages & (inside | installed), "%s is in %s" % (library, packages))


class ProxyTest(unittest.TestCase):
    def test_a_quiet_event_stream_outlives_the_proxys_patience(self):
        """A heartbeat comes each 15 s; the proxy must wait for two at least."""
        patience = int(re.search(r"grpc_read_timeout (\d+)s", text("deploy/nginx.conf")).group(1))
        self.assertGreaterEqual(patience, 30)

    @unittest.skipUnless(NGINX, "needs nginx")
    def test_nginx_understands_the_example(self):
        config = text("deploy/nginx.conf")
        with tempfile.TemporaryDirectory() as folder:
            key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem",
                   "-days", "1", "-subj", "/CN=voice.example.com"]
            subprocess.run(key, capture_output=True, check=True)
            config = re.sub(r"/\S+fullchain.pem|/\S+clients-ca.pem", folder + "/cert.pem", config)
            config = re.sub(r"/\S+privkey.pem", folder + "/key.pem", config)
            # It opens what it is to listen at.
            config = re.sub(r"\blisten [\w.:\[\]]+", lambda found: "listen unix:%s/%d.sock" % (folder, found.start()), config)
            with open(folder + "/nginx.conf", "w", encoding="utf-8") as file:
                own = "access_log off;\n" + "".join("%s_temp_path %s/%s;\n" % (kind, folder, kind) for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                user = "user root;\n" if os.geteuid() == 0 else ""  # The sandbox knows no other.
                file.write(user + "events {}\npid %s/pid;\nerror_log stderr;\nhttp {\n%s%s\n}\n" % (folder, own, config))
            done = subprocess.run([NGINX, "-t", "-p", folder, "-c", folder + "/nginx.conf"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    junit.main()
