#include "src/session/call_recorder.h"

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/log.h"
#include "src/store/merge_writes.h"
#include "src/store/refusals.h"

namespace callbridge::session {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Keeps heads, positions and writes in memory, and fails when told to. Only what the recorder calls.
class FakeStore final : public store::CallStore {
 public:
  absl::StatusOr<Created> CreateCall(const store::CallRecord& call, const std::vector<call::Event>& events,
                                     const absl::optional<store::RequestKey>&) override {
    ++attempts;
    if (!next_error.ok()) return next_error;
    Created created;
    created.call = call;
    created.existed = heads.count(call.call_id) > 0;
    if (created.existed) return created;
    heads[call.call_id] = events.size();
    for (const call::Event& event : events) created.events.push_back({++position, event});
    log.insert(log.end(), created.events.begin(), created.events.end());
    return created;
  }
  absl::Status Apply(const store::CallWrite& write, std::vector<int64_t>* positions) override {
    ++attempts;
    if (!next_error.ok()) return next_error;
    if (refuse && refuse(write)) return absl::InternalError("refused");
    if (write.owner && owners.count(write.call_id) > 0 && !(*write.owner == owners[write.call_id])) {
      return store::OwnerChanged(write.call_id);
    }
    if (heads.count(write.call_id) == 0) return absl::NotFoundError("no such call");
    int64_t& head = heads[write.call_id];
    if (!write.events.empty() && write.events[0].sequence > head + 1) return absl::FailedPreconditionError("gap");
    for (const call::Event& event : write.events) {
      log.push_back({++position, event});
      if (tells_positions) positions->push_back(position);
      head = event.sequence;
    }
    applied.push_back(write);
    return absl::OkStatus();
  }
  absl::StatusOr<store::CallRecord> GetCall(absl::string_view) override { return Unused(); }
  absl::StatusOr<std::vector<store::CallRecord>> ListCalls(const store::CallFilter&,
                                                           const absl::optional<store::CallPageKey>&, int) override {
    return Unused();
  }
  absl::StatusOr<std::vector<call::TranscriptItem>> GetTranscript(absl::string_view) override { return Unused(); }
  absl::StatusOr<std::vector<call::Transfer>> ListTransfers(absl::string_view) override { return Unused(); }
  absl::StatusOr<std::vector<events::StoredEvent>> ReadCallEvents(absl::string_view, int64_t, int) override {
    return Unused();
  }
  absl::StatusOr<std::vector<events::StoredEvent>> ReadEvents(int64_t, int) override { return Unused(); }
  absl::StatusOr<int64_t> HeadPosition() override { return Unused(); }
  absl::StatusOr<absl::optional<store::CallRecord>> FindRequest(const store::RequestKey&) override {
    return known_request;
  }
  absl::StatusOr<store::LeadRecord> GetLead(absl::string_view) override { return Unused(); }
  absl::StatusOr<store::LeadRecord> FindLead(absl::string_view) override { return Unused(); }
  absl::StatusOr<std::vector<store::OpenCall>> CloseOpenCalls(const call::Termination&, absl::Time, bool) override {
    return Unused();
  }
  absl::StatusOr<std::vector<store::SummaryJob>> ListSummaryJobs(absl::Time, int) override { return Unused(); }
  absl::Status SaveSummaryJob(const store::SummaryJob&) override { return Unused(); }
  absl::StatusOr<bool> ClaimSummaryJob(const store::SummaryJob&, absl::Time) override { return Unused(); }
  absl::StatusOr<store::CallRecord> FindCall(absl::string_view, absl::string_view) override { return Unused(); }
  absl::StatusOr<int64_t> OldestPosition() override { return Unused(); }
  absl::Status NoteRestored(absl::Time) override { return Unused(); }
  absl::StatusOr<std::vector<store::LostPositions>> ListLostPositions() override { return Unused(); }
  absl::StatusOr<store::LeadRecord> CreateLead(const store::LeadRecord&) override { return Unused(); }
  absl::StatusOr<std::vector<store::LeadRecord>> ListLeads(const store::LeadFilter&,
                                                           const absl::optional<store::LeadPageKey>&, int) override {
    return Unused();
  }
  absl::StatusOr<store::CallRecord> UpdateCall(const store::CallUpdate&) override { return Unused(); }
  absl::StatusOr<store::LeadRecord> UpdateLead(const store::LeadUpdate&, absl::Time) override { return Unused(); }
  absl::Status AddTranscriptRead(const store::TranscriptRead&) override { return Unused(); }
  absl::StatusOr<std::vector<store::TranscriptRead>> ListTranscriptReads(absl::string_view, int) override {
    return Unused();
  }
  absl::StatusOr<store::Erasure> EraseNumber(absl::string_view, absl::string_view, absl::Time) override {
    return Unused();
  }
  absl::StatusOr<std::vector<store::Erasure>> ListErasures(int) override { return Unused(); }
  absl::StatusOr<store::Purged> Purge(const store::Retention&, int) override { return Unused(); }

  std::atomic<int> attempts{0};
  absl::Status next_error;
  absl::optional<store::CallRecord> known_request;
  std::function<bool(const store::CallWrite&)> refuse;
  std::map<std::string, int64_t> heads;
  std::map<std::string, store::Owner> owners;  // Of those that have been taken away.
  int64_t position = 0;
  bool tells_positions = true;
  std::vector<events::StoredEvent> log;
  std::vector<store::CallWrite> applied;

 private:
  static absl::Status Unused() { return absl::UnimplementedError("not for these tests"); }
};

call::Event MakeEvent(const std::string& call_id, int64_t sequence) {
  return {call_id, sequence, absl::UnixEpoch(), call::DtmfReceived{"1"}};
}

store::CallWrite MakeWrite(const std::string& call_id, std::vector<int64_t> sequences = {}) {
  store::CallWrite write;
  write.call_id = call_id;
  for (const int64_t sequence : sequences) write.events.push_back(MakeEvent(call_id, sequence));
  return write;
}

class CallRecorderTest : public testing::Test {
 protected:
  CallRecorderTest() { base::SetLogEnabled(false); }
  ~CallRecorderTest() override { base::SetLogEnabled(true); }

  CallRecorder& recorder() {
    if (recorder_ == nullptr) {
      options_.clock = &clock_;
      options_.delay = [this](absl::Duration pause, base::Task task) {
        pauses_.push_back(pause);
        paused_ = std::move(task);
      };
      options_.hint = [this](int64_t position) { hints_.push_back(position); };
      recorder_ = std::make_unique<CallRecorder>(store_, executor_, options_);
    }
    return *recorder_;
  }
  void Create(const std::string& call_id) {
    store::CallRecord call;
    call.call_id = call_id;
    recorder().Create(call, {MakeEvent(call_id, 1)}, absl::nullopt, [this, call_id](const auto& created) {
      created_.emplace_back(call_id, created.status().code());
    });
  }
  // A call that is there.
  void Given(const std::string& call_id) {
    Create(call_id);
    executor_.RunAll();
    created_.clear();
  }
  // Lets the pause pass.
  void Resume() {
    ASSERT_NE(paused_, nullptr);
    std::exchange(paused_, nullptr)();
    executor_.RunAll();
  }
  // What is in the log up to where the last hint was.
  std::vector<std::string> Hinted() {
    std::vector<std::string> names;
    for (const auto& stored : store_.log) {
      if (hints_.empty() || stored.position > hints_.back()) break;
      names.push_back(absl::StrCat(stored.event.call_id, "/", stored.event.sequence));
    }
    return names;
  }

  FakeStore store_;
  std::vector<int64_t> hints_;
  base::ManualExecutor executor_;
  base::ManualClock clock_;
  CallRecorder::Options options_;
  std::vector<absl::Duration> pauses_;
  base::Task paused_;
  std::vector<std::pair<std::string, absl::StatusCode>> created_;
  std::unique_ptr<CallRecorder> recorder_;
};

TEST_F(CallRecorderTest, WritesOnTheExecutorAndHintsAfterwards) {
  Create("a");
  recorder().Write(MakeWrite("a", {2}));
  EXPECT_EQ(store_.attempts, 0);
  EXPECT_EQ(recorder().pending(), 2);
  executor_.RunAll();
  EXPECT_THAT(Hinted(), ElementsAre("a/1", "a/2"));
  EXPECT_THAT(created_, ElementsAre(std::make_pair("a", absl::StatusCode::kOk)));
  EXPECT_EQ(recorder().pending(), 0);
  EXPECT_TRUE(recorder().Flush(absl::ZeroDuration()));
}

TEST_F(CallRecorderTest, AsksBeforeACallIsMade) {
  store::CallRecord call;
  call.call_id = "a";
  std::vector<std::string> answers;
  absl::Status check = absl::ResourceExhaustedError("too often");
  const auto create = [&](const absl::optional<store::RequestKey>& key) {
    recorder().Create(
        call, {MakeEvent("a", 1)}, key,
        [&](const auto& created) {
          answers.push_back(created.ok() ? absl::StrCat(created->call.call_id, created->existed ? " again" : "")
                                         : std::string(created.status().message()));
        },
        [&](store::CallStore&) { return check; });
    executor_.RunAll();
  };
  create(absl::nullopt);
  EXPECT_THAT(store_.log, IsEmpty());
  create(store::RequestKey{"crm", "r1", "f"});
  store_.known_request.emplace();
  store_.known_request->call_id = "b";
  create(store::RequestKey{"crm", "r1", "f"});
  store_.known_request.reset();
  check = absl::UnavailableError("away");
  create(absl::nullopt);
  check = absl::OkStatus();
  Resume();
  EXPECT_THAT(answers, ElementsAre("too often", "too often", "b again", "a"));
  EXPECT_THAT(Hinted(), ElementsAre("a/1"));
}

TEST_F(CallRecorderTest, MergesWhatWaits) {
  Given("a");
  for (int64_t sequence = 2; sequence <= 6; ++sequence) recorder().Write(MakeWrite("a", {sequence}));
  executor_.RunAll();
  ASSERT_EQ(store_.applied.size(), 1);
  EXPECT_EQ(store_.applied[0].events.size(), 5);
  EXPECT_EQ(Hinted().back(), "a/6");
}

TEST_F(CallRecorderTest, MergesNoMoreThanItMay) {
  options_.max_merged = 2;
  Given("a");
  for (int64_t sequence = 2; sequence <= 6; ++sequence) recorder().Write(MakeWrite("a", {sequence}));
  executor_.RunAll();
  EXPECT_EQ(store_.applied.size(), 3);
  EXPECT_EQ(Hinted().size(), 6);
}

TEST_F(CallRecorderTest, KeepsWritesWhileTheStoreIsAwayInTheirOrder) {
  Given("a");
  Given("b");
  store_.next_error = absl::UnavailableError("away");
  recorder().Write(MakeWrite("a", {2}));
  recorder().Write(MakeWrite("b", {2}));
  executor_.RunAll();
  for (int i = 0; i < 8; ++i) Resume();
  recorder().Write(MakeWrite("a", {3}));
  EXPECT_EQ(executor_.RunAll(), 0) << "nothing before the pause is over";
  EXPECT_THAT(Hinted(), ElementsAre("a/1", "b/1"));
  EXPECT_FALSE(recorder().Flush(absl::ZeroDuration()));
  store_.next_error = absl::OkStatus();
  Resume();
  EXPECT_EQ(recorder().pending(), 0);
  EXPECT_EQ(store_.heads["a"], 3);
  EXPECT_EQ(store_.heads["b"], 2);
  EXPECT_EQ(recorder().lost_events(), 0);
  EXPECT_EQ(pauses_.front(), options_.first_pause);
  EXPECT_EQ(pauses_[1], 2 * options_.first_pause);
  EXPECT_EQ(pauses_.back(), options_.longest_pause);
}

TEST_F(CallRecorderTest, PausesBeginAnewAfterAnAnswer) {
  Given("a");
  store_.next_error = absl::UnavailableError("away");
  recorder().Write(MakeWrite("a", {2}));
  executor_.RunAll();
  Resume();
  store_.next_error = absl::OkStatus();
  Resume();
  store_.next_error = absl::UnavailableError("away");
  recorder().Write(MakeWrite("a", {3}));
  executor_.RunAll();
  EXPECT_EQ(pauses_.back(), options_.first_pause);
}

TEST_F(CallRecorderTest, ARefusedWriteDoesNotHoldUpOthers) {
  Given("a");
  Given("b");
  store_.refuse = [](const store::CallWrite& write) { return write.call_id == "a"; };
  recorder().Write(MakeWrite("a", {2}));
  recorder().Write(MakeWrite("b", {2}));
  executor_.RunAll();
  EXPECT_EQ(store_.heads["b"], 2);
  EXPECT_EQ(recorder().pending(), 0);
  EXPECT_EQ(recorder().lost_events(), 1);
  EXPECT_THAT(pauses_, IsEmpty());
}

TEST_F(CallRecorderTest, OneRefusedWriteDoesNotTakeItsNeighboursAlong) {
  Given("a");
  store_.refuse = [](const store::CallWrite& write) { return write.summary.has_value(); };
  recorder().Write(MakeWrite("a", {2}));
  store::CallWrite bad = MakeWrite("a");
  bad.summary = "bad";
  recorder().Write(bad);
  recorder().Write(MakeWrite("a", {3}));
  executor_.RunAll();
  EXPECT_EQ(store_.heads["a"], 3);
  EXPECT_EQ(recorder().lost_events(), 0);
}

TEST_F(CallRecorderTest, TheEndIsKeptBehindLostEvents) {
  Given("a");
  store::CallWrite end = MakeWrite("a", {5});
  end.end.emplace();
  recorder().Write(end);
  executor_.RunAll();
  ASSERT_EQ(store_.applied.size(), 1);
  EXPECT_TRUE(store_.applied[0].end.has_value());
  EXPECT_THAT(store_.applied[0].events, IsEmpty());
  EXPECT_EQ(recorder().lost_events(), 1);
  EXPECT_THAT(Hinted(), ElementsAre("a/1"));
}

TEST_F(CallRecorderTest, WhatCameOfACallIsKeptBehindLostEvents) {
  Given("a");
  const std::function<void(store::CallWrite&)> kFields[] = {
      [](store::CallWrite& write) { write.result.emplace(); },
      [](store::CallWrite& write) { write.summary_due = true; },
      [](store::CallWrite& write) { write.summary_settled = true; },
      [](store::CallWrite& write) { write.answered_by_machine = true; }};
  for (const auto& set : kFields) {
    store::CallWrite write = MakeWrite("a", {5});
    set(write);
    recorder().Write(write);
    executor_.RunAll();
  }
  EXPECT_EQ(store_.applied.size(), 4);
}

TEST_F(CallRecorderTest, CommittedEventsAreShownOnceInOrder) {
  std::vector<std::string> seen;
  options_.on_commit = [&](const call::Event& event) {
    seen.push_back(absl::StrCat(event.call_id, "/", event.sequence));
    EXPECT_EQ(Hinted().size(), event.sequence == 1 ? 0 : 1) << "before the hint";
  };
  Create("a");
  recorder().Write(MakeWrite("a", {2}));
  store_.next_error = absl::UnavailableError("away");
  executor_.RunAll();
  EXPECT_THAT(seen, IsEmpty()) << "not before it is committed";
  store_.next_error = absl::OkStatus();
  Resume();
  recorder().Write(MakeWrite("a", {9}));  // Refused: it leaves a gap.
  executor_.RunAll();
  EXPECT_THAT(seen, ElementsAre("a/1", "a/2"));
}

TEST_F(CallRecorderTest, WritesOfACallThatIsNotThereAreDropped) {
  store::CallWrite write = MakeWrite("nobody", {2});
  write.summary = "s";
  recorder().Write(write);
  executor_.RunAll();
  EXPECT_EQ(recorder().pending(), 0);
  EXPECT_EQ(recorder().lost_events(), 1);
  EXPECT_EQ(store_.attempts, 1);
}

TEST_F(CallRecorderTest, TooManyWritesShedEventsAndKeepTheEnd) {
  options_.max_pending = 3;
  Given("a");
  for (int64_t sequence = 2; sequence <= 6; ++sequence) recorder().Write(MakeWrite("a", {sequence}));
  EXPECT_EQ(recorder().pending(), 3);
  EXPECT_EQ(recorder().lost_events(), 2);
  store::CallWrite end = MakeWrite("a", {7});
  end.end.emplace();
  recorder().Write(end);
  executor_.RunAll();
  EXPECT_EQ(recorder().lost_events(), 3);
  EXPECT_TRUE(store_.applied.back().end.has_value());
  EXPECT_EQ(store_.heads["a"], 4);
}

TEST_F(CallRecorderTest, CreateGivesUpWhenItsPatienceIsOver) {
  store_.next_error = absl::UnavailableError("away");
  Create("a");
  Create("b");
  executor_.RunAll();
  EXPECT_THAT(created_, IsEmpty());
  clock_.Advance(options_.create_patience);
  Resume();
  EXPECT_EQ(created_.size(), 2) << "also the one whose turn it was not";
  for (const auto& [call_id, code] : created_) EXPECT_EQ(code, absl::StatusCode::kUnavailable);
  store_.next_error = absl::OkStatus();
  Resume();
  EXPECT_THAT(store_.heads, IsEmpty()) << "what was given up is not made later";
  EXPECT_EQ(created_.size(), 2);
  EXPECT_EQ(recorder().pending(), 0);
}

TEST_F(CallRecorderTest, CreateTellsOtherErrorsAtOnce) {
  store_.next_error = absl::InvalidArgumentError("reused");
  Create("a");
  executor_.RunAll();
  EXPECT_THAT(created_, ElementsAre(std::make_pair("a", absl::StatusCode::kInvalidArgument)));
}

TEST_F(CallRecorderTest, ACallThatExistedHintsAtNothingAgain) {
  Given("a");
  Create("a");
  executor_.RunAll();
  EXPECT_THAT(Hinted(), ElementsAre("a/1"));
  EXPECT_EQ(hints_.size(), 1);
}

TEST_F(CallRecorderTest, AStoreThatKeepsAWriteElsewhereIsHintedAtWithoutAPosition) {
  std::vector<int64_t> seen;
  options_.on_commit = [&](const call::Event& event) { seen.push_back(event.sequence); };
  Given("a");
  store_.tells_positions = false;
  recorder().Write(MakeWrite("a", {2, 3}));
  executor_.RunAll();
  EXPECT_THAT(hints_, ElementsAre(1, 0));
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
}

TEST_F(CallRecorderTest, WritesWithoutEventsHintAtNothing) {
  Given("a");
  store::CallWrite write = MakeWrite("a");
  write.summary = "s";
  recorder().Write(write);
  executor_.RunAll();
  EXPECT_EQ(store_.applied.size(), 1);
  EXPECT_THAT(hints_, ElementsAre(1));
}

TEST_F(CallRecorderTest, WhatWasPostedMayRunAfterTheRecorder) {
  Create("a");
  recorder_.reset();
  executor_.RunAll();
  EXPECT_EQ(store_.attempts, 0);
  EXPECT_THAT(created_, IsEmpty());
}

TEST(CallRecorderThreads, ManyLoopsOneOrderPerCall) {
  constexpr int kCalls = 4;
  constexpr int64_t kWrites = 500;
  base::SetLogEnabled(false);
  FakeStore store;
  std::atomic<int64_t> hinted{0};
  {
    base::ThreadExecutor executor("store");
    CallRecorder::Options options;
    options.hint = [&hinted](int64_t position) { hinted = position; };
    CallRecorder recorder(store, executor, options);
    std::vector<std::thread> loops;
    for (int c = 0; c < kCalls; ++c) {
      loops.emplace_back([&recorder, c] {
        const std::string id = absl::StrCat("c", c);
        store::CallRecord call;
        call.call_id = id;
        recorder.Create(call, {MakeEvent(id, 1)}, absl::nullopt, nullptr);
        for (int64_t sequence = 2; sequence <= kWrites; ++sequence) recorder.Write(MakeWrite(id, {sequence}));
      });
    }
    for (std::thread& loop : loops) loop.join();
    EXPECT_TRUE(recorder.Flush(absl::Seconds(30)));
    EXPECT_EQ(recorder.lost_events(), 0);
  }
  base::SetLogEnabled(true);
  for (int c = 0; c < kCalls; ++c) EXPECT_EQ(store.heads[absl::StrCat("c", c)], kWrites);
  EXPECT_EQ(hinted, kCalls * kWrites);
}

// With the recorder's own thread for pauses: a store that stays away keeps nobody from ending.
TEST(CallRecorderThreads, EndsWhileItWaitsOutAPause) {
  base::SetLogEnabled(false);
  FakeStore store;
  store.next_error = absl::UnavailableError("away");
  {
    base::ThreadExecutor executor("store");
    CallRecorder::Options options;
    options.first_pause = absl::Milliseconds(1);
    CallRecorder recorder(store, executor, options);
    recorder.Write(MakeWrite("a", {1}));
    // Not before it waits out a pause.
    for (int i = 0; i < 500 && store.attempts == 0; ++i) EXPECT_FALSE(recorder.Flush(absl::Milliseconds(20)));
    EXPECT_EQ(recorder.pending(), 1);
  }
  base::SetLogEnabled(true);
  EXPECT_GE(store.attempts, 1);
}

// As long as real ones are, which is too long to be kept inside of a string.
const char kNode[] = "aaaaaaaa-1111-4222-8333-444444444444";

store::CallWrite OwnedWrite(const std::string& call_id, std::vector<int64_t> sequences) {
  store::CallWrite write = MakeWrite(call_id, std::move(sequences));
  write.owner = store::Owner{kNode, 1};
  return write;
}

TEST_F(CallRecorderTest, OfACallThatWasTakenAwayNothingMoreIsWritten) {
  std::vector<std::string> fenced;
  options_.on_fenced = [&](const std::string& call_id) { fenced.push_back(call_id); };
  Given("a");
  Given("b");
  recorder().Write(OwnedWrite("a", {2}));
  executor_.RunAll();
  EXPECT_THAT(fenced, IsEmpty());
  store_.owners["a"] = {kNode, 2};
  recorder().Write(OwnedWrite("a", {3}));
  recorder().Write(OwnedWrite("a", {4}));
  recorder().Write(OwnedWrite("b", {2}));
  executor_.RunAll();
  EXPECT_THAT(fenced, ElementsAre("a"));
  EXPECT_EQ(recorder().fenced_writes(), 2);
  EXPECT_EQ(recorder().lost_events(), 0);
  EXPECT_EQ(recorder().pending(), 0);
  EXPECT_EQ(store_.heads["a"], 2);
  EXPECT_EQ(store_.heads["b"], 2);
  EXPECT_THAT(Hinted(), ElementsAre("a/1", "b/1", "a/2", "b/2"));
  // Its session has not heard of it yet.
  const int before = store_.attempts;
  recorder().Write(OwnedWrite("a", {5}));
  executor_.RunAll();
  EXPECT_EQ(store_.attempts, before) << "the store need not be asked again";
  EXPECT_EQ(recorder().fenced_writes(), 3);
  EXPECT_THAT(fenced, ElementsAre("a")) << "told once";
}

TEST_F(CallRecorderTest, WhatHasNoOwnerIsWrittenToACallThatWasTakenAway) {
  options_.max_merged = 2;
  Given("a");
  store_.owners["a"] = {"n2", 2};
  store::CallWrite settled = MakeWrite("a");
  settled.settlement.emplace().cost = "0.01";
  recorder().Write(OwnedWrite("a", {2}));
  recorder().Write(settled);
  recorder().Write(OwnedWrite("a", {3}));
  recorder().Write(settled);
  executor_.RunAll();
  EXPECT_EQ(recorder().fenced_writes(), 2);
  EXPECT_EQ(recorder().pending(), 0);
  EXPECT_TRUE(recorder().Flush(absl::ZeroDuration()));
  ASSERT_FALSE(store_.applied.empty());
  for (const store::CallWrite& write : store_.applied) {
    EXPECT_TRUE(write.settlement.has_value());
    EXPECT_TRUE(write.events.empty());
  }
}

TEST_F(CallRecorderTest, AnotherReasonToAbortIsNoLossOfTheCall) {
  options_.on_fenced = [](const std::string&) { FAIL(); };
  Given("a");
  store_.next_error = absl::AbortedError("something else");
  recorder().Write(OwnedWrite("a", {2}));
  executor_.RunAll();
  EXPECT_EQ(recorder().fenced_writes(), 0);
  EXPECT_EQ(recorder().lost_events(), 1);
}

TEST(MergeWrites, DoesWhatTwoWritesWouldDo) {
  store::CallWrite into = MakeWrite("a", {2});
  into.state = call::State::kRinging;
  into.summary = "kept";
  into.transferred = true;
  into.transfer_reason = "old";
  store::CallWrite next = MakeWrite("a", {3});
  next.state = call::State::kAnswered;
  next.answer_time = absl::UnixEpoch();
  next.carrier_call_id = "c";
  next.carrier_request_id = "r";
  next.model_session_id = "m";
  next.transcript_items.resize(1);
  next.transfer.emplace();
  next.transferred = false;
  next.transfer_reason = "new";
  next.end.emplace();
  next.transcript = "better";
  next.result.emplace().interest = "high";
  next.summary_due = true;
  next.summary_settled = true;
  next.answered_by_machine = true;
  ASSERT_TRUE(store::MergeWrites(next, &into));
  EXPECT_EQ(into.result->interest, "high");
  EXPECT_TRUE(into.summary_due && into.summary_settled && into.answered_by_machine);
  EXPECT_EQ(into.events.size(), 2);
  EXPECT_EQ(into.state, call::State::kAnswered);
  EXPECT_EQ(into.answer_time, absl::UnixEpoch());
  EXPECT_EQ(into.carrier_call_id, "c");
  EXPECT_EQ(into.carrier_request_id, "r");
  EXPECT_EQ(into.model_session_id, "m");
  EXPECT_EQ(into.transcript_items.size(), 1);
  EXPECT_TRUE(into.transfer.has_value());
  EXPECT_EQ(into.transferred, false);
  EXPECT_EQ(into.transfer_reason, "new");
  EXPECT_TRUE(into.end.has_value());
  EXPECT_EQ(into.transcript, "better");
  EXPECT_EQ(into.summary, "kept");
}

TEST(MergeWrites, OnlyOfOneOwner) {
  const absl::optional<store::Owner> owners[] = {absl::nullopt, store::Owner{"n1", 1}, store::Owner{"n1", 2},
                                                 store::Owner{"n2", 1}};
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < 4; ++j) {
      store::CallWrite into = MakeWrite("a", {2});
      into.owner = owners[i];
      store::CallWrite next = MakeWrite("a", {3});
      next.owner = owners[j];
      EXPECT_EQ(store::MergeWrites(next, &into), i == j) << i << " " << j;
      EXPECT_EQ(into.owner, owners[i]);
    }
  }
}

TEST(MergeWrites, WhatWasMarkedStaysMarked) {
  store::CallWrite into = MakeWrite("a", {2});
  into.result.emplace().interest = "high";
  into.summary_due = into.summary_settled = into.answered_by_machine = true;
  ASSERT_TRUE(store::MergeWrites(MakeWrite("a", {3}), &into));
  EXPECT_EQ(into.result->interest, "high");
  EXPECT_TRUE(into.summary_due && into.summary_settled && into.answered_by_machine);
}

TEST(MergeWrites, RefusesWhatWouldMeanSomethingElse) {
  const auto refused = [](store::CallWrite into, const store::CallWrite& next) {
    return !store::MergeWrites(next, &into);
  };
  store::CallWrite ended = MakeWrite("a");
  ended.end.emplace();
  store::CallWrite final_state = MakeWrite("a");
  final_state.state = call::State::kFailed;
  store::CallWrite one = MakeWrite("a");
  one.transfer.emplace().transfer_id = "1";
  store::CallWrite two = one;
  two.transfer->transfer_id = "2";
  EXPECT_TRUE(refused(MakeWrite("a"), MakeWrite("b")));
  EXPECT_TRUE(refused(MakeWrite("a", {2}), MakeWrite("a", {4})));
  EXPECT_TRUE(refused(MakeWrite("a", {2}), MakeWrite("a", {2})));
  EXPECT_TRUE(refused(ended, MakeWrite("a")));
  EXPECT_TRUE(refused(final_state, MakeWrite("a")));
  EXPECT_TRUE(refused(one, two));
  EXPECT_FALSE(refused(one, one));
}

TEST(MergeWrites, AnEndTakesAnEarlierTranscriptsPlace) {
  store::CallWrite into = MakeWrite("a");
  into.transcript = "early";
  store::CallWrite next = MakeWrite("a");
  next.end.emplace();
  ASSERT_TRUE(store::MergeWrites(next, &into));
  EXPECT_FALSE(into.transcript.has_value());
}

}  // namespace
}  // namespace callbridge::session
