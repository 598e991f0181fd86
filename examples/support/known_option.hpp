#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "examples/support/command_line.hpp"

namespace heed::examples {

// An option whose choices are the names of a list (known_scorers(), known_positions(), ...), each with its
// formula in --help.
template <class Known>
void add_known(CommandLine& line, const char* flag, std::string& value, std::string help,
               std::span<const Known> list) {
  std::vector<std::string> names;
  size_t width = 0;
  for (const Known& known : list) width = std::max(width, std::string_view(known.name).size());
  for (const Known& known : list) {
    help += fmt::format("\n  {:<{}} {}", known.name, width, known.formula);
    names.emplace_back(known.name);
  }
  line.choice(flag, value, help, names);
}

}  // namespace heed::examples
