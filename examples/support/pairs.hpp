#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heed::examples {

// One line of a file of pairs, `source<TAB>target`, each split at spaces.
struct Pair {
  std::vector<std::string> source, target;
};

// Reads the first `limit` lines (0: all). Throws `FILE:LINE: ...` on a line without exactly one tab, with an
// empty side, or with a word that is the name of a special token, `FILE: ...` on a file that is missing, a
// directory, or empty.
std::vector<Pair> read_pairs(const std::string& path, int64_t limit = 0);

// Editors on Windows begin a UTF-8 file with these three bytes.
void skip_byte_order_mark(std::string& line);

// Splits at runs of spaces.
std::vector<std::string> split_words(std::string_view line);

}  // namespace heed::examples
