#include "src/demo/world_client.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace callbridge::demo {
namespace {

using nlohmann::json;

constexpr long kTimeoutMs = 5000;

struct Cleanup {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

struct Answer {
  long status = 0;
  std::string body;
};

size_t Collect(char* data, size_t size, size_t count, void* into) {
  static_cast<std::string*>(into)->append(data, size * count);
  return size * count;
}

// A POST if there is a body, else a GET.
absl::StatusOr<Answer> Fetch(const std::string& url, const std::string& body) {
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, Cleanup> curl(curl_easy_init());
  if (initialized != CURLE_OK || curl == nullptr) return absl::InternalError("libcurl does not start");
  Answer answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kTimeoutMs);
  // A proxy of the machine's environment knows nothing of our loopback.
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  if (!body.empty()) curl_easy_setopt(curl.get(), CURLOPT_COPYPOSTFIELDS, body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &Collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return absl::UnavailableError(absl::StrCat(url, ": ", curl_easy_strerror(code)));
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

absl::StatusOr<json> FetchJson(const std::string& url, const std::string& body = "") {
  const absl::StatusOr<Answer> answer = Fetch(url, body);
  if (!answer.ok()) return answer.status();
  if (answer->status == 404) return absl::NotFoundError(absl::StrCat(url, ": ", answer->body));
  json read = json::parse(answer->body, nullptr, false);
  if (answer->status / 100 != 2 || !read.is_object()) {
    return absl::InternalError(absl::StrCat(url, " answered ", answer->status, ": ", answer->body));
  }
  return read;
}

std::string Text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// The strings of a list; empty if it is none.
std::vector<std::string> Texts(const json& object, const char* name) {
  std::vector<std::string> texts;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) return texts;
  for (const json& each : *found) texts.push_back(each.is_string() ? each.get<std::string>() : each.dump());
  return texts;
}

json List(const json& object, const char* name) { return object.value(name, json::array()); }

}  // namespace

absl::StatusOr<std::string> WorldClient::NumberOf(const std::string& scenario) const {
  const absl::StatusOr<json> answer = FetchJson(absl::StrCat(base_url_, "/sim/scenarios"));
  if (!answer.ok()) return answer.status();
  for (const json& each : List(*answer, "scenarios")) {
    if (Text(each, "name") == scenario) return absl::StrCat("+", Text(each, "to"));
  }
  return absl::NotFoundError(absl::StrCat("the simulated world has no scenario '", scenario, "'"));
}

absl::StatusOr<std::string> WorldClient::Ring(const std::string& scenario) const {
  const absl::StatusOr<json> answer =
      FetchJson(absl::StrCat(base_url_, "/sim/calls"), json{{"scenario", scenario}}.dump());
  if (!answer.ok()) return answer.status();
  return Text(*answer, "call_uuid");
}

absl::StatusOr<WorldReport> WorldClient::Report(const std::string& carrier_call_id) const {
  WorldReport report;
  const absl::StatusOr<json> answer = FetchJson(absl::StrCat(base_url_, "/sim/calls/", carrier_call_id));
  if (absl::IsNotFound(answer.status())) return report;
  if (!answer.ok()) return answer.status();
  report.found = true;
  const auto over = answer->find("over");
  report.over = over != answer->end() && *over == true;
  report.violations = Texts(*answer, "violations");
  report.failed_steps = Texts(*answer, "failed_steps");
  return report;
}

absl::StatusOr<std::vector<std::string>> WorldClient::Violations() const {
  const absl::StatusOr<json> carrier = FetchJson(absl::StrCat(base_url_, "/sim/violations"));
  if (!carrier.ok()) return carrier.status();
  const absl::StatusOr<json> model = FetchJson(absl::StrCat(base_url_, "/sim/model/sessions"));
  if (!model.ok()) return model.status();
  std::vector<std::string> violations = Texts(*carrier, "violations");
  for (const json& session : List(*model, "sessions")) {
    for (const std::string& refused : Texts(session, "refused")) violations.push_back(absl::StrCat("model: ", refused));
  }
  return violations;
}

absl::Status CheckReady(const std::string& url) {
  const absl::StatusOr<Answer> answer = Fetch(url, "");
  if (!answer.ok()) return answer.status();
  if (answer->status != 200) return absl::UnavailableError(absl::StrCat(url, " answered ", answer->status));
  return absl::OkStatus();
}

}  // namespace callbridge::demo
