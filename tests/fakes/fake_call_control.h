#ifndef CALLBRIDGE_TESTS_FAKES_FAKE_CALL_CONTROL_H_
#define CALLBRIDGE_TESTS_FAKES_FAKE_CALL_CONTROL_H_

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "src/base/mutex.h"
#include "src/session/call_control.h"

namespace callbridge::session {

// A CallControl that notes what it is asked and answers what a test has set, at once or when told. Thread-safe.
class FakeCallControl final : public CallControl {
 public:
  void StartCall(StartRequest request, std::function<void(absl::StatusOr<store::CallRecord>)> done) override {
    base::MutexLock lock(mutex_);
    starts_.push_back(std::move(request));
    Answer([done = std::move(done), result = Failing(start_result_)] { done(result); });
  }
  void EvaluateStart(const StartRequest& request,
                     std::function<void(absl::StatusOr<std::vector<absl::Status>>)> done) override {
    base::MutexLock lock(mutex_);
    Answer([done = std::move(done), result = Failing(evaluation_)] { done(result); });
  }
  Standing standing() const override {
    base::MutexLock lock(mutex_);
    return standing_;
  }
  void EndCall(absl::string_view call_id, absl::string_view reason, absl::string_view goodbye,
               std::function<void(absl::Status)> done) override {
    base::MutexLock lock(mutex_);
    ends_.emplace_back(call_id, reason);
    goodbyes_.emplace_back(goodbye);
    Answer([done = std::move(done), result = Failing(end_result_)] { done(result); });
  }
  void TransferCall(TransferRequest request, std::function<void(absl::StatusOr<call::Transfer>)> done) override {
    base::MutexLock lock(mutex_);
    transfers_.push_back(std::move(request));
    Answer([done = std::move(done), result = Failing(transfer_result_)] { done(result); });
  }
  void CancelTransfer(absl::string_view call_id, absl::string_view transfer_id,
                      std::function<void(absl::StatusOr<call::Transfer>)> done) override {
    base::MutexLock lock(mutex_);
    cancels_.emplace_back(call_id, transfer_id);
    Answer([done = std::move(done), result = Failing(transfer_result_)] { done(result); });
  }
  void Steer(SteerRequest request, std::function<void(absl::StatusOr<Steered>)> done) override {
    base::MutexLock lock(mutex_);
    steerings_.push_back(std::move(request));
    Answer([done = std::move(done), result = Failing(steer_result_)] { done(result); });
  }
  bool IsLive(absl::string_view call_id) const override {
    base::MutexLock lock(mutex_);
    return live_;
  }
  std::vector<std::string> Destinations() const override {
    base::MutexLock lock(mutex_);
    if (throwing_) throw std::runtime_error("secret of the fake");
    return {"sales", "support"};
  }

  void SetStartResult(absl::StatusOr<store::CallRecord> result) {
    base::MutexLock lock(mutex_);
    start_result_ = std::move(result);
  }
  void SetEvaluation(absl::StatusOr<std::vector<absl::Status>> evaluation) {
    base::MutexLock lock(mutex_);
    evaluation_ = std::move(evaluation);
  }
  void SetStanding(Standing standing) {
    base::MutexLock lock(mutex_);
    standing_ = std::move(standing);
  }
  void SetEndResult(absl::Status result) {
    base::MutexLock lock(mutex_);
    end_result_ = std::move(result);
  }
  void SetTransferResult(absl::StatusOr<call::Transfer> result) {
    base::MutexLock lock(mutex_);
    transfer_result_ = std::move(result);
  }
  void SetSteerResult(absl::StatusOr<Steered> result) {
    base::MutexLock lock(mutex_);
    steer_result_ = std::move(result);
  }
  // From now on everything that answers answers that error; OK: as before.
  void FailAll(const absl::Status& error) {
    base::MutexLock lock(mutex_);
    failure_ = error;
  }
  // Whether it says that calls are here.
  void SetLive(bool live) {
    base::MutexLock lock(mutex_);
    live_ = live;
  }
  // Destinations() throws.
  void SetThrowing(bool throwing) {
    base::MutexLock lock(mutex_);
    throwing_ = throwing;
  }
  // Answers wait for AnswerHeld() or DropHeld().
  void Hold() {
    base::MutexLock lock(mutex_);
    holding_ = true;
  }
  void AnswerHeld() {
    for (const auto& answer : TakeHeld()) answer();
  }
  void DropHeld() { TakeHeld(); }

  std::vector<StartRequest> starts() const {
    base::MutexLock lock(mutex_);
    return starts_;
  }
  std::vector<std::pair<std::string, std::string>> ends() const {
    base::MutexLock lock(mutex_);
    return ends_;
  }
  std::vector<TransferRequest> transfers() const {
    base::MutexLock lock(mutex_);
    return transfers_;
  }
  std::vector<std::pair<std::string, std::string>> cancels() const {
    base::MutexLock lock(mutex_);
    return cancels_;
  }
  std::vector<std::string> goodbyes() const {
    base::MutexLock lock(mutex_);
    return goodbyes_;
  }
  std::vector<SteerRequest> steerings() const {
    base::MutexLock lock(mutex_);
    return steerings_;
  }
  size_t held() const {
    base::MutexLock lock(mutex_);
    return held_.size();
  }

 private:
  void Answer(std::function<void()> answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (holding_) return held_.push_back(std::move(answer));
    answer();
  }
  template <typename Result>
  Result Failing(const Result& result) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!failure_.ok()) return failure_;
    return result;
  }
  std::vector<std::function<void()>> TakeHeld() {
    base::MutexLock lock(mutex_);
    holding_ = false;
    return std::exchange(held_, {});
  }

  mutable base::Mutex mutex_;
  absl::StatusOr<store::CallRecord> start_result_ ABSL_GUARDED_BY(mutex_) = store::CallRecord();
  absl::StatusOr<std::vector<absl::Status>> evaluation_ ABSL_GUARDED_BY(mutex_) = std::vector<absl::Status>();
  Standing standing_ ABSL_GUARDED_BY(mutex_);
  absl::Status end_result_ ABSL_GUARDED_BY(mutex_);
  absl::StatusOr<call::Transfer> transfer_result_ ABSL_GUARDED_BY(mutex_) = call::Transfer();
  absl::StatusOr<Steered> steer_result_ ABSL_GUARDED_BY(mutex_) = Steered();
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  bool live_ ABSL_GUARDED_BY(mutex_) = true;
  bool throwing_ ABSL_GUARDED_BY(mutex_) = false;
  bool holding_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::function<void()>> held_ ABSL_GUARDED_BY(mutex_);
  std::vector<StartRequest> starts_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, std::string>> ends_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> goodbyes_ ABSL_GUARDED_BY(mutex_);
  std::vector<SteerRequest> steerings_ ABSL_GUARDED_BY(mutex_);
  std::vector<TransferRequest> transfers_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, std::string>> cancels_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_TESTS_FAKES_FAKE_CALL_CONTROL_H_
