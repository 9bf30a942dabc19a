"""Which room may include what: the rules that the compiler cannot keep, since everything is in /usr/include.

Run alone, it checks the tree whose root is given (or the one it is in), names each broken rule and exits 1 if there is one.
"""

import os
import re
import sys

# Room -> rooms of ours that it may include, besides itself. Dependencies point one way:
#   app -> nodes -> control, after_call, tools, session, tape, http, net, carrier, store -> events, call, plivo, openai, web -> audio -> base
# Rooms of one tier do not know each other, except where a row says so. A room that is not here may include nothing.
LAYERS = {
    "base": [],
    "audio": ["base"],
    "call": ["audio", "base"],
    "plivo": ["audio", "base"],
    "openai": ["audio", "base"],
    "events": ["call", "audio", "base"],
    # The store keeps what happened in a call, as events; providers' words stop before it.
    "store": ["events", "call", "audio", "base"],
    # Requests to others over HTTPS.
    "web": ["base"],
    # The carrier's REST client speaks Plivo's.
    "carrier": ["web", "plivo", "call", "audio", "base"],
    "net": ["base"],
    # Handlers turn webhooks into words to the sessions; they see no socket.
    "http": ["session", "plivo", "call", "audio", "base"],
    # A session carries out what the call commands: on the loop, at the carrier, in the store.
    "session": ["tape", "store", "carrier", "net", "events", "call", "plivo", "openai", "audio", "base"],
    # What an agent's tools are, and the word of those who want one run.
    # A tape is the call's own words written down; it knows no session.
    "tape": ["call", "audio", "base"],
    "tools": ["session", "web", "base"],
    # Works from the record of calls that are over; it meets no live one.
    "after_call": ["tools", "session", "store", "events", "call", "openai", "web", "base"],
    "control": ["session", "store", "events", "call", "audio", "base"],
    # Other processes on the same database: who they are, and what they are to be asked.
    "nodes": ["control", "http", "session", "store", "events", "call", "base"],
    "app": ["nodes", "after_call", "tools", "tape", "web", "control", "session", "http", "net", "carrier", "store", "events", "call", "plivo", "openai", "audio", "base"],
    "client": ["base"],
    # The world outside: it shares sockets and the laws of audio with the server and nothing that the server believes.
    "sim": ["net", "audio", "base"],
    # Programs that drive both sides from outside.
    "bench": ["session", "store", "call", "sim", "net", "audio", "base"],
    "demo": ["client", "sim", "net", "audio", "base"],
}

# (room, other room) -> the only headers of the other room that it may include.
NARROW = {
    ("tools", "session"): ["src/session/settings.h", "src/session/tool_runner.h"],
    ("carrier", "web"): ["src/web/send.h"],
    ("after_call", "session"): ["src/session/settings.h", "src/session/call_recorder.h"],
    ("after_call", "tools"): ["src/tools/json_schema.h"],
    ("session", "net"): ["src/net/loop.h", "src/net/ws_connection.h"],
}

# Library -> (what its headers look like, folders and files that may include them).
LIBRARIES = {
    "websocketpp and Asio": (r"(websocketpp|asio)(/|\.hpp)", ["net"]),
    "SQLite": (r"sqlite3", ["store/sqlite", "demo"]),
    "libpq": (r"(postgresql/|libpq)", ["store/postgres"]),
    "gRPC": (r"(grpc|grpcpp|grpc\+\+)/|.*\.grpc\.pb\.h$", ["control", "nodes", "app", "demo", "client", "bench"]),
    "protobuf": (r"google/protobuf/|.*\.pb\.h$", ["control", "nodes", "app", "demo", "client", "config", "bench"]),
    "simdjson": (r"simdjson", ["plivo", "openai", "sim"]),
    "libcurl": (r"curl/", ["web", "sim", "demo"]),
    "RE2": (r"re2/", ["tools"]),
    # The control plane looks whether what a client sends for the model is JSON, no more.
    "nlohmann-json": (r"nlohmann/", ["plivo", "openai", "tools", "store", "sim", "http", "demo", "bench", "control/steering_requests.cc"]),
    "OpenSSL": (r"openssl/", ["base", "plivo", "net", "sim", "store"]),
    "Expat": (r"expat", ["sim"]),
    "prometheus-cpp": (r"prometheus/", ["http", "session", "app", "control", "net", "store", "carrier"]),
    "spdlog and fmt": (r"(spdlog|fmt)/", ["base/log.cc"]),
    "GoogleTest": (r"(gtest|gmock)/", []),
}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def includes(text):
    """-> [(line number, header, whether in quotes)]."""
    return [(text.count("\n", 0, m.start()) + 1, m.group(1) or m.group(2), bool(m.group(1))) for m in _INCLUDE.finditer(text)]


def _within(path, place):
    return path == "src/" + place or path.startswith("src/" + place + "/")


def _own_header_problem(room, header):
    other = header.split("/")[1]
    if other == room:
        return None
    if other not in LAYERS.get(room, []):
        return "src/%s may not depend on src/%s (it may on: %s)" % (room, other, ", ".join(LAYERS.get(room, [])) or "nothing")
    allowed = NARROW.get((room, other))
    if allowed is not None and header not in allowed:
        return "of src/%s, src/%s may include only %s" % (other, room, ", ".join(allowed))
    return None


def problem(path, header, quoted):
    """Why the file at `path` (src/<room>/...) may not include `header`; None if it may."""
    room = path.split("/")[1]
    if header.startswith("src/"):
        return _own_header_problem(room, header)
    if header.startswith("tests/"):
        return "nothing in src/ may depend on tests/"
    if header.startswith("../") or "/../" in header:
        return "includes are written from the workspace's root"
    for library, (pattern, places) in LIBRARIES.items():
        if re.match(pattern, header):
            if any(_within(path, place) for place in places):
                return None
            return "%s belongs to %s" % (library, ", ".join("src/" + p for p in places) or "tests")
    if quoted and "/" not in header:
        return "includes are written from the workspace's root"
    return None


def source_files(root):
    for folder, _, names in os.walk(os.path.join(root, "src")):
        for name in sorted(names):
            if name.endswith((".h", ".cc", ".inc", ".hpp", ".cpp")):
                yield os.path.relpath(os.path.join(folder, name), root)


def check_file(path, text):
    """-> one line for each broken rule."""
    room = path.split("/")[1]
    if path.count("/") < 2 or room not in LAYERS:
        return ["%s: it is in no room that tests/house/include_rules.py knows" % path]
    found = [(line, header, problem(path, header, quoted)) for line, header, quoted in includes(text)]
    return ["%s:%d: includes %s: %s" % (path, line, header, why) for line, header, why in found if why]


def check_tree(root):
    """-> (number of files, one line for each broken rule)."""
    count, problems = 0, []
    for path in source_files(root):
        count += 1
        with open(os.path.join(root, path), encoding="utf-8") as source:
            problems += check_file(path, source.read())
    return count, problems


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
    count, problems = check_tree(root)
    for line in problems:
        print(line)
    print("%d files, %d broken include rules" % (count, len(problems)))
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
