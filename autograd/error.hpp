#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>  // fmt::join, since fmt 11

#include <stdexcept>
#include <utility>

namespace heed {

// What heed throws: one sentence that names the op, the offending numbers and what was expected, as in
// `matmul: (32, 64) x (32, 192): inner sizes 64 and 32 differ`. The text is part of the interface.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws Error with a formatted sentence.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace heed
