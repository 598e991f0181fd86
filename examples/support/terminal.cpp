#include "examples/support/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "optim/distributed.hpp"

namespace heed::examples {

namespace {

// The bytes of the first `count` code points of UTF-8 text, and how many there are.
struct Prefix {
  size_t bytes = 0, points = 0;
};
Prefix prefix(const std::string& text, size_t count) {
  Prefix p;
  for (; p.bytes < text.size(); ++p.bytes) {
    const bool starts = (static_cast<unsigned char>(text[p.bytes]) & 0xC0U) != 0x80U;
    if (starts && p.points == count) break;
    p.points += starts;
  }
  return p;
}

size_t widest(const std::vector<std::string>& labels) {
  size_t width = 1;
  for (const std::string& label : labels) width = std::max(width, prefix(label, label.size()).points);
  return width;
}

std::string cell(double weight, size_t width, bool colour) {
  const double w = std::isfinite(weight) ? std::clamp(weight, 0.0, 1.0) : 0;
  if (colour) {  // the 24 greys of the 256-colour palette, black to white
    const int grey = 232 + int(std::lround(w * 23));
    return fmt::format("\x1b[48;5;{}m{}\x1b[0m", grey, std::string(width, ' '));
  }
  constexpr std::array<const char*, 5> blocks = {"·", "░", "▒", "▓", "█"};
  const char* block = blocks[size_t(std::lround(w * 4))];
  std::string text(1, ' ');
  for (size_t i = 1; i < width; ++i) text += block;
  return text;
}

}  // namespace

// mpirun gives a rank a terminal whatever its own output is.
bool is_terminal() { return isatty(STDOUT_FILENO) == 1 && !distributed::launched(); }

bool has_colour() {
  const char* term = std::getenv("TERM");
  const char* refused = std::getenv("NO_COLOR");
  if (refused != nullptr && *refused != '\0') return false;
  return is_terminal() && term != nullptr && std::string_view(term) != "dumb";
}

void print_answer(const std::string& source, const std::string& answer, const std::string& expected) {
  fmt::print("  {}  ->  {}{}\n", source, answer, answer == expected ? "" : "   wrong, expected " + expected);
}

std::string fit(const std::string& text, size_t width) {
  const Prefix kept = prefix(text, width);
  return std::string(width - kept.points, ' ') + text.substr(0, kept.bytes);
}

std::string attention_map(std::span<const double> weights, const std::vector<std::string>& rows,
                          const std::vector<std::string>& columns, bool colour) {
  constexpr size_t longest_label = 6;
  const size_t left = std::min(widest(rows), 2 * longest_label);
  const size_t width = std::min(std::max<size_t>(widest(columns), 2), longest_label) + 1;
  std::string map(left, ' ');
  for (const std::string& column : columns) map += fit(column, width - 1).insert(0, 1, ' ');
  map += '\n';
  for (size_t t = 0; t < rows.size(); ++t) {
    map += fit(rows[t], left);
    for (size_t s = 0; s < columns.size(); ++s) map += cell(weights[t * columns.size() + s], width, colour);
    map += '\n';
  }
  return map;
}

}  // namespace heed::examples
