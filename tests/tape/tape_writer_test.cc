#include "src/tape/tape_writer.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/call/options_text.h"
#include "tests/tape/tape_of.h"

namespace callbridge::tape {
namespace {

namespace command = call::command;
namespace input = call::input;

class Parts final : public TapeOut {
 public:
  explicit Parts(std::vector<std::string>* parts) : parts_(*parts) {}
  bool Take(std::string text) override {
    parts_.push_back(std::move(text));
    return parts_.size() < 3;
  }

 private:
  std::vector<std::string>& parts_;
};

class TapeWriterTest : public testing::Test {
 protected:
  TapeWriterTest() { Use({}, std::make_unique<StringOut>(&text_)); }

  void Use(const TapeWriter::Options& options, std::unique_ptr<TapeOut> out) {
    tape_ = std::make_unique<TapeWriter>(options, call_, sink_, std::move(out));
    tape_->OnBegin(begin_);
  }
  absl::Time At(double us) const { return begin_ + absl::Nanoseconds(static_cast<int64_t>(us * 1000)); }
  // A frame of the caller that the call hands on.
  void Frame(double us, int64_t bytes, bool passed) {
    const std::string base64 = call::SilentBase64(bytes);
    tape_->OnCallerAudio(base64, At(us));
    if (passed) tape_->AudioToModel(base64);
  }
  // The lines behind the options.
  std::string Happenings() {
    tape_.reset();
    return text_.find("\nT+") == std::string::npos ? "" : text_.substr(text_.find("\nT+") + 1);
  }

  call::CallOptions call_;
  NoSink sink_;
  const absl::Time begin_ = absl::FromUnixSeconds(1700000000) + absl::Nanoseconds(5);
  std::string text_;
  std::unique_ptr<TapeWriter> tape_;
};

TEST_F(TapeWriterTest, BeginsWithHowTheCallIsConducted) {
  tape_.reset();
  text_.clear();
  call_.call_id = "call-1";
  call_.from = "+14155550100";
  call_.destinations["sales"].targets = {{"+14155550142"}};
  Use({}, std::make_unique<StringOut>(&text_));
  tape_.reset();
  EXPECT_TRUE(
      absl::StartsWith(text_, "callbridge tape 1\nbegin=2023-11-14T22:13:20.000000005+00:00\ncall_id=\"call-1\"\n"))
      << text_;
  EXPECT_TRUE(absl::StrContains(text_, "\nfrom=\"+1********00\"\n")) << text_;
  EXPECT_TRUE(absl::StrContains(text_, "\ndestination.sales.target.1.number=\"+1********42\"\n")) << text_;
  EXPECT_FALSE(absl::StrContains(text_, "4155550")) << text_;
}

TEST_F(TapeWriterTest, EachThingIsALineAtItsTime) {
  tape_->Do(command::OpenModel{});
  tape_->OnInput(input::StreamOpened{"s1"}, At(20013.204));
  tape_->Record({"call-1", 2, At(20013.204), call::StreamConnected{"s1", 1}});
  tape_->OnModelAudio("r1", "a1", call::SilentBase64(1600), 1600, At(30000));
  tape_->AudioToCarrier(call::SilentBase64(1600));
  tape_->OnInput(input::Tick{}, At(40000));
  tape_->Do(command::Finished{});
  tape_->OnInput(input::Tick{}, At(50000));  // Nothing follows the end.
  EXPECT_EQ(Happenings(),
            "T+0 > open_model\n"
            "T+20013.204 < stream_opened stream_id=\"s1\"\n"
            "T+20013.204 = stream_connected stream_id=\"s1\" ordinal=1\n"
            "T+30000 < model_audio response_id=\"r1\" item_id=\"a1\" bytes=1600\n"
            "T+30000 > audio_to_carrier bytes=1600\n"
            "T+40000 < tick\n"
            "T+40000 > finished\n"
            "T+40000 end\n");
}

TEST_F(TapeWriterTest, FramesThatAreAlikeShareALine) {
  Frame(1000, 160, false);
  Frame(21000, 160, false);
  Frame(41000.5, 160, true);
  Frame(61000, 160, true);
  Frame(81000, 160, true);
  Frame(101000, 320, true);
  Frame(121000, 160, true);
  tape_->Do(command::SendCheckpoint{1});  // Not before it: what comes of a frame stays behind it.
  Frame(141000, 160, true);
  EXPECT_EQ(Happenings(),
            "T+1000 < caller_audio bytes=160 then_us=20000\n"
            "T+41000.5 < caller_audio bytes=160 passed=true then_us=19999.5,20000\n"
            "T+101000 < caller_audio bytes=320 passed=true\n"
            "T+121000 < caller_audio bytes=160 passed=true\n"
            "T+121000 > send_checkpoint number=1\n"
            "T+141000 < caller_audio bytes=160 passed=true\n");
}

TEST_F(TapeWriterTest, WhatIsNotTheFrameItselfHasItsOwnLine) {
  Frame(1000, 160, false);
  tape_->AudioToModel(call::SilentBase64(800));  // Something else, in its stead.
  tape_->OnInput(input::ModelConfigured{}, At(2000));
  tape_->AudioToModel(call::SilentBase64(160));  // An early frame.
  EXPECT_EQ(Happenings(),
            "T+1000 < caller_audio bytes=160\n"
            "T+1000 > audio_to_model bytes=800\n"
            "T+2000 < model_configured\n"
            "T+2000 > audio_to_model bytes=160\n");
}

TEST_F(TapeWriterTest, SoundsAreKeptIfAsked) {
  text_.clear();
  TapeWriter::Options options;
  options.audio = true;
  tape_.reset();
  text_.clear();
  Use(options, std::make_unique<StringOut>(&text_));
  tape_->OnCallerAudio("AAAA", At(1));
  tape_->AudioToModel("AAAA");
  tape_->OnModelAudio("r", "a", "BBBB", 3, At(2));
  EXPECT_EQ(Happenings(),
            "T+1 < caller_audio base64=\"AAAA\"\n"
            "T+1 > audio_to_model base64=\"AAAA\"\n"
            "T+2 < model_audio response_id=\"r\" item_id=\"a\" base64=\"BBBB\"\n");
}

TEST_F(TapeWriterTest, EverythingReachesTheSink) {
  class Counting final : public call::CommandSink {
   public:
    void AudioToModel(absl::string_view base64) override { absl::StrAppend(&got, "m", base64); }
    void AudioToCarrier(absl::string_view base64) override { absl::StrAppend(&got, "c", base64); }
    void Do(const command::Command& command) override { absl::StrAppend(&got, "d", command.index()); }
    void Record(call::Event event) override { absl::StrAppend(&got, "e", event.sequence); }
    std::string got;
  } sink;
  std::vector<std::string> parts;
  TapeWriter tape({}, call_, sink, std::make_unique<Parts>(&parts));
  tape.OnBegin(begin_);
  for (int second = 0; second < 6; ++second) {  // The out takes no more after the third.
    tape.OnInput(input::Tick{}, At(second * 1e6));
    tape.AudioToModel("AAAA");
    tape.AudioToCarrier("BBBB");
    tape.Do(command::ClearAudio{});
    tape.Record({"call-1", second, At(0), call::CallerReturned{"x"}});
  }
  EXPECT_EQ(parts.size(), 3u);
  std::string wanted;
  for (int second = 0; second < 6; ++second) {
    absl::StrAppend(&wanted, "mAAAAcBBBBd", command::Command(command::ClearAudio{}).index(), "e", second);
  }
  EXPECT_EQ(sink.got, wanted);
}

TEST_F(TapeWriterTest, PartsAreHandedOverEachSecondAndWhenLarge) {
  std::vector<std::string> parts;
  TapeWriter tape({}, call_, sink_, std::make_unique<Parts>(&parts));
  tape.OnBegin(begin_);
  tape.OnInput(input::Tick{}, At(999999));
  EXPECT_EQ(parts.size(), 0u);
  tape.OnInput(input::Tick{}, At(1000000));
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_TRUE(absl::EndsWith(parts[0], "T+999999 < tick\n"));
  tape.OnInput(input::CallerText{"u1", std::string(70000, 'x')}, At(1000001));
  tape.OnInput(input::Tick{}, At(1000002));
  EXPECT_EQ(parts.size(), 2u);
}

}  // namespace
}  // namespace callbridge::tape
