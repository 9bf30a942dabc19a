"""A PostgreSQL server of a test's own."""

import csv
import io
import os
import shutil
import signal
import subprocess
import tempfile

NEEDED = "needs the programs of the PostgreSQL server (Debian: postgresql)"


def programs():
    """Where the server's programs are; None: not on this machine."""
    named = os.environ.get("CALLBRIDGE_POSTGRES_BIN")
    base = "/usr/lib/postgresql"
    found = [named] if named else [os.path.join(base, version, "bin") for version in sorted(os.listdir(base), reverse=True)] if os.path.isdir(base) else []
    return next((folder for folder in found if os.path.exists(os.path.join(folder, "initdb"))), None)


class Postgres:
    """On a socket, and on port 5432 of `address` for whoever is in `network`. With a disk of its own if that can be had: `disk`."""

    def __init__(self, address="", network="", disk_megabytes=0):
        self.address = address
        self.folder = tempfile.mkdtemp(prefix="callbridge-pg-", dir="/tmp")  # A socket's path must be short.
        self.disk = bool(disk_megabytes) and os.geteuid() == 0 and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=%dm" % disk_megabytes, "tmpfs", self.folder], capture_output=True, check=False).returncode
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.tool("initdb", "-D", self.folder + "/data", "-U", "callbridge", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        if network:
            with open(self.folder + "/data/pg_hba.conf", "a", encoding="ascii") as rules:
                rules.write("host all all %s trust\n" % network)
        self.start()
        self.url = "postgresql:///postgres?host=%s&user=callbridge" % self.folder

    def tool(self, name, *arguments, check=True):
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        with open(self.folder + ".log", "ab") as log:
            return subprocess.run(as_user + [os.path.join(programs(), name), *arguments], cwd="/", stdout=log, stderr=log, check=check)

    def start(self):
        self.tool("pg_ctl", "-D", self.folder + "/data", "-l", self.folder + "/server.log", "-w", "-s", "-o",
                  "-k %s -c listen_addresses=%s -c shared_buffers=16MB -c max_connections=100" % (self.folder, self.address), "start")

    def stop(self, how):
        self.tool("pg_ctl", "-D", self.folder + "/data", "-m", how, "-w", "-s", "stop", check=False)

    def processes(self):
        with open(self.folder + "/data/postmaster.pid", encoding="ascii") as file:
            master = int(file.readline())
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(master)], capture_output=True, text=True, check=False).stdout
        return [master] + [int(pid) for pid in out.split()]

    def signal(self, number):
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def rows(self, sql):
        done = subprocess.run([os.path.join(programs(), "psql"), "-X", "--csv", "-c", sql, self.url], capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def execute(self, sql):
        subprocess.run([os.path.join(programs(), "psql"), "-X", "-q", "-c", sql, self.url], capture_output=True, check=True)

    def fill_disk(self):
        """Until the server cannot even write its log of transactions, and dies of it."""
        with open(self.folder + "/filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(64 << 10))
            except OSError:
                pass
        for _ in range(20):  # Some segments of that log are there already.
            try:
                self.rows("SELECT pg_switch_wal(), pg_logical_emit_message(true, 'full', 'disk')")
            except AssertionError:
                return
        raise AssertionError("the server goes on with a full disk")

    def free_disk(self):
        os.remove(self.folder + "/filler")
        self.stop("immediate")
        self.start()

    def close(self):
        self.signal(signal.SIGCONT)
        self.stop("immediate")
        if self.disk:
            subprocess.run(["umount", "--lazy", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.remove(self.folder + ".log")
