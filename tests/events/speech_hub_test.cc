#include "src/events/speech_hub.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace callbridge::events {
namespace {

// What a subscriber was given, waited for.
class Heard {
 public:
  SpeechHub::Take Taker() {
    return [this](const SpokenWords& words) {
      const std::lock_guard<std::mutex> lock(mutex_);
      words_.push_back(words);
      changed_.notify_all();
    };
  }
  // Once there are `count`.
  std::vector<SpokenWords> Wait(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return words_.size() >= count; }));
    return words_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<SpokenWords> words_;
};

TEST(SpeechHubTest, EachHearsItsOwnCallInOrder) {
  SpeechHub hub;
  Heard one, two;
  const auto first = hub.Subscribe("call_1", one.Taker());
  const auto second = hub.Subscribe("call_2", two.Taker());
  hub.Publish("call_1", "item", call::Role::kAssistant, 0, "Good ");
  hub.Publish("call_3", "item", call::Role::kAssistant, 0, "nobody's");
  hub.Publish("call_2", "other", call::Role::kAssistant, 7, "yes");
  hub.Publish("call_1", "item", call::Role::kAssistant, 5, "day");
  const auto words = one.Wait(2);
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[0].text, "Good ");
  EXPECT_EQ(words[1].text, "day");
  EXPECT_EQ(words[1].offset, 5u);
  EXPECT_EQ(words[1].item_id, "item");
  const auto others = two.Wait(1);
  ASSERT_EQ(others.size(), 1u);
  EXPECT_EQ(others[0].text, "yes");
}

TEST(SpeechHubTest, WhatWasSaidBeforeIsNotKept) {
  SpeechHub hub;
  hub.Publish("call", "item", call::Role::kAssistant, 0, "before");
  Heard heard;
  const auto subscription = hub.Subscribe("call", heard.Taker());
  hub.Publish("call", "item", call::Role::kAssistant, 6, "after");
  EXPECT_EQ(heard.Wait(1)[0].text, "after");
}

TEST(SpeechHubTest, NothingComesAfterTheEnd) {
  SpeechHub hub;
  Heard gone, stays;
  auto subscription = hub.Subscribe("call", gone.Taker());
  const auto other = hub.Subscribe("call", stays.Taker());
  subscription = SpeechHub::Subscription();
  hub.Publish("call", "item", call::Role::kAssistant, 0, "late");
  stays.Wait(1);
  EXPECT_TRUE(gone.Wait(0).empty());
}

TEST(SpeechHubTest, AListenerThatHangsCostsABoundedQueueAndNoPublisherWaits) {
  SpeechHub hub;
  std::mutex stuck;
  Heard heard;
  const auto subscription = hub.Subscribe("call", [&, take = heard.Taker()](const SpokenWords& words) {
    const std::lock_guard<std::mutex> lock(stuck);
    take(words);
  });
  stuck.lock();
  for (size_t i = 0; i < 2 * SpeechHub::kMostWaiting; ++i) hub.Publish("call", "item", call::Role::kAssistant, i, "x");
  stuck.unlock();
  // As many as were let in; one may have been taken out and held before the rest came.
  const auto words = heard.Wait(SpeechHub::kMostWaiting);
  hub.Publish("call", "item", call::Role::kAssistant, 99999, "last");
  std::vector<SpokenWords> all = heard.Wait(words.size() + 1);
  while (all.back().text != "last") all = heard.Wait(all.size() + 1);
  EXPECT_LE(all.size(), SpeechHub::kMostWaiting + 2u);
  for (size_t i = 0; i < SpeechHub::kMostWaiting; ++i) ASSERT_EQ(all[i].offset, i);
}

TEST(SpeechHubTest, ManyCallsAtOnceLoseNothing) {
  constexpr int kCalls = 4;
  constexpr int kPieces = 500;  // All of them fit.
  SpeechHub hub;
  std::vector<Heard> heard(kCalls);
  std::vector<SpeechHub::Subscription> subscriptions;
  for (int i = 0; i < kCalls; ++i) subscriptions.push_back(hub.Subscribe(absl::StrCat(i), heard[i].Taker()));
  std::vector<std::thread> calls;
  for (int i = 0; i < kCalls; ++i) {
    calls.emplace_back([&hub, i] {
      for (size_t piece = 0; piece < kPieces; ++piece)
        hub.Publish(absl::StrCat(i), "item", call::Role::kAssistant, piece, "x");
    });
  }
  for (std::thread& call : calls) call.join();
  for (int i = 0; i < kCalls; ++i) {
    const auto words = heard[i].Wait(kPieces);
    ASSERT_EQ(words.size(), static_cast<size_t>(kPieces));
    for (size_t piece = 0; piece < kPieces; ++piece) ASSERT_EQ(words[piece].offset, piece);
  }
}

}  // namespace
}  // namespace callbridge::events
