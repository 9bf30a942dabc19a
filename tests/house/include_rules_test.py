"""The include rules hold in this tree, and each rule is one that can be broken."""

import os
import tempfile
import unittest

from tests.house import include_rules
from tests.house import junit

# name, file, include line, part of the complaint (None: allowed).
ROWS = [
    ("own room", "src/call/a.cc", '#include "src/call/b.h"', None),
    ("downwards", "src/call/a.cc", '#include "src/base/ids.h"', None),
    ("upwards", "src/base/a.cc", '#include "src/call/types.h"', "src/base may not depend on src/call"),
    ("sideways", "src/plivo/a.h", '#include "src/openai/a.h"', "src/plivo may not depend on src/openai"),
    ("call knows no socket", "src/call/a.cc", '#include "src/net/loop.h"', "src/call may not depend on src/net"),
    ("call knows no provider", "src/call/a.cc", '#include "src/plivo/a.h"', "src/call may not depend on src/plivo"),
    ("session sees a loop", "src/session/a.h", '#include "src/net/loop.h"', None),
    ("session sees no server", "src/session/a.h", '#include "src/net/server.h"', "may include only src/net/loop.h"),
    ("session keeps records", "src/session/a.h", '#include "src/store/call_store.h"', None),
    ("store knows no session", "src/store/a.h", '#include "src/session/a.h"', "src/store may not depend on"),
    ("tools know their settings", "src/tools/a.h", '#include "src/session/settings.h"', None),
    ("tools know no session", "src/tools/a.h", '#include "src/session/call_session.h"', "may include only src/session/settings.h"),
    ("tools know no call", "src/tools/a.h", '#include "src/call/types.h"', "src/tools may not depend on src/call"),
    ("session runs no tool", "src/session/a.cc", '#include "src/tools/json_schema.h"', "src/session may not depend on src/tools"),
    ("after a call it is written", "src/after_call/a.h", '#include "src/session/call_recorder.h"', None),
    ("after a call there is no session", "src/after_call/a.h", '#include "src/session/switchboard.h"', "may include only"),
    ("web knows nobody", "src/web/a.cc", '#include "src/openai/a.h"', "src/web may not depend on src/openai"),
    ("http sees no socket", "src/http/a.cc", '#include "src/net/server.h"', "src/http may not depend on src/net"),
    ("control sees no carrier", "src/control/a.cc", '#include "src/carrier/a.h"', "src/control may not depend on"),
    ("app sees all", "src/app/main.cc", '#include "src/net/server.h"', None),
    ("app knows no simulator", "src/app/main.cc", '#include "src/sim/a.h"', "src/app may not depend on src/sim"),
    ("demo drives the simulator", "src/demo/main.cc", '#include "src/sim/a.h"', None),
    ("the simulator believes for itself", "src/sim/a.cc", '#include "src/plivo/a.h"', "src/sim may not depend on"),
    ("nothing needs a test", "src/base/a.cc", '#include "tests/base/a.h"', "may depend on tests/"),
    ("unknown room", "src/misc/a.cc", "", "in no room"),
    ("no room", "src/a.cc", "", "in no room"),
    ("relative", "src/base/a.cc", '#include "../call/types.h"', "from the workspace's root"),
    ("bare name", "src/base/a.cc", '#include "ids.h"', "from the workspace's root"),
    ("standard library", "src/call/a.cc", "#include <string>", None),
    ("system header", "src/base/a.cc", "#include <sys/random.h>", None),
    ("abseil", "src/call/a.cc", '#include "absl/time/time.h"', None),
    ("websocketpp at home", "src/net/a.cc", "#include <websocketpp/server.hpp>", None),
    ("websocketpp elsewhere", "src/session/a.cc", "#include <websocketpp/server.hpp>", "belongs to src/net"),
    ("asio elsewhere", "src/sim/a.cc", "#include <asio.hpp>", "belongs to src/net"),
    ("asio in parts", "src/app/a.cc", "#include <asio/ip/tcp.hpp>", "belongs to src/net"),
    ("sqlite at home", "src/store/sqlite/a.cc", "#include <sqlite3.h>", None),
    ("sqlite in the contract", "src/store/a.h", "#include <sqlite3.h>", "belongs to src/store/sqlite"),
    ("libpq at home", "src/store/postgres/a.cc", "#include <postgresql/libpq-fe.h>", None),
    ("libpq in sqlite", "src/store/sqlite/a.cc", "#include <libpq-fe.h>", "belongs to src/store/postgres"),
    ("grpc at home", "src/control/a.cc", "#include <grpcpp/grpcpp.h>", None),
    ("grpc in sessions", "src/session/a.cc", "#include <grpcpp/grpcpp.h>", "gRPC belongs to"),
    ("service code in sessions", "src/session/a.cc", '#include "callbridge/v1/call_service.grpc.pb.h"', "gRPC belongs to"),
    ("messages in the store", "src/store/a.cc", '#include "callbridge/v1/call.pb.h"', "protobuf belongs to"),
    ("messages in control", "src/control/a.cc", '#include "callbridge/v1/call.pb.h"', None),
    ("protobuf in call", "src/call/a.cc", "#include <google/protobuf/message.h>", "protobuf belongs to"),
    ("simdjson in call", "src/call/a.cc", "#include <simdjson.h>", "simdjson belongs to"),
    ("simdjson at home", "src/openai/a.cc", "#include <simdjson.h>", None),
    ("curl in http", "src/http/a.cc", "#include <curl/curl.h>", "libcurl belongs to"),
    ("curl at home", "src/carrier/a.cc", "#include <curl/curl.h>", None),
    ("curl in tools", "src/tools/a.cc", "#include <curl/curl.h>", "libcurl belongs to"),
    ("patterns at home", "src/tools/a.cc", "#include <re2/re2.h>", None),
    ("patterns in call", "src/call/a.cc", "#include <re2/re2.h>", "RE2 belongs to"),
    ("json in call", "src/call/a.cc", "#include <nlohmann/json.hpp>", "nlohmann-json belongs to"),
    ("json at home", "src/plivo/a.cc", "#include <nlohmann/json.hpp>", None),
    ("openssl in call", "src/call/a.cc", "#include <openssl/hmac.h>", "OpenSSL belongs to"),
    ("spdlog at home", "src/base/log.cc", "#include <spdlog/spdlog.h>", None),
    ("spdlog next door", "src/base/log.h", "#include <spdlog/spdlog.h>", "belongs to src/base/log.cc"),
    ("expat in plivo", "src/plivo/a.cc", "#include <expat.h>", "Expat belongs to"),
    ("gtest in src", "src/base/a.cc", '#include "gtest/gtest.h"', "GoogleTest belongs to tests"),
    ("spaces", "src/base/a.cc", '  #  include   "src/call/types.h"', "may not depend on"),
    ("not an include", "src/base/a.cc", '// #include "src/call/types.h"', None),
]


class IncludeRulesTest(unittest.TestCase):
    def test_rows(self):
        for name, path, line, complaint in ROWS:
            with self.subTest(name):
                found = include_rules.check_file(path, "#ifndef A\n%s\n" % line)
                if complaint is None:
                    self.assertEqual(found, [])
                else:
                    self.assertEqual(len(found), 1, found)
                    self.assertIn(complaint, found[0])
                    self.assertIn(path, found[0])

    def test_complaint_names_the_line(self):
        found = include_rules.check_file("src/base/a.cc", '\n\n#include "src/call/types.h"\n')
        self.assertTrue(found[0].startswith("src/base/a.cc:3: includes src/call/types.h"), found)

    def test_broken_file_in_a_tree_is_found(self):
        with tempfile.TemporaryDirectory() as root:
            for path, text in [("src/base/a.h", ""), ("src/call/deep/b.cc", '#include "src/app/flags.h"\n')]:
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as out:
                    out.write(text)
            count, problems = include_rules.check_tree(root)
        self.assertEqual(count, 2)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn("src/call/deep/b.cc:1", problems[0])

    # The table itself points one way: no room is reachable from itself.
    def test_layers_have_no_circle(self):
        def reach(room, seen):
            for other in include_rules.LAYERS[room]:
                self.assertIn(other, include_rules.LAYERS, room)
                if other not in seen:
                    seen.add(other)
                    reach(other, seen)
            return seen

        for room in include_rules.LAYERS:
            self.assertNotIn(room, reach(room, set()))

    def test_only_programs_know_the_simulator(self):
        knows = [room for room, others in include_rules.LAYERS.items() if "sim" in others]
        self.assertEqual(sorted(knows), ["bench", "demo"])

    def test_this_tree(self):
        # The runfile is a link into the source tree; this test is not sandboxed, so all of it is there.
        root = os.path.dirname(os.path.realpath("WORKSPACE"))
        count, problems = include_rules.check_tree(root)
        self.assertGreater(count, 10, "no source tree at " + root)
        self.assertEqual(problems, [], "\n" + "\n".join(problems))


if __name__ == "__main__":
    junit.main()
