#include "examples/support/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "autograd/error.hpp"
#include "examples/support/files.hpp"
#include "optim/distributed.hpp"

namespace heed::examples {

namespace fs = std::filesystem;

namespace {

// The code point whose UTF-8 begins at text[i], and how many bytes it has; 0 bytes where there is none.
struct Point {
  char32_t value = 0;
  size_t bytes = 0;
};
Point point_at(std::string_view text, size_t i) {
  const auto byte = [&](size_t k) { return static_cast<unsigned char>(text[i + k]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t bytes = first >> 5 == 0x6 ? 2 : first >> 4 == 0xe ? 3 : first >> 3 == 0x1e ? 4 : 0;
  if (bytes == 0 || i + bytes > text.size()) return {};
  char32_t value = first & (0xffU >> (bytes + 1));
  for (size_t k = 1; k < bytes; ++k) {
    if (byte(k) >> 6 != 0x2) return {};
    value = value << 6 | (byte(k) & 0x3fU);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};  // shorter forms are the only ones
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < least[bytes] || surrogate || value > 0x10ffff) return {};
  return {value, bytes};
}

void append_utf8(std::string& text, char32_t c) {
  if (c < 0x80) {
    text += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;  // bytes after the first
  text += static_cast<char>((0xff00U >> (more + 1) & 0xffU) | c >> 6 * more);
  for (int k = more - 1; k >= 0; --k) text += static_cast<char>(0x80 | (c >> 6 * k & 0x3f));
}

}  // namespace

Symbols symbols_of(std::string_view text, bool bytes, const std::string& who) {
  Symbols symbols;
  symbols.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const Point point = bytes ? Point{byte, 1} : point_at(text, i);
    if (point.bytes == 0) fail("{}: byte {} ({:#04x}) is not UTF-8; --bytes reads bytes", who, i, byte);
    symbols.push_back(point.value);
    i += point.bytes;
  }
  return symbols;
}

Symbols read_symbols(const std::string& path, bool bytes) {
  const std::string text = read_file(path, "a text");
  if (text.empty()) fail("{}: is empty", path);
  return symbols_of(text, bytes, path);
}

std::string own_source(const std::string& folder) {
  std::vector<std::string> paths;
  for (const char* part : {"autograd", "examples", "layers", "optim"}) {
    if (!fs::is_directory(fs::path(folder) / part)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(folder) / part)) {
      const std::string kind = entry.path().extension().string();
      if (kind == ".cpp" || kind == ".hpp") paths.push_back(fs::relative(entry.path(), folder).string());
    }
  }
  if (paths.empty())
    fail("{}: holds no source code of heed to learn; give a text by --text or --train", folder);
  std::sort(paths.begin(), paths.end());
  distributed::agree(folder + ": the list of source files",
                     fmt::format("{}", fmt::join(paths, std::string_view("\0", 1))));
  std::string text;
  for (const std::string& path : paths)
    text += "// " + path + "\n" + read_file((fs::path(folder) / path).string(), "source code");
  return text;
}

Alphabet::Alphabet(Symbols symbols, bool bytes) : symbols_(std::move(symbols)), bytes_(bytes) {
  std::sort(symbols_.begin(), symbols_.end());
  symbols_.erase(std::unique(symbols_.begin(), symbols_.end()), symbols_.end());
}

std::vector<int32_t> Alphabet::numbers(const Symbols& text, const std::string& who) const {
  std::vector<int32_t> numbers;
  numbers.reserve(text.size());
  for (const char32_t symbol : text) {
    const auto found = std::lower_bound(symbols_.begin(), symbols_.end(), symbol);
    if (found == symbols_.end() || *found != symbol)
      fail("{}: symbol {} (U+{:04X}) occurs in no text that was learned", who, numbers.size(),
           static_cast<uint32_t>(symbol));
    numbers.push_back(static_cast<int32_t>(found - symbols_.begin()));
  }
  return numbers;
}

std::string Alphabet::text(std::span<const int32_t> numbers) const {
  std::string text;
  for (const int32_t number : numbers) {
    const char32_t symbol = symbols_[static_cast<size_t>(number)];
    if (bytes_)
      text += static_cast<char>(symbol);
    else
      append_utf8(text, symbol);
  }
  return text;
}

TextBatch random_pieces(std::span<const int32_t> text, int64_t batch, int64_t length, Rng& rng) {
  const int64_t places = static_cast<int64_t>(text.size()) - length;
  if (places < 1)
    fail("a text of {} symbols is too short for pieces of {} and what follows", text.size(), length);
  TextBatch pieces{Ids({batch, length}), Ids({batch, length})};
  for (int64_t b = 0; b < batch; ++b) {
    const auto from = text.begin() + rng.integer(places);
    std::copy_n(from, length, pieces.input.values().begin() + b * length);
    std::copy_n(from + 1, length, pieces.target.values().begin() + b * length);
  }
  return pieces;
}

std::vector<TextBatch> all_pieces(std::span<const int32_t> text, int64_t batch, int64_t length) {
  const int64_t targets = static_cast<int64_t>(text.size()) - 1;
  if (targets < 1) fail("a text of {} symbols has nothing to predict", text.size());
  std::vector<TextBatch> batches;
  for (int64_t begin = 0; begin < targets;) {
    const int64_t whole = (targets - begin) / length;  // pieces of full length that are left
    const int64_t rows = whole > 0 ? std::min(batch, whole) : 1;
    const int64_t columns = whole > 0 ? length : targets - begin;
    const auto cut = [&](int64_t from) {
      return Ids({rows, columns},
                 text.subspan(static_cast<size_t>(from), static_cast<size_t>(rows * columns)));
    };
    batches.push_back({cut(begin), cut(begin + 1)});
    begin += rows * columns;
  }
  return batches;
}

}  // namespace heed::examples
