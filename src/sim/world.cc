#include "src/sim/world.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/sim/scenario_files.h"
#include "src/sim/world_api.h"

namespace callbridge::sim {
namespace {

absl::Status Named(absl::string_view what, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

// Name and text of each scenario.
absl::StatusOr<std::map<std::string, std::string>> ReadFolder(const std::string& folder) {
  std::error_code error;
  std::map<std::string, std::string> texts;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".scenario") continue;
    std::ifstream file(entry.path());
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) return absl::InternalError(absl::StrCat("cannot read ", entry.path().string()));
    texts[entry.path().stem().string()] = text.str();
  }
  if (error) return absl::NotFoundError(absl::StrCat("folder of scenarios ", folder, ": ", error.message()));
  if (texts.empty()) return absl::NotFoundError(absl::StrCat("no *.scenario files in ", folder));
  return texts;
}

class LiveWorld final : public World {
 public:
  explicit LiveWorld(std::shared_ptr<const SpeechLibrary> speech) : speech_(std::move(speech)) {}
  ~LiveWorld() override { Stop(); }

  absl::Status Load(const std::string& folder) {
    absl::StatusOr<std::map<std::string, std::string>> texts = EmbeddedScenarios();
    if (!folder.empty()) texts = ReadFolder(folder);
    if (!texts.ok()) return texts.status();
    for (const auto& [name, text] : *texts) {
      absl::StatusOr<Scenario> scenario = Read(text, name);
      if (!scenario.ok()) return Named(absl::StrCat(name, ".scenario"), scenario.status());
      scenarios_[name] = *std::move(scenario);
    }
    return absl::OkStatus();
  }

  absl::Status Listen(const Options& options) {
    absl::StatusOr<std::unique_ptr<ModelServer>> model = ModelServer::Start(options.model, speech_);
    if (!model.ok()) return Named(absl::StrCat("the model on ", options.model.listen), model.status());
    model_ = *std::move(model);
    absl::StatusOr<std::unique_ptr<CarrierServer>> carrier = CarrierServer::Start(options.carrier, speech_);
    if (!carrier.ok()) return Named(absl::StrCat("the carrier on ", options.carrier.listen), carrier.status());
    carrier_ = *std::move(carrier);
    carrier_->OnCallStarts([this](const Scenario& scenario) {
      // Nobody asks the model about a call that is never picked up.
      if (scenario.inbound || scenario.pickup.kind == Pickup::Kind::kAnswer) model_->QueueScenario(scenario);
    });
    const auto chat = scenarios_.find("chat");
    if (chat != scenarios_.end()) model_->SetDefault(chat->second);
    for (const auto& [name, scenario] : scenarios_) {
      if (!scenario.inbound) carrier_->RegisterPhone(scenario);
    }
    carrier_->OnOtherRequest([this](const base::HttpRequest& request) { return HandleWorldRequest(*this, request); });
    return absl::OkStatus();
  }

  CarrierServer& carrier() override { return *carrier_; }
  ModelServer& model() override { return *model_; }
  const SpeechLibrary& speech() const override { return *speech_; }
  const std::map<std::string, Scenario>& scenarios() const override { return scenarios_; }

  absl::StatusOr<Scenario> Read(absl::string_view text, absl::string_view name) const override {
    absl::StatusOr<Scenario> scenario = ParseScenario(text, name);
    if (!scenario.ok()) return scenario;
    for (const std::string& clip : ClipsOf(*scenario)) {
      if (speech_->Find(clip) == nullptr)
        return absl::InvalidArgumentError(absl::StrCat("there is no clip '", clip, "'"));
    }
    return scenario;
  }

  void Stop() override {
    if (carrier_ != nullptr) carrier_->Stop();
    if (model_ != nullptr) model_->Stop();
  }

 private:
  const std::shared_ptr<const SpeechLibrary> speech_;
  std::map<std::string, Scenario> scenarios_;
  std::unique_ptr<ModelServer> model_;
  std::unique_ptr<CarrierServer> carrier_;  // After the model, which its calls use: destroyed first.
};

}  // namespace

absl::StatusOr<std::unique_ptr<World>> World::Start(const Options& options) {
  absl::StatusOr<std::shared_ptr<const SpeechLibrary>> speech =
      options.speech_folder.empty() ? SpeechLibrary::Load() : SpeechLibrary::Load(options.speech_folder);
  if (!speech.ok()) return speech.status();
  auto world = std::make_unique<LiveWorld>(*std::move(speech));
  absl::Status status = world->Load(options.scenarios_folder);
  if (status.ok()) status = world->Listen(options);
  if (!status.ok()) return status;
  return world;
}

}  // namespace callbridge::sim
