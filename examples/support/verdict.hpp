#pragma once

#include <string>

#include "examples/support/json.hpp"

namespace heed::examples {

// How a program that learns ends: the line `NAME: learned (WHY)`, or `not learned`; --json's file, unless its
// path is empty; and the exit status, 0 learned, 2 not.
struct Verdict {
  bool learned;
  std::string why;
};
int conclude(const std::string& program, const Verdict& verdict, Json& json, const std::string& path);

// The verdict on the share of `what` that is right.
Verdict judge(double right, double threshold, const std::string& what);

}  // namespace heed::examples
