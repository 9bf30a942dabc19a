#include "src/tape/update.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "src/tape/reader.h"
#include "src/tape/replay.h"
#include "tests/tape/tape_of.h"

namespace callbridge::tape {
namespace {

call::CallOptions Options() {
  call::CallOptions options;
  options.call_id = "call-1";
  options.from = "+14155550100";
  return options;
}

std::string ATape() {
  return TapeOf(Options(), {{1000, R"(stream_opened stream_id="s1")"},
                            {2000, R"(model_created session_id="sess_1" model="gpt-realtime")"},
                            {3000, "model_configured"},
                            {4000, R"(caller_audio base64="AAAA")"},
                            {5000, "tick"},
                            {1000000, R"(hung_up reason=normal_hangup party=caller detail="4000")"}});
}

TEST(UpdateTest, ATapeOfAnotherBehaviourBecomesOneOfThePresentOne) {
  const std::string then = absl::StrReplaceAll(ATape(), {{"> configure_model", "> sing"}, {" < tick", " < tick"}});
  const auto tape = ReadTape(then);
  ASSERT_TRUE(tape.ok()) << tape.status();
  ASSERT_FALSE(Replay(*tape).same);
  const std::string now = Update(*tape);
  const auto updated = ReadTape(now);
  ASSERT_TRUE(updated.ok()) << updated.status();
  const Verdict verdict = Replay(*updated);
  EXPECT_TRUE(verdict.same) << verdict.difference;
  EXPECT_TRUE(verdict.complete) << "the call was not brought to its end";
  EXPECT_TRUE(absl::StrContains(now, "> configure_model"));
  EXPECT_TRUE(absl::StrContains(now, "from=\"+1********00\""));
  EXPECT_FALSE(absl::StrContains(now, "T+5000 < tick")) << "nothing was due then";
}

TEST(UpdateTest, AgainChangesNothing) {
  const std::string once = Update(*ReadTape(ATape()));
  EXPECT_EQ(Update(*ReadTape(once)), once);
}

TEST(UpdateTest, ACallThatNobodyEndsIsLeftOpen) {
  call::CallOptions options = Options();
  options.max_duration = absl::Hours(10);
  const std::string text = TapeOf(options, {{1000, R"(stream_opened stream_id="s1")"},
                                            {2000, R"(model_created session_id="sess_1" model="gpt-realtime")"},
                                            {3000, "model_configured"}});
  const auto updated = ReadTape(Update(*ReadTape(text)));
  ASSERT_TRUE(updated.ok());
  EXPECT_FALSE(updated->complete);
}

}  // namespace
}  // namespace callbridge::tape
