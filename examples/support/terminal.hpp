#pragma once

#include <span>
#include <string>
#include <vector>

// What the programs show on the terminal.

namespace heed::examples {

// Whether standard output is a terminal, and whether it shows colours: it is one, TERM is not `dumb`, and
// NO_COLOR is not set (no-color.org).
bool is_terminal();
bool has_colour();

// `  source  ->  answer`, and what was expected where that is something else.
void print_answer(const std::string& source, const std::string& answer, const std::string& expected);

// `text` cut to, or filled at the left up to, `width` code points (wide letters count as one).
std::string fit(const std::string& text, size_t width);

// A map of attention: a row for each target symbol, a column for each source symbol, the stronger the weight
// the brighter (colour) or the fuller (blocks) the cell. `weights` is (rows, columns) row by row, each 0
// to 1.
std::string attention_map(std::span<const double> weights, const std::vector<std::string>& rows,
                          const std::vector<std::string>& columns, bool colour);

}  // namespace heed::examples
