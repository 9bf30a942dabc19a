#include "src/app/prompt_file.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace callbridge::app {
namespace {

constexpr uint32_t kMuLaw = 7;
constexpr uint32_t kExtensible = 0xFFFE;
constexpr absl::string_view kRight =
    "; raw mu-law in a .ulaw file or mu-law in a WAV file is needed, 8000 Hz, one channel: ffmpeg -i IN -ar 8000 -ac 1 "
    "-c:a pcm_mulaw OUT.wav";

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(absl::StrCat(what, kRight)); }

// Little-endian; 0 past the end.
uint32_t Number(absl::string_view bytes, size_t at, size_t size) {
  if (at + size > bytes.size()) return 0;
  uint32_t value = 0;
  for (size_t i = size; i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

// The body of the first chunk of a kind; what a damaged length promises beyond the file is not there.
absl::string_view Chunk(absl::string_view chunks, absl::string_view kind) {
  while (chunks.size() >= 8) {
    const size_t size = Number(chunks, 4, 4);
    const absl::string_view body = chunks.substr(8, size);
    if (chunks.substr(0, 4) == kind) return body;
    chunks.remove_prefix(std::min(chunks.size(), 8 + size + size % 2));
  }
  return {};
}

absl::Status CheckFormat(absl::string_view format) {
  if (format.size() < 16) return Wrong("a WAV file that does not say its format");
  uint32_t tag = Number(format, 0, 2);
  if (tag == kExtensible) tag = Number(format, 24, 2);
  const uint32_t channels = Number(format, 2, 2);
  const uint32_t rate = Number(format, 4, 4);
  if (tag == kMuLaw && channels == 1 && rate == 8000) return absl::OkStatus();
  return Wrong(absl::StrCat("a WAV file of format ", tag, ", ", rate, " Hz, ", channels,
                            channels == 1 ? " channel" : " channels"));
}

bool IsRawName(absl::string_view name) {
  return absl::EndsWithIgnoreCase(name, ".ulaw") || absl::EndsWithIgnoreCase(name, ".ul") ||
         absl::EndsWithIgnoreCase(name, ".mulaw");
}

}  // namespace

absl::StatusOr<std::string> PromptAudio(absl::string_view file_name, absl::string_view content) {
  absl::string_view audio = content;
  if (absl::StartsWith(content, "RIFF") && content.substr(std::min<size_t>(8, content.size()), 4) == "WAVE") {
    const absl::string_view chunks = content.substr(12);
    if (absl::Status format = CheckFormat(Chunk(chunks, "fmt ")); !format.ok()) return format;
    audio = Chunk(chunks, "data");
  } else if (!IsRawName(file_name)) {
    return Wrong("neither a WAV file nor named .ulaw");
  }
  if (audio.empty()) return Wrong("there is no sound in it");
  if (audio.size() > kMaxPromptBytes) return Wrong("longer than 30 s");
  return std::string(audio);
}

}  // namespace callbridge::app
