#include "src/call/transcript.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace callbridge::call {
namespace {

const absl::Time kBegin = absl::FromUnixSeconds(1700000000);
absl::Time At(int64_t ms) { return kBegin + absl::Milliseconds(ms); }

// "id@position" of what became final.
std::string Taken(Transcript& transcript) {
  return absl::StrJoin(transcript.TakeFinal(), " ", [](std::string* out, const TranscriptItem& item) {
    absl::StrAppend(out, item.item_id, "@", item.position);
  });
}

TEST(HeardPartTest, TakesWholeWordsInProportion) {
  struct Row {
    const char* text;
    int64_t heard_ms;
    int64_t generated_ms;
    const char* part;
  };
  const Row rows[] = {
      {"one two three four", 0, 1000, ""},
      {"one two three four", -5, 1000, ""},
      {"one two three four", 1000, 0, ""},
      {"one two three four", 1000, 1000, "one two three four"},
      {"one two three four", 2000, 1000, "one two three four"},
      {"one two three four", 100, 1000, ""},
      {"one two three four", 500, 1000, "one two"},
      {"one two three four", 999, 1000, "one two three"},
      {"unbroken", 999, 1000, ""},
      {"", 500, 1000, ""},
      {"  padded words here ", 700, 1000, "padded words"},
      {"Grüße aus München", 500, 1000, "Grüße"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(HeardPart(row.text, row.heard_ms, row.generated_ms), row.part) << row.text << " " << row.heard_ms;
  }
}

TEST(TranscriptTest, ItemsKeepTheOrderInWhichTheyWereAnnounced) {
  Transcript transcript;
  transcript.Add("a1", "", Role::kAssistant, At(0));
  transcript.OnCallerSpeech("u1", At(100));
  transcript.Add("a2", "", Role::kAssistant, At(200));
  transcript.OnAssistantTextDone("a2", "Second.");
  transcript.OnHeard("a2", 500, 500, HeardBasis::kAcknowledged);
  EXPECT_EQ(Taken(transcript), "a2@3");
  transcript.OnCallerText("u1", "Yes.");
  EXPECT_EQ(Taken(transcript), "u1@2");
  transcript.OnAssistantTextDone("a1", "First.");
  transcript.OnHeard("a1", 500, 500, HeardBasis::kAcknowledged);
  EXPECT_EQ(Taken(transcript), "a1@1");
  EXPECT_EQ(Taken(transcript), "");
  EXPECT_EQ(transcript.Text(), "Assistant: First.\nCaller: Yes.\nAssistant: Second.");
}

TEST(TranscriptTest, AnItemIsInsertedBehindItsPredecessor) {
  Transcript transcript;
  transcript.Add("a", "", Role::kAssistant, At(0));
  transcript.Add("c", "b", Role::kAssistant, At(0));  // "b" is not known yet.
  transcript.Add("d", "c", Role::kAssistant, At(0));
  transcript.Add("b", "a", Role::kCaller, At(0));
  EXPECT_EQ(transcript.Find("a")->position, 1);
  EXPECT_EQ(transcript.Find("b")->position, 2);
  EXPECT_EQ(transcript.Find("c")->position, 3);
  EXPECT_EQ(transcript.Find("d")->position, 4);
  EXPECT_EQ(transcript.Find("e"), nullptr);
}

TEST(TranscriptTest, AnItemBehindItselfOrAtItsPlaceStays) {
  Transcript transcript;
  transcript.Add("a", "a", Role::kCaller, At(0));
  transcript.Add("b", "a", Role::kCaller, At(0));
  transcript.OnCallerText("b", "Words.");
  EXPECT_EQ(Taken(transcript), "b@2");
  transcript.Add("b", "a", Role::kCaller, At(0));
  EXPECT_EQ(Taken(transcript), "");
}

TEST(TranscriptTest, AFinalItemThatMovesIsHandedOutAgain) {
  Transcript transcript;
  transcript.OnCallerText("u2", "Second.");
  EXPECT_EQ(Taken(transcript), "u2@1");
  transcript.Add("u1", "", Role::kCaller, At(0));
  transcript.Add("u2", "u1", Role::kCaller, At(0));
  EXPECT_EQ(Taken(transcript), "u2@2");
}

TEST(TranscriptTest, CallersItemIsFinalWithItsText) {
  Transcript transcript;
  EXPECT_FALSE(transcript.AwaitsCallerText());
  transcript.OnCallerSpeech("u1", At(100));
  transcript.OnCallerSpeech("u1", At(150));  // A repeat.
  transcript.OnCallerSpeechEnd("u1", At(900));
  EXPECT_TRUE(transcript.AwaitsCallerText());
  transcript.OnCallerText("u1", "  Hello.\n");
  EXPECT_FALSE(transcript.AwaitsCallerText());
  const TranscriptItem* item = transcript.Find("u1");
  EXPECT_EQ(item->text_generated, "Hello.");
  EXPECT_EQ(item->text_heard, "Hello.");
  EXPECT_EQ(item->status, ItemStatus::kComplete);
  EXPECT_EQ(item->heard_ms, 800);
  EXPECT_EQ(item->start_time, At(100));
  EXPECT_EQ(Taken(transcript), "u1@1");
}

TEST(TranscriptTest, BetterTextIsHandedOutAgain) {
  Transcript transcript;
  transcript.OnCallerTextFailed("u1");
  EXPECT_EQ(Taken(transcript), "u1@1");
  EXPECT_EQ(transcript.Text(), "Caller: [not understood]");
  transcript.OnCallerText("u1", "After all.");
  EXPECT_EQ(Taken(transcript), "u1@1");
  transcript.OnCallerTextFailed("u1");  // Too late to be true.
  EXPECT_EQ(Taken(transcript), "");
  EXPECT_EQ(transcript.Text(), "Caller: After all.");
}

TEST(TranscriptTest, AssistantsItemIsFinalWithTextAndSound) {
  for (const bool text_first : {true, false}) {
    Transcript transcript;
    transcript.OnAssistantText("a1", "Good ");
    if (text_first) transcript.OnAssistantTextDone("a1", "Good day.");
    EXPECT_EQ(Taken(transcript), "");
    transcript.OnHeard("a1", 700, 700, HeardBasis::kEstimated);
    if (!text_first) transcript.OnAssistantText("a1", "day.");
    if (!text_first) transcript.OnAssistantTextDone("a1", "");
    EXPECT_EQ(Taken(transcript), "a1@1");
    EXPECT_EQ(transcript.Find("a1")->text_heard, "Good day.");
    EXPECT_EQ(transcript.Find("a1")->status, ItemStatus::kComplete);
    EXPECT_EQ(transcript.Find("a1")->basis, HeardBasis::kEstimated);
  }
}

TEST(TranscriptTest, TextBehindItsEndIsIgnored) {
  Transcript transcript;
  transcript.OnAssistantTextDone("a1", "Done.");
  transcript.OnAssistantText("a1", " More.");
  EXPECT_EQ(transcript.Find("a1")->text_generated, "Done.");
}

TEST(TranscriptTest, CutItemHoldsWhatWasHeard) {
  Transcript transcript;
  transcript.OnAssistantText("a1", "one two");
  transcript.OnCut("a1", 500, 1000, HeardBasis::kAcknowledged);
  EXPECT_EQ(transcript.Text(), "Assistant: one");                   // So far.
  transcript.OnHeard("a1", 1000, 1000, HeardBasis::kAcknowledged);  // It was cut: this cannot be.
  transcript.OnAssistantTextDone("a1", "one two three four");
  EXPECT_EQ(Taken(transcript), "a1@1");
  EXPECT_EQ(transcript.Find("a1")->text_heard, "one two");
  EXPECT_EQ(transcript.Find("a1")->text_generated, "one two three four");
  EXPECT_EQ(transcript.Find("a1")->heard_ms, 500);
  EXPECT_EQ(transcript.Find("a1")->status, ItemStatus::kCut);
}

TEST(TranscriptTest, SoundBehindTheCutStretchesTheItem) {
  Transcript transcript;
  transcript.OnMoreGenerated("a1", 8000);  // Unknown.
  EXPECT_TRUE(transcript.empty());
  transcript.OnAssistantText("a1", "one two three four");
  transcript.OnMoreGenerated("a1", 8000);  // Not cut.
  transcript.OnCut("a1", 500, 500, HeardBasis::kEstimated);
  transcript.OnMoreGenerated("a1", 4 * 500 + 4);
  transcript.OnMoreGenerated("a1", 4 * 500 - 4);
  EXPECT_EQ(transcript.Find("a1")->generated_ms, 1000);
  EXPECT_EQ(transcript.Text(), "Assistant: one two");
}

TEST(TranscriptTest, ClosingTheAssistantsItemsEndsTheirTexts) {
  Transcript transcript;
  transcript.OnAssistantText("a1", "one two");
  transcript.OnCut("a1", 500, 1000, HeardBasis::kEstimated);
  transcript.OnAssistantText("a2", "three");
  transcript.OnCallerSpeech("u1", At(0));
  transcript.CloseAssistantItems();
  EXPECT_EQ(Taken(transcript), "a1@1");
  transcript.OnHeard("a2", 500, 500, HeardBasis::kEstimated);  // It sounds on, though nothing more is said.
  EXPECT_EQ(Taken(transcript), "a2@2");
  EXPECT_TRUE(transcript.AwaitsCallerText());
}

TEST(TranscriptTest, CloseAllLeavesNothingOpen) {
  Transcript transcript;
  transcript.OnCallerSpeech("u1", At(0));
  transcript.OnAssistantTextDone("a1", "Never heard.");
  transcript.OnAssistantText("a2", "one two");
  transcript.OnHeard("a2", 500, 500, HeardBasis::kEstimated);
  transcript.CloseAll();
  EXPECT_EQ(Taken(transcript), "u1@1 a1@2 a2@3");
  EXPECT_EQ(transcript.Find("u1")->status, ItemStatus::kFailed);
  EXPECT_EQ(transcript.Find("a1")->status, ItemStatus::kCut);
  EXPECT_EQ(transcript.Find("a1")->text_heard, "");
  EXPECT_EQ(transcript.Find("a2")->status, ItemStatus::kComplete);
  EXPECT_EQ(transcript.Text(), "Caller: [not understood]\nAssistant: one two");
  EXPECT_FALSE(transcript.AwaitsCallerText());
}

TEST(FormatTranscript, ShowsWhatWasHeard) {
  TranscriptItem caller;
  caller.role = Role::kCaller;
  caller.text_heard = "Hello\r\nthere";
  TranscriptItem cut;
  cut.role = Role::kAssistant;
  cut.text_generated = "Good morning";
  cut.text_heard = "Good";
  TranscriptItem unheard = cut;
  unheard.text_heard = "";
  TranscriptItem tool = caller;
  tool.role = Role::kTool;
  TranscriptItem human = caller;
  human.role = Role::kHuman;
  human.text_heard = "Sales";
  EXPECT_EQ(FormatTranscript({}), "");
  EXPECT_EQ(FormatTranscript({caller, unheard, tool, cut, human}),
            "Caller: Hello  there\nAssistant: Good\nHuman: Sales");
}

}  // namespace
}  // namespace callbridge::call
