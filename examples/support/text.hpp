#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/ids.hpp"
#include "autograd/random.hpp"

// Texts as numbers, for language models.

namespace heed::examples {

// What a text is cut into: Unicode code points, or bytes.
using Symbols = std::vector<char32_t>;

// `text` as code points of UTF-8 (RFC 3629), or, with `bytes`, as bytes. Throws `WHO: byte 17 (0xff) is not
// UTF-8; ...` on what is none: overlong forms, surrogates and what lies beyond U+10FFFF too.
Symbols symbols_of(std::string_view text, bool bytes, const std::string& who);
// Of a file; throws `FILE: ...` when it cannot be read or is empty.
Symbols read_symbols(const std::string& path, bool bytes);
// heed's own source code, which a folder holds: its files one after the other, each after its name. Throws
// when the folder holds none.
std::string own_source(const std::string& folder);

// The different symbols of some texts, in order; symbol number i is symbols[i].
class Alphabet {
 public:
  explicit Alphabet(Symbols symbols, bool bytes);  // all that occur in it
  // Throws `WHO: symbol 17 (U+0078) ...` on a symbol that is none of these.
  [[nodiscard]] std::vector<int32_t> numbers(const Symbols& text, const std::string& who) const;
  [[nodiscard]] std::string text(std::span<const int32_t> numbers) const;
  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(symbols_.size()); }

 private:
  Symbols symbols_;
  bool bytes_;
};

// Pieces of a text, side by side: what follows input[b, t] is target[b, t].
struct TextBatch {
  Ids input, target;  // (B, T)
};
// B pieces of T symbols, each from a random place. Throws when the text has no T + 1 symbols.
TextBatch random_pieces(std::span<const int32_t> text, int64_t batch, int64_t length, Rng& rng);
// The whole text in consecutive pieces of T symbols, up to B a batch; the last piece, alone, may be shorter.
// Every symbol but the first is a target once. Throws when the text has no 2 symbols.
std::vector<TextBatch> all_pieces(std::span<const int32_t> text, int64_t batch, int64_t length);

}  // namespace heed::examples
