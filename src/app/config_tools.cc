#include "src/app/config_tools.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/openai/call_tools.h"
#include "src/openai/session_config.h"

namespace callbridge::app {
namespace {

namespace v1 = config::v1;

constexpr size_t kMaxSecretBytes = 8 << 10;
constexpr absl::Duration kClientToolTime = absl::Seconds(30);

bool IsHeaderName(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || absl::string_view("!#$%&'*+-.^_`|~").find(c) != absl::string_view::npos;
  });
}

// The request itself has these, or they would change how it is read.
bool IsReservedHeader(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  return lower == "host" || lower == "content-length" || lower == "content-type" || lower == "transfer-encoding" ||
         lower == "connection" || lower == "expect";
}

void ReadSecret(const std::string& at, const v1::HttpTool& in, ConfigReading& reading, session::HttpTool& out) {
  if (in.secret_header().empty()) {
    reading.Check(in.secret_file().empty(), at + ".secret_header", "missing; which header has what secret_file holds");
    return;
  }
  reading.Check(IsHeaderName(in.secret_header()) && !IsReservedHeader(in.secret_header()), at + ".secret_header",
                "a header's name is needed, such as Authorization");
  out.secret_header = in.secret_header();
  const std::string field = at + ".secret_file";
  if (!reading.Check(!in.secret_file().empty(), field, "missing; the file that holds the header's value")) return;
  const std::string content = reading.ReadFile(field, in.secret_file(), kMaxSecretBytes);
  out.secret = std::string(absl::StripAsciiWhitespace(content));
  const bool one_line = std::none_of(out.secret.begin(), out.secret.end(), absl::ascii_iscntrl);
  reading.Check(one_line && !out.secret.empty(), field, "one line of text is needed in it");
}

// What the model is told of a tool, whoever answers it.
template <typename In, typename Out>
void ReadDescription(const std::string& at, const In& in, ConfigReading& reading, Out& out) {
  out.name = in.name();
  out.description = in.description();
  out.parameters_json = in.parameters_json();
  reading.Check(!openai::IsBuiltInTool(in.name()), at + ".name",
                absl::StrCat("'", in.name(), "' is a tool of callbridge's own; choose another name"));
  reading.Check(!in.description().empty(), at + ".description", "missing; tell the model when to call it");
  const absl::Status schema = openai::CheckToolParameters(in.parameters_json());
  reading.Check(schema.ok(), at + ".parameters_json", schema.message());
}

void ReadTool(const std::string& at, const v1::HttpTool& in, ConfigReading& reading, session::HttpTool& out) {
  ReadDescription(at, in, reading, out);
  out.url = in.url();
  reading.Check(IsSecretKeepingUrl(in.url()), at + ".url",
                "https://host/path is needed (http:// only to this machine)");
  if (in.has_timeout()) {
    reading.ReadDuration(at + ".timeout", in.timeout(), absl::Milliseconds(100), absl::Seconds(60), &out.timeout);
  }
  ReadSecret(at, in, reading, out);
}

}  // namespace

void ReadTools(const std::string& at, const v1::Agent& in, ConfigReading& reading, session::Agent& out) {
  std::set<std::string> seen;
  for (int i = 0; i < in.http_tools_size(); ++i) {
    const std::string tool = absl::StrCat(at, ".http_tools[", i, "]");
    reading.CheckKey(tool + ".name", in.http_tools(i).name(), seen);
    ReadTool(tool, in.http_tools(i), reading, out.tools.emplace_back());
  }
  for (int i = 0; i < in.client_tools_size(); ++i) {
    const std::string tool = absl::StrCat(at, ".client_tools[", i, "]");
    const v1::ClientTool& given = in.client_tools(i);
    reading.CheckKey(tool + ".name", given.name(), seen);
    ReadDescription(tool, given, reading, out.client_tools.emplace_back());
    absl::Duration& limit = out.conduct.client_tools[given.name()] = kClientToolTime;
    if (given.has_timeout()) {
      reading.ReadDuration(tool + ".timeout", given.timeout(), absl::Seconds(1), absl::Minutes(5), &limit);
    }
  }
  if (in.has_end_call_tool()) out.end_call_tool = in.end_call_tool();
  out.send_dtmf_tool = in.send_dtmf_tool();
}

void ReadAfterCall(const std::string& at, const v1::AfterCall& in, ConfigReading& reading, session::Agent& out) {
  using Summary = session::AfterCall::Summary;
  session::AfterCall& after = out.after_call;
  switch (in.summary()) {
    case v1::AfterCall::SUMMARY_UNSPECIFIED:
    case v1::AfterCall::TEXT_MODEL: after.summary = Summary::kText; break;
    case v1::AfterCall::SESSION: after.summary = Summary::kSession; break;
    case v1::AfterCall::NONE: after.summary = Summary::kOff; break;
    default: reading.Wrong(at + ".summary", "NONE, SESSION or TEXT_MODEL is possible");
  }
  out.conduct.summary_in_session = after.summary == Summary::kSession;
  ConfigReading::ReadText(in.model(), &after.model);
  after.instructions = in.instructions();
  std::set<std::string> seen;
  for (int i = 0; i < in.dispositions_size(); ++i) {
    reading.CheckKey(absl::StrCat(at, ".dispositions[", i, "]"), in.dispositions(i), seen);
    after.dispositions.push_back(in.dispositions(i));
  }
  const absl::Status schema = openai::CheckToolParameters(in.fields_schema_json());
  reading.Check(schema.ok(), at + ".fields_schema_json", schema.message());
  after.fields_schema_json = in.fields_schema_json();
  if (in.max_attempts() != 0) {
    reading.ReadNumber(at + ".max_attempts", in.max_attempts(), 1, 50, &after.max_attempts);
  }
}

}  // namespace callbridge::app
