#include "src/sim/model_handshake.h"

#include "gtest/gtest.h"

namespace callbridge::sim {
namespace {

TEST(ModelHandshakeTest, JudgesUpgrades) {
  struct Row {
    const char* name;
    const char* target;
    const char* authorization;
    const char* beta;
    int http;
    const char* code;
    int close;
  } rows[] = {
      {"fine", "/v1/realtime?model=gpt-realtime-2.1", "Bearer sk-1", "", 0, "", 0},
      {"older model", "/v1/realtime?model=gpt-realtime", "Bearer sk-1", "", 0, "", 0},
      {"wrong path", "/v1/realtimes?model=gpt-realtime", "Bearer sk-1", "", 404, "", 0},
      {"live", "/v1/live?model=gpt-live-1", "Bearer sk-1", "", 404, "", 0},
      {"unknown call", "/v1/realtime?call_id=rtc_1", "Bearer sk-1", "", 404, "", 0},
      {"two selectors", "/v1/realtime?model=gpt-realtime&intent=transcription", "Bearer sk-1", "", 400, "", 0},
      {"wrong key", "/v1/realtime?model=gpt-realtime", "Bearer sk-2", "", 0, "invalid_api_key", 3000},
      {"no key", "/v1/realtime?model=gpt-realtime", "", "", 0, "invalid_api_key", 3000},
      {"key without Bearer", "/v1/realtime?model=gpt-realtime", "sk-1", "", 0, "invalid_api_key", 3000},
      {"no model", "/v1/realtime", "Bearer sk-1", "", 0, "missing_model", 4000},
      {"empty model", "/v1/realtime?model=", "Bearer sk-1", "", 0, "missing_model", 4000},
      {"chat model", "/v1/realtime?model=gpt-5.6-luna", "Bearer sk-1", "", 0, "invalid_model", 4000},
      {"gone model", "/v1/realtime?model=gpt-4o-realtime-preview", "Bearer sk-1", "", 0, "model_not_found", 4004},
      {"beta", "/v1/realtime?model=gpt-realtime", "Bearer sk-1", "realtime=v1", 0, "beta_api_shape_disabled", 4000},
  };
  for (const Row& row : rows) {
    base::HttpRequest request;
    request.target = row.target;
    if (row.authorization[0] != '\0') request.headers.emplace_back("authorization", row.authorization);
    if (row.beta[0] != '\0') request.headers.emplace_back("OpenAI-Beta", row.beta);
    const HandshakeVerdict verdict = JudgeHandshake(request, "sk-1");
    EXPECT_EQ(verdict.http_status, row.http) << row.name;
    EXPECT_EQ(verdict.error_code, row.code) << row.name;
    EXPECT_EQ(verdict.close_code, row.close) << row.name;
    EXPECT_EQ(verdict.model.empty(), row.http != 0 || row.close != 0) << row.name;
  }
}

TEST(ModelHandshakeTest, RefusesByScript) {
  EXPECT_EQ(ScriptedRefusal("http:401").http_status, 401);
  EXPECT_EQ(ScriptedRefusal("http:999").http_status, 0);
  EXPECT_EQ(ScriptedRefusal("error:insufficient_quota").error_code, "insufficient_quota");
  EXPECT_EQ(ScriptedRefusal("error:insufficient_quota").close_code, 3000);
  EXPECT_EQ(ScriptedRefusal("error:invalid_model").close_code, 4000);
}

}  // namespace
}  // namespace callbridge::sim
