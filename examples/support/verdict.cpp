#include "examples/support/verdict.hpp"

#include <fmt/format.h>

namespace heed::examples {

int conclude(const std::string& program, const Verdict& verdict, Json& json, const std::string& path) {
  fmt::print("\n{}: {} ({})\n", program, verdict.learned ? "learned" : "not learned", verdict.why);
  json.set("/learned", verdict.learned);
  if (!path.empty()) json.write(path);
  return verdict.learned ? 0 : 2;
}

Verdict judge(double right, double threshold, const std::string& what) {
  return {right >= threshold,
          fmt::format("{:.1f}% of {} right, the threshold is {:.0f}%", 100 * right, what, 100 * threshold)};
}

}  // namespace heed::examples
