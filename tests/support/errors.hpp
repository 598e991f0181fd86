#pragma once

#include <string>

#include "autograd/error.hpp"

namespace heed::tests {

// The sentence of the Error that f throws; empty when it throws none. Other exceptions pass through.
template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace heed::tests
