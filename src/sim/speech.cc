#include "src/sim/speech.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "src/base/mutex.h"
#include "src/sim/mulaw.h"
#include "src/sim/speech_words.h"

namespace callbridge::sim {
namespace {

constexpr char kPackage[] =
    "install Debian's asterisk-core-sounds-en-wav, or name the folder that holds its recordings";

// Recognition: each clip is indexed by windows of kWindow bytes, one each kStride bytes; the stream is tried at every
// byte. Any 104 bytes that passed untouched hold an indexed window, unless they are silent.
constexpr size_t kWindow = 24;
constexpr size_t kStride = 80;
constexpr int kDistinctBytes = 6;  // A window with fewer different bytes says nothing: silence and line noise.
constexpr size_t kCandidates = 8;  // Of the same window: recordings that share a beginning, periodic tones.
constexpr size_t kEnough = 200 * kMulawBytesPerMs;
constexpr uint64_t kBase = 0x9e3779b97f4a7c15;

constexpr int kMaxMadeMs = 60000;

uint32_t LittleEndian(absl::string_view bytes, size_t at, int count) {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  return value;
}

// The samples of a RIFF file: 16-bit mono PCM at 8 kHz and nothing else.
absl::StatusOr<std::string> MulawOfWav(absl::string_view file) {
  constexpr char kWanted[] = "not a WAV file of 16-bit mono PCM at 8000 Hz";
  if (file.size() < 12 || file.substr(0, 4) != "RIFF" || file.substr(8, 4) != "WAVE")
    return absl::DataLossError(kWanted);
  bool known_format = false;
  for (size_t at = 12; at + 8 <= file.size();) {
    const absl::string_view kind = file.substr(at, 4);
    const size_t size = LittleEndian(file, at + 4, 4);
    at += 8;
    if (kind == "fmt " && size >= 16 && at + 16 <= file.size()) {
      known_format = LittleEndian(file, at, 2) == 1 && LittleEndian(file, at + 2, 2) == 1 &&
                     LittleEndian(file, at + 4, 4) == 8000 && LittleEndian(file, at + 14, 2) == 16;
    }
    if (kind == "data") {
      if (!known_format) return absl::DataLossError(kWanted);
      const absl::string_view data = file.substr(at, size);
      std::string mulaw(data.size() / 2, '\0');
      for (size_t i = 0; i < mulaw.size(); ++i) {
        mulaw[i] = static_cast<char>(MulawFromLinear(static_cast<int16_t>(LittleEndian(data, 2 * i, 2))));
      }
      return mulaw;
    }
    at += size + (size & 1);
  }
  return absl::DataLossError(kWanted);
}

bool IsQuiet(uint8_t code) { return MulawLoudness()[code] == 0; }

// Whether the window is worth indexing.
bool TellsApart(absl::string_view window) {
  bool seen[256] = {};
  int distinct = 0;
  for (const char c : window) {
    bool& before = seen[static_cast<uint8_t>(c)];
    if (!before && !IsQuiet(static_cast<uint8_t>(c))) ++distinct;
    before = true;
  }
  return distinct >= kDistinctBytes;
}

uint64_t HashOf(absl::string_view window) {
  uint64_t hash = 0;
  for (const char c : window) hash = hash * kBase + static_cast<uint8_t>(c) + 1;
  return hash;
}

// kBase to the power of kWindow - 1: the weight of the byte that leaves the window.
uint64_t LeavingWeight() {
  uint64_t weight = 1;
  for (size_t i = 1; i < kWindow; ++i) weight *= kBase;
  return weight;
}

bool IsMade(absl::string_view kind) {
  return kind == "tone" || kind == "beep" || kind == "cough" || kind == "hum" || kind == "silence";
}

// One sample of a made clip at that second; `noise` is a fresh random number.
double Sample(absl::string_view kind, double second, uint32_t noise) {
  constexpr double kTurn = 2 * 3.14159265358979323846;
  if (kind == "cough") return static_cast<double>(noise >> 16) / 65536 * 16000 - 8000;
  if (kind == "beep") return 8000 * std::sin(kTurn * 1000 * second);
  if (kind == "tone") return 8000 * std::sin(kTurn * 440 * second);
  // A voice with its first overtones.
  return 4000 * std::sin(kTurn * 130 * second) + 2500 * std::sin(kTurn * 260 * second) +
         1500 * std::sin(kTurn * 390 * second);
}

// A run of bytes that are the same in a clip and in the stream.
struct Run {
  const Clip* clip = nullptr;
  size_t clip_begin = 0;
  size_t clip_end = 0;
  size_t stream_end = 0;
  size_t size() const { return clip_end - clip_begin; }
};

class Recordings final : public SpeechLibrary {
 public:
  explicit Recordings(std::map<std::string, Clip> clips) : clips_(std::move(clips)) {
    for (const auto& [name, clip] : clips_) Index(clip);
  }

  const Clip* Find(absl::string_view name) const override {
    const auto found = clips_.find(std::string(name));
    if (found != clips_.end()) return &found->second;
    return FindMade(name);
  }

  std::vector<const Clip*> All() const override {
    std::vector<const Clip*> all;
    for (const auto& [name, clip] : clips_) all.push_back(&clip);
    return all;
  }

  std::vector<const Clip*> Recognize(absl::string_view mulaw) const override {
    std::vector<const Clip*> heard;
    Run last;            // The clip being heard, with the end of its latest run.
    size_t matched = 0;  // Bytes of it so far.
    bool counted = false;
    size_t begin = 0;  // Nothing before it may be matched again.
    if (mulaw.size() < kWindow) return heard;
    static const uint64_t leaving = LeavingWeight();
    uint64_t hash = HashOf(mulaw.substr(0, kWindow));
    for (size_t at = 0;;) {
      const Run run = Longest(hash, mulaw, at, begin);
      if (run.clip != nullptr) {
        const bool goes_on = run.clip == last.clip && run.clip_begin >= last.clip_end;
        if (!goes_on) matched = 0, counted = false;
        last = run;
        matched += run.size();
        if (!counted && matched >= Needed(*run.clip)) {
          counted = true;
          heard.push_back(run.clip);
        }
        begin = run.stream_end;
        at = run.stream_end;
        if (at + kWindow > mulaw.size()) break;
        hash = HashOf(mulaw.substr(at, kWindow));
        continue;
      }
      if (at + kWindow >= mulaw.size()) break;
      hash = (hash - leaving * (static_cast<uint8_t>(mulaw[at]) + 1)) * kBase +
             static_cast<uint8_t>(mulaw[at + kWindow]) + 1;
      ++at;
    }
    return heard;
  }

 private:
  struct Place {
    const Clip* clip;
    size_t offset;
  };

  void Index(const Clip& clip) {
    const absl::string_view bytes = clip.mulaw;
    for (size_t at = 0; at + kWindow <= bytes.size(); at += kStride) {
      const absl::string_view window = bytes.substr(at, kWindow);
      if (!TellsApart(window)) continue;
      std::vector<Place>& places = index_[HashOf(window)];
      if (places.size() < kCandidates) places.push_back({&clip, at});
    }
    const auto sounds = [](char c) { return !IsQuiet(static_cast<uint8_t>(c)); };
    const auto first = std::find_if(bytes.begin(), bytes.end(), sounds);
    const auto last = std::find_if(bytes.rbegin(), bytes.rend(), sounds).base();
    sounding_[&clip] = first < last ? static_cast<size_t>(last - first) : 0;
  }

  size_t Needed(const Clip& clip) const { return std::min(kEnough, sounding_.at(&clip)); }

  // The longest run through the stream's window at `at`, of all clips that have this window; no clip: none.
  Run Longest(uint64_t hash, absl::string_view stream, size_t at, size_t begin) const {
    Run best;
    const auto found = index_.find(hash);
    if (found == index_.end()) return best;
    for (const Place& place : found->second) {
      const absl::string_view clip = place.clip->mulaw;
      if (clip.substr(place.offset, kWindow) != stream.substr(at, kWindow)) continue;
      size_t back = 0;
      while (back < place.offset && at - back > begin && clip[place.offset - back - 1] == stream[at - back - 1]) ++back;
      size_t on = kWindow;
      while (place.offset + on < clip.size() && at + on < stream.size() && clip[place.offset + on] == stream[at + on])
        ++on;
      const Run run{place.clip, place.offset - back, place.offset + on, at + on};
      if (run.size() > best.size()) best = run;
    }
    return best;
  }

  const Clip* FindMade(absl::string_view name) const {
    const std::pair<absl::string_view, absl::string_view> parts = {name.substr(0, name.find(':')),
                                                                   name.substr(std::min(name.size(), name.find(':')))};
    int ms = 0;
    if (parts.second.size() < 2 || !absl::SimpleAtoi(parts.second.substr(1), &ms) || ms < 1 || ms > kMaxMadeMs)
      return nullptr;
    if (!IsMade(parts.first)) return nullptr;
    base::MutexLock lock(mutex_);
    Clip& clip = made_[std::string(name)];
    if (!clip.mulaw.empty()) return &clip;
    clip.name = std::string(name);
    clip.mulaw.assign(static_cast<size_t>(ms) * kMulawBytesPerMs, kMulawSilence);
    if (parts.first == "silence") return &clip;
    uint32_t noise = 1;
    for (size_t i = 0; i < clip.mulaw.size(); ++i) {
      noise = noise * 1664525 + 1013904223;
      const double sample = Sample(parts.first, static_cast<double>(i) / 8000, noise);
      clip.mulaw[i] = static_cast<char>(MulawFromLinear(static_cast<int16_t>(sample)));
    }
    return &clip;
  }

  const std::map<std::string, Clip> clips_;
  std::unordered_map<uint64_t, std::vector<Place>> index_;
  std::unordered_map<const Clip*, size_t> sounding_;  // Bytes from the first to the last that is not silent.
  mutable base::Mutex mutex_;
  mutable std::map<std::string, Clip> made_ ABSL_GUARDED_BY(mutex_);
};

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const SpeechLibrary>> SpeechLibrary::Load(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::map<std::string, Clip> clips;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".wav") continue;
    const std::string name = it->path().lexically_relative(folder).replace_extension().generic_string();
    absl::StatusOr<std::string> mulaw = MulawOfWav(ReadFile(it->path()));
    if (!mulaw.ok()) return absl::DataLossError(absl::StrCat(it->path().string(), ": ", mulaw.status().message()));
    clips[name] = Clip{name, WordsOf(name), *std::move(mulaw)};
  }
  if (error) return absl::NotFoundError(absl::StrCat("recordings ", folder, ": ", error.message(), "; ", kPackage));
  if (clips.empty())
    return absl::NotFoundError(absl::StrCat("recordings ", folder, ": no .wav file in it; ", kPackage));
  return std::make_shared<const Recordings>(std::move(clips));
}

}  // namespace callbridge::sim
