#ifndef CALLBRIDGE_TESTS_CONTRACT_STORE_UNDER_TEST_H_
#define CALLBRIDGE_TESTS_CONTRACT_STORE_UNDER_TEST_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/store/call_store.h"

// What every part of the contract of stores is written with.
namespace callbridge::store {

// Makes one database and opens it again and again.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  // Closes what was open before.
  virtual CallStore& Open() = 0;
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;  // A new, empty database.
  std::string missing;                                    // Why there can be none on this machine; empty: there can.
};
inline void PrintTo(const StoreFactory& factory, std::ostream* out) { *out << factory.name; }

inline const absl::Time kStart = absl::FromUnixMicros(1'700'000'000'123'456);

inline call::Event MakeEvent(const std::string& call_id, int64_t sequence,
                             call::EventBody body = call::DtmfReceived{"5"}) {
  return {call_id, sequence, kStart + absl::Seconds(sequence), std::move(body)};
}

inline CallRecord MakeCall(const std::string& call_id, const std::string& from = "+15550001111") {
  CallRecord call;
  call.call_id = call_id;
  call.direction = call::Direction::kInbound;
  call.from = from;
  call.to = "+15559990000";
  call.agent = "front_desk";
  call.state = call::State::kRinging;
  call.create_time = kStart;
  return call;
}

inline std::vector<call::Event> CreatedEvents(const std::string& call_id) {
  call::CallCreated created;
  created.from = "+15550001111";
  created.to = "+15559990000";
  created.agent = "front_desk";
  return {MakeEvent(call_id, 1, created)};
}

inline CallWrite MakeWrite(const std::string& call_id, std::vector<int64_t> sequences = {}) {
  CallWrite write;
  write.call_id = call_id;
  for (const int64_t sequence : sequences) write.events.push_back(MakeEvent(call_id, sequence));
  return write;
}

inline CallWrite::End MakeEnd(call::EndReason reason = call::EndReason::kNormalHangup, bool failed = false) {
  CallWrite::End end;
  end.termination = {reason, call::Party::kCaller, call::Layer::kSignalling, "hangup cause 4000", true, failed};
  end.end_time = kStart + absl::Seconds(90);
  end.duration_seconds = 60;
  end.transcript = "Caller: hello\nAssistant: hi";
  return end;
}

inline call::TranscriptItem MakeItem(const std::string& item_id, int64_t position, const std::string& text = "hello") {
  call::TranscriptItem item;
  item.item_id = item_id;
  item.position = position;
  item.text_generated = text;
  item.text_heard = text;
  return item;
}

inline call::CallResult MakeResult(const std::string& disposition = "interested") {
  return {disposition, "high", "2026-11-23T15:00:00+01:00", R"({"rooms":3})"};
}

class CallStoreContract : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override {
    if (!GetParam().missing.empty()) GTEST_SKIP() << GetParam().missing;
    under_test_ = GetParam().make();
    store_ = &under_test_->Open();
  }

  CallStore& store() { return *store_; }
  void Reopen() { store_ = &under_test_->Open(); }

  // A call that exists, with its first event.
  CallRecord Create(const std::string& call_id, const std::string& from = "+15550001111") {
    return Create(MakeCall(call_id, from));
  }
  CallRecord Create(const CallRecord& call) {
    auto created = store().CreateCall(call, CreatedEvents(call.call_id), absl::nullopt);
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? created->call : CallRecord();
  }
  absl::Status Apply(const CallWrite& write) { return store().Apply(write, nullptr); }
  void ApplyOk(const CallWrite& write) {
    const absl::Status status = Apply(write);
    ASSERT_TRUE(status.ok()) << status;
  }
  void End(const std::string& call_id) {
    CallWrite write = MakeWrite(call_id);
    write.end = MakeEnd();
    ApplyOk(write);
  }
  void Transfer(const std::string& call_id, bool transferred, const std::string& reason = "wants a human") {
    CallWrite write = MakeWrite(call_id);
    write.transferred = transferred;
    write.transfer_reason = reason;
    ApplyOk(write);
  }
  CallRecord Get(const std::string& call_id) {
    auto call = store().GetCall(call_id);
    EXPECT_TRUE(call.ok()) << call.status();
    return call.ok() ? *call : CallRecord();
  }
  LeadRecord Lead(const std::string& phone = "+15550001111") {
    auto lead = store().FindLead(phone);
    EXPECT_TRUE(lead.ok()) << lead.status();
    return lead.ok() ? *lead : LeadRecord();
  }
  std::vector<events::StoredEvent> CallEvents(const std::string& call_id, int64_t after = 0, int limit = 1000) {
    auto events = store().ReadCallEvents(call_id, after, limit);
    EXPECT_TRUE(events.ok()) << events.status();
    return events.ok() ? *events : std::vector<events::StoredEvent>();
  }
  std::vector<events::StoredEvent> AllEvents(int64_t after = 0, int limit = 10000) {
    auto events = store().ReadEvents(after, limit);
    EXPECT_TRUE(events.ok()) << events.status();
    return events.ok() ? *events : std::vector<events::StoredEvent>();
  }
  std::vector<std::string> Ids(const CallFilter& filter, int limit = 100,
                               absl::optional<CallPageKey> after = absl::nullopt) {
    auto calls = store().ListCalls(filter, after, limit);
    EXPECT_TRUE(calls.ok()) << calls.status();
    std::vector<std::string> ids;
    for (const CallRecord& call : calls.ok() ? *calls : std::vector<CallRecord>()) ids.push_back(call.call_id);
    return ids;
  }
  std::vector<std::string> LeadIds(const LeadFilter& filter, int limit = 100) {
    auto leads = store().ListLeads(filter, absl::nullopt, limit);
    EXPECT_TRUE(leads.ok()) << leads.status();
    std::vector<std::string> ids;
    for (const LeadRecord& lead : leads.ok() ? *leads : std::vector<LeadRecord>()) ids.push_back(lead.lead_id);
    return ids;
  }
  static CallWrite Due(const std::string& call_id, std::vector<int64_t> sequences) {
    CallWrite write = MakeWrite(call_id, std::move(sequences));
    write.end = MakeEnd();
    write.summary_due = true;
    return write;
  }
  static CallWrite Settled(const std::string& call_id, std::vector<int64_t> sequences) {
    CallWrite write = MakeWrite(call_id, std::move(sequences));
    write.summary_settled = true;
    return write;
  }
  std::vector<SummaryJob> Jobs(absl::Time due_by = absl::InfiniteFuture(), int limit = 100) {
    auto jobs = store().ListSummaryJobs(due_by, limit);
    EXPECT_TRUE(jobs.ok()) << jobs.status();
    return jobs.ok() ? *jobs : std::vector<SummaryJob>();
  }
  std::vector<std::string> JobIds(absl::Time due_by = absl::InfiniteFuture(), int limit = 100) {
    std::vector<std::string> ids;
    for (const SummaryJob& job : Jobs(due_by, limit)) ids.push_back(job.call_id);
    return ids;
  }
  void SetResult(const std::string& call_id, const std::string& disposition) {
    CallWrite write = MakeWrite(call_id);
    write.result = MakeResult(disposition);
    ApplyOk(write);
  }
  static std::vector<int64_t> Sequences(const std::vector<events::StoredEvent>& events) {
    std::vector<int64_t> sequences;
    for (const events::StoredEvent& stored : events) sequences.push_back(stored.event.sequence);
    return sequences;
  }

 private:
  std::unique_ptr<StoreUnderTest> under_test_;
  CallStore* store_ = nullptr;
};

using testing::ElementsAre;
using testing::IsEmpty;

}  // namespace callbridge::store

#endif  // CALLBRIDGE_TESTS_CONTRACT_STORE_UNDER_TEST_H_
