#include "examples/support/pairs.hpp"

#include <algorithm>
#include <sstream>

#include "autograd/error.hpp"
#include "examples/support/files.hpp"
#include "examples/support/vocabulary.hpp"

namespace heed::examples {

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin < line.size();) {
    const size_t end = std::min(line.find(' ', begin), line.size());
    if (end > begin) words.emplace_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

void skip_byte_order_mark(std::string& line) {
  if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
}

std::vector<Pair> read_pairs(const std::string& path, int64_t limit) {
  std::istringstream file(read_file(path, "a file of pairs"));
  std::vector<Pair> pairs;
  std::string line;
  for (int64_t number = 1; (limit == 0 || number <= limit) && std::getline(file, line); ++number) {
    if (number == 1) skip_byte_order_mark(line);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const auto tabs = std::count(line.begin(), line.end(), '\t');
    if (tabs != 1) fail("{}:{}: expected `source<TAB>target`, found {} tabs", path, number, tabs);
    const size_t tab = line.find('\t');
    Pair pair{split_words(std::string_view(line).substr(0, tab)),
              split_words(std::string_view(line).substr(tab + 1))};
    if (pair.source.empty()) fail("{}:{}: nothing stands before the tab", path, number);
    if (pair.target.empty()) fail("{}:{}: nothing stands after the tab", path, number);
    for (const auto* side : {&pair.source, &pair.target}) {
      const auto special = std::find_if(side->begin(), side->end(), Vocabulary::is_special);
      if (special != side->end())
        fail("{}:{}: {} is a special token of the models, no word", path, number, *special);
    }
    pairs.push_back(std::move(pair));
  }
  if (pairs.empty()) fail("{}: is empty, expected lines `source<TAB>target`", path);
  return pairs;
}

}  // namespace heed::examples
