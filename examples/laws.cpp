// The laws of attention: mechanism by property, each cell checked while it is printed.
//
//   ./dev run laws [--json F]

#include <fmt/format.h>

#include <string>

#include "examples/support/command_line.hpp"
#include "examples/support/json.hpp"
#include "examples/support/laws.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

int wrong = 0;  // cells in which a law does not fare as stated

const char* check(const Law& law, Specimen c) {
  const bool right = as_stated(law, c);
  const bool kept = law.kept == nullptr || c.laws.*law.kept;
  if (!right) ++wrong;
  return right ? (kept ? "holds" : "breaks") : "WRONG";
}

void print_row(const KnownScorer& scorer, const KnownNormalizer& normalizer, const char* name, Json& json) {
  fmt::print("{:<16}", name);
  for (const Law& law : all_laws()) {
    const std::string cell = check(law, specimen(scorer, normalizer));
    fmt::print(" {:>10}", cell);
    json.set(pointer_part(name) + pointer_part(law.name), cell);
  }
  fmt::print("\n");
}

void print_heading(const std::string& what) {
  fmt::print("\n{:<16}", what);
  for (const Law& law : all_laws()) fmt::print(" {:>10}", law.name);
  fmt::print("\n");
}

int run(int argc, char** argv) {
  CommandLine line("laws", "Checks what attention promises, of every scorer and every normalizer.");
  std::string file;
  line.text("--json", file, "write all cells to this file");
  if (!line.parse(argc, argv)) return 0;

  for (const Law& law : all_laws()) fmt::print("{:<12} {}\n", law.name, law.statement);
  fmt::print(
      "\nholds: checked just now. breaks: this mechanism does not keep the law, and just now it did not.\n"
      "All in evaluation, where nothing is random.\n");
  Json json;
  const KnownScorer& additive = known_scorers().front();
  const KnownNormalizer& softmax = known_normalizers().front();
  print_heading(fmt::format("with {}", softmax.name));
  for (const KnownScorer& s : known_scorers()) print_row(s, softmax, s.name, json);
  print_heading(fmt::format("with {}", additive.name));
  for (const KnownNormalizer& n : known_normalizers()) print_row(additive, n, n.name, json);

  int cells = 0;
  for (const KnownScorer& s : known_scorers()) {
    for (const KnownNormalizer& n : known_normalizers()) {
      for (const Law& law : all_laws()) {
        const int before = wrong;
        check(law, specimen(s, n));
        if (wrong != before) fmt::print("WRONG: {} with {}: {}\n", s.name, n.name, law.name);
        ++cells;
      }
    }
  }
  fmt::print("\nEvery scorer with every normalizer: {} cells, {} wrong.\n", cells, wrong);
  json.set("/wrong", int64_t(wrong));
  if (!file.empty()) json.write(file);
  return wrong == 0 ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("laws", [=] { return run(argc, argv); });
}
