"""Stands in for callbridge and callbridge_sim in sandbox_test: fake_world.py <name> <log> <flags...>.

Writes to the log when it starts and ends, listens on each host:port among its flags, takes FAKE_DRAIN seconds over a polite end and then exits
with FAKE_STATUS. A sim with FAKE_SIM_LIFE ends by itself after that many seconds.
"""

import os
import re
import signal
import socket
import sys
import time


def main():
    name, log, flags = sys.argv[1], sys.argv[2], sys.argv[3:]

    def note(text):
        with open(log, "a", encoding="utf-8") as out:
            out.write("%s %s\n" % (name, text))

    def end(number, _frame):
        note("got " + signal.Signals(number).name)
        time.sleep(float(os.environ.get("FAKE_DRAIN", "0")))
        note("ended")
        os._exit(int(os.environ.get("FAKE_STATUS", "0")))

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    note("pid %d" % os.getpid())
    note("flags " + " ".join(flags))
    note("keys %s" % os.environ.get("OPENAI_API_KEY", ""))
    sockets = []
    if name == "sim" and os.environ.get("FAKE_SIM_DEAF"):
        sys.exit(3)
    for flag in flags:
        match = re.match(r"--\w+_listen=127\.0\.0\.1:(\d+)$", flag)
        if match and name == "sim":
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", int(match.group(1))))
            listener.listen(5)
            sockets.append(listener)
    note("ready")
    life = float(os.environ.get("FAKE_SIM_LIFE", "60")) if name == "sim" else 60
    time.sleep(life)
    note("died")
    sys.exit(4)


if __name__ == "__main__":
    main()
