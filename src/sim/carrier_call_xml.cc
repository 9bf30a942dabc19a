#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/base/ids.h"
#include "src/sim/carrier_call.h"

// What a call does with the elements of a document.
namespace callbridge::sim {
namespace {

constexpr absl::Duration kSpeakPerCharacter = absl::Milliseconds(40);
constexpr absl::Duration kSpeakLongest = absl::Seconds(20);
constexpr absl::Duration kPlayLasts = absl::Seconds(1);

int ReadInt(const XmlElement& element, const std::string& name, int otherwise) {
  int value;
  return absl::SimpleAtoi(element.Attribute(name), &value) ? value : otherwise;
}

}  // namespace

void CarrierCall::Next() {
  const int generation = generation_;
  while (!over_ && generation == generation_ && at_ < elements_.size()) {
    const XmlElement element = elements_[at_++];
    if (Execute(element)) return;
  }
  if (over_ || generation != generation_) return;
  End(4010, "Answer XML");
}

bool CarrierCall::Execute(const XmlElement& element) {
  const std::string& name = element.name;
  if (name != "Stream" && StreamActive() && (name == "Speak" || name == "Play")) {
    log_->Violation(absl::StrCat("<", name, "> while a stream is running is not heard"));
  }
  if (name == "Stream") return ExecuteStream(element);
  if (name == "Dial") return ExecuteDial(element);
  if (name == "Speak" || name == "Play") return ExecuteSpeak(element);
  if (name == "Wait") return ExecuteWait(element);
  if (name == "Hangup") return ExecuteHangup(element);
  if (name == "Redirect") return ExecuteRedirect(element);
  if (name == "Record") return ExecuteRecord(element);
  if (name == "GetDigits") return ExecuteGetDigits(element);
  if (name == "PreAnswer") {
    elements_.insert(elements_.begin() + static_cast<int64_t>(at_), element.children.begin(), element.children.end());
    log_->Step("xml", "PreAnswer");
    return false;
  }
  MarkAnswered();
  log_->Step("xml", absl::StrCat(name, " ", element.text));
  return name == "Conference";  // Lasts until somebody hangs up or transfers the call.
}

bool CarrierCall::ExecuteStream(const XmlElement& element) {
  std::vector<std::string> warnings;
  const absl::StatusOr<StreamOrder> order = ReadStream(element, warnings);
  if (!order.ok()) {
    log_->Violation(order.status().message());
    End(8011, "Error");
    return true;
  }
  for (const std::string& warning : warnings) log_->Violation(warning);
  if (StreamActive()) {
    log_->Violation("a second <Stream> while one is running");
    return false;
  }
  MarkAnswered();
  const absl::StatusOr<Url> url = ParseUrl(order->url);
  Url signed_url = *url;
  if (order_.scenario.carrier.upgrade_scheme == "https") signed_url.scheme = url->scheme == "wss" ? "https" : "http";
  if (url->scheme == "ws" && absl::StartsWith(shared_.public_base, "https:")) {
    log_->Violation("the stream's URL is ws:// although the server's public URL is https://");
  }
  CarrierStream::Options options{order_.uuid,
                                 shared_.auth_id,
                                 *order,
                                 MapUrl(*url, shared_.public_base, shared_.dial_base).Spell(),
                                 signed_url.Spell(),
                                 shared_.auth_token,
                                 order_.scenario.carrier};
  CarrierStream::Owner& owner = *this;
  streams_.push_back(std::make_unique<CarrierStream>(std::move(options), loop_, owner));
  stream_ = streams_.back().get();
  stream_blocks_ = order->keep_alive;
  stream_->Open();
  return order->keep_alive;
}

bool CarrierCall::ExecuteDial(const XmlElement& element) {
  if (element.children.empty()) {
    log_->Violation("<Dial> without <Number> or <User>");
    End(8011, "Error");
    return true;
  }
  if (element.Attribute("timeout").empty()) log_->Violation("<Dial> without timeout: a phone can ring on");
  MarkAnswered();
  dial_element_ = element;
  CarrierDial::Owner& owner = *this;
  dial_ = std::make_unique<CarrierDial>(
      element, order_.uuid, order_.from, [this](const std::string& number) { return NextPickup(number); }, Now(),
      owner);
  const std::vector<std::string> numbers = dial_->numbers();
  log_->Step("dial", absl::StrJoin(numbers, " "));
  log_->Update([&numbers](CarrierCallReport& report) {
    report.dialled.insert(report.dialled.end(), numbers.begin(), numbers.end());
  });
  return true;
}

bool CarrierCall::ExecuteSpeak(const XmlElement& element) {
  MarkAnswered();
  const bool speak = element.name == "Speak";
  log_->Step(speak ? "speak" : "play", element.text);
  const absl::Duration length =
      speak ? std::min(kSpeakPerCharacter * static_cast<int64_t>(element.text.size()), kSpeakLongest) : kPlayLasts;
  AfterInDocument(length, [this] { Next(); });
  return true;
}

bool CarrierCall::ExecuteWait(const XmlElement& element) {
  AfterInDocument(absl::Seconds(std::max(1, ReadInt(element, "length", 1))), [this] { Next(); });
  return true;
}

bool CarrierCall::ExecuteHangup(const XmlElement& element) {
  const int schedule = ReadInt(element, "schedule", 0);
  const std::string reason = element.Attribute("reason");
  log_->Step("xml", absl::StrCat("Hangup ", reason));
  if (schedule > 0) {
    After(absl::Seconds(schedule), [this] { End(6000, "Answer XML"); });
    return false;
  }
  const bool unanswered = answered_ == absl::InfiniteFuture();
  End(unanswered && reason == "busy" ? 3010 : unanswered && reason == "rejected" ? 3020 : 4000, "Answer XML");
  return true;
}

bool CarrierCall::ExecuteRedirect(const XmlElement& element) {
  if (++documents_ > kMaxDocuments) {
    End(2060, "Plivo");
  } else {
    FetchDocument(Document::kRedirect, {element.text, element.Attribute("method", "POST")}, Common("Redirect"));
  }
  return true;
}

bool CarrierCall::ExecuteRecord(const XmlElement& element) {
  MarkAnswered();
  const bool session = element.Attribute("recordSession", "false") == "true";
  log_->Step("xml", session ? "Record session" : "Record");
  const std::string id = base::NewUuid();
  const auto params = [this, id](const std::string& duration) {
    Params all = Common("Record");
    all.emplace_back("RecordUrl", absl::StrCat("https://media.example.com/", id, ".mp3"));
    all.emplace_back("RecordingID", id);
    all.emplace_back("RecordingDuration", duration);
    all.emplace_back("RecordingDurationMs", duration == "-1" ? "-1" : absl::StrCat(duration, "000"));
    return all;
  };
  const Webhook action{element.Attribute("action"), element.Attribute("method", "POST")};
  if (session) {
    Notify("record", action, params("-1"));
    return false;
  }
  const int length = std::max(1, std::min(ReadInt(element, "timeout", 15), ReadInt(element, "maxLength", 60)));
  const bool redirect = element.Attribute("redirect", "true") == "true" && !action.url.empty();
  AfterInDocument(absl::Seconds(length), [this, action, redirect, all = params(absl::StrCat(length))] {
    if (redirect) return FetchDocument(Document::kAction, action, all);
    Notify("record", action, all);
    Next();
  });
  return true;
}

bool CarrierCall::ExecuteGetDigits(const XmlElement& element) {
  MarkAnswered();
  log_->Step("xml", "GetDigits");
  gather_ = std::make_unique<Gather>();
  gather_->element = element;
  gather_->tries_left = std::max(1, ReadInt(element, "retries", 1));
  gather_->until = Now() + absl::Seconds(std::max(1, ReadInt(element, "timeout", 5)));
  return true;
}

void CarrierCall::TickGather(absl::Time now) {
  if (now < gather_->until) return;
  if (!gather_->digits.empty()) return FinishGather();
  if (--gather_->tries_left > 0) {
    gather_->until = now + absl::Seconds(std::max(1, ReadInt(gather_->element, "timeout", 5)));
    return;
  }
  gather_.reset();
  Next();
}

void CarrierCall::FinishGather() {
  const std::unique_ptr<Gather> done = std::move(gather_);
  const Webhook action{done->element.Attribute("action"), done->element.Attribute("method", "POST")};
  Params params = Common("GetDigits");
  params.emplace_back("Digits", done->digits);
  if (action.url.empty()) return Next();
  if (done->element.Attribute("redirect", "true") == "true") return FetchDocument(Document::kAction, action, params);
  Notify("digits", action, params);
  Next();
}

void CarrierCall::Press(char digit) {
  if (gather_ == nullptr) {
    if (StreamActive()) stream_->SendDtmf(digit);
    return;
  }
  const std::string finish = gather_->element.Attribute("finishOnKey", "#");
  if (finish == std::string(1, digit)) return FinishGather();
  gather_->digits += digit;
  gather_->until = Now() + absl::Seconds(std::max(1, ReadInt(gather_->element, "digitTimeout", 2)));
  if (static_cast<int>(gather_->digits.size()) >= ReadInt(gather_->element, "numDigits", 99)) FinishGather();
}

}  // namespace callbridge::sim
