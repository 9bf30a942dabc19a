#include "src/store/number_export.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/fakes/memory_call_store.h"

namespace callbridge::store {
namespace {

const absl::Time kStart = absl::FromUnixMicros(1'700'000'000'123'456);
constexpr char kNumber[] = "+15550001111";

class NumberExportTest : public testing::Test {
 protected:
  void Create(const std::string& id, const std::string& from, absl::Duration later = absl::ZeroDuration()) {
    CallRecord call;
    call.call_id = id;
    call.from = from;
    call.to = "+15559990000";
    call.create_time = kStart + later;
    call.metadata = {{"crm", "17"}};
    ASSERT_TRUE(store_.CreateCall(call, {{id, 1, kStart, call::CallCreated{}}}, absl::nullopt).ok());
  }
  nlohmann::json Export(const std::string& number = kNumber) {
    const auto text = ExportNumber(store_, number, kStart);
    EXPECT_TRUE(text.ok()) << text.status();
    return nlohmann::json::parse(text.ok() ? *text : "{}");
  }

  MemoryCallStore store_;
};

TEST_F(NumberExportTest, EverythingAboutANumberIsInIt) {
  Create("c1", kNumber);
  CallWrite write;
  write.call_id = "c1";
  call::TranscriptItem item;
  item.item_id = "i1";
  item.text_heard = "Grüße";
  write.transcript_items = {item};
  write.events = {{"c1", 2, kStart, call::DtmfReceived{"7"}}};
  write.transfer.emplace();
  write.transfer->transfer_id = "t1";
  write.transfer->reason = "price";
  write.transfer->attempts = {{"+15557770000", call::TransferOutcome::kBusy, "busy", kStart, kStart}};
  write.end.emplace();
  write.end->end_time = kStart + absl::Seconds(9);
  write.end->transcript = "Caller: Grüße";
  write.summary = "They met.";
  write.result = call::CallResult{"callback", "high", "", R"({"rooms":3})"};
  write.settlement.emplace();
  write.settlement->cost = "0.01";
  write.settlement->time = kStart;
  ASSERT_TRUE(store_.Apply(write, nullptr).ok());
  ASSERT_TRUE(store_.AddTranscriptRead({"c1", "crm", kStart}).ok());

  const auto out = Export();
  EXPECT_EQ(out["number"], kNumber);
  EXPECT_EQ(out["exported_at"], "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(out["lead"]["phone"], kNumber);
  EXPECT_EQ(out["lead"]["disposition"], "callback");
  ASSERT_EQ(out["calls"].size(), 1);
  const auto& call = out["calls"][0];
  EXPECT_EQ(call["id"], "c1");
  EXPECT_EQ(call["transcript"], "Caller: Grüße");
  EXPECT_EQ(call["summary"], "They met.");
  EXPECT_EQ(call["result_fields"]["rooms"], 3);
  EXPECT_EQ(call["metadata"]["crm"], "17");
  EXPECT_EQ(call["cost"], "0.01");
  EXPECT_EQ(call["answered_at"], nullptr);
  EXPECT_EQ(call["transcript_items"][0]["text_heard"], "Grüße");
  EXPECT_EQ(call["transfers"][0]["attempts"][0]["number"], "+15557770000");
  ASSERT_EQ(call["events"].size(), 2);
  EXPECT_EQ(call["events"][1]["payload"]["digit"], "7");
  EXPECT_EQ(call["transcript_reads"][0]["principal"], "crm");
}

TEST_F(NumberExportTest, NobodysExportIsEmpty) {
  Create("c1", "+15552223333");
  const auto out = Export();
  EXPECT_EQ(out["lead"], nullptr);
  EXPECT_EQ(out["calls"].size(), 0);
}

TEST_F(NumberExportTest, OneOfOurNumbersIsNotAPerson) {
  Create("c1", kNumber);
  EXPECT_EQ(Export("+15559990000")["calls"].size(), 0);
}

TEST_F(NumberExportTest, LongHistoriesAreWhole) {
  constexpr int kCalls = 205;
  for (int i = 0; i < kCalls; ++i) Create(absl::StrCat("c", i), kNumber, absl::Seconds(i));
  CallWrite write;
  write.call_id = "c7";
  for (int i = 2; i <= 1203; ++i) write.events.push_back({"c7", i, kStart, call::DtmfReceived{"1"}});
  ASSERT_TRUE(store_.Apply(write, nullptr).ok());
  const auto out = Export();
  ASSERT_EQ(out["calls"].size(), kCalls);
  EXPECT_EQ(out["calls"][0]["id"], "c204") << "newest first";
  EXPECT_EQ(out["calls"][204 - 7]["events"].size(), 1203);
}

TEST_F(NumberExportTest, WhatWasPurgedIsLeftOut) {
  Create("c1", kNumber);
  CallWrite end;
  end.call_id = "c1";
  end.end.emplace();
  end.end->end_time = kStart;
  ASSERT_TRUE(store_.Apply(end, nullptr).ok());
  Retention keep;
  keep.events = absl::InfiniteFuture();
  ASSERT_TRUE(store_.Purge(keep, 1).ok());
  EXPECT_EQ(Export()["calls"][0]["events"].size(), 0);
}

TEST_F(NumberExportTest, BadNumbersAndStoresThatAreAway) {
  EXPECT_EQ(ExportNumber(store_, "555", kStart).status().code(), absl::StatusCode::kInvalidArgument);
  Create("c1", kNumber);
  for (const char* method :
       {"FindLead", "ListCalls", "GetTranscript", "ListTransfers", "ReadCallEvents", "ListTranscriptReads"}) {
    store_.SetFault([method](absl::string_view called) {
      return called == method ? absl::UnavailableError("away") : absl::OkStatus();
    });
    EXPECT_EQ(ExportNumber(store_, kNumber, kStart).status().code(), absl::StatusCode::kUnavailable) << method;
  }
}

}  // namespace
}  // namespace callbridge::store
