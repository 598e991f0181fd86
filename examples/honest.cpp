// When do weights mean alignment? Every decoder order, value and normalizer, on two tasks.
// Their alignment is known. Each row tells how often the answers are right, how often the strongest weight is
// not the true source (AER), and how spread the weights are (entropy, nats). The worst are then trained with
// a loss on their weights.
//
//   ./dev run honest [--orders bahdanau] [--normalizers softmax] [--seeds 3] [--steps 4000] [--quick] ...

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "autograd/error.hpp"
#include "autograd/kernels/parallel.hpp"
#include "examples/support/study.hpp"
#include "layers/normalizers.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

constexpr double right = 0.97, elsewhere = 0.15;  // answers are right; weights are no alignment

const std::vector<std::string> all_orders = {"luong", "previous", "input-feeding", "bahdanau"};
const std::vector<std::string> all_values = {"states", "embeddings"};
const std::vector<std::string> usual_normalizers = {"softmax", "sparsemax", "entmax15"};

// All of them but those that choose a slot: a choice has no entropy to show.
std::vector<std::string> soft_normalizers() {
  std::vector<std::string> names;
  for (const KnownNormalizer& n : known_normalizers()) {
    const std::string_view name = n.name;
    if (name != "monotonic_hard" && name != "reinforce" && name != "straight_through" && name != "gumbel")
      names.emplace_back(name);
  }
  return names;
}

// A task, and what the decoders made of it.
struct Part {
  const char* name;
  Study study;
  int64_t steps;
  struct Row {
    Settings settings;
    Finding found;
  };
  std::vector<Row> rows = {};
};

std::string words(const Settings& s) {
  return fmt::format("{}, {}, {}{}", s.order, s.values, s.normalizer, s.guidance > 0 ? ", guided" : "");
}

// Trains one decoder and prints its cell.
Finding try_decoder(const Part& part, Settings settings, Json& json) {
  settings.steps = part.steps;
  const Finding found = part.study.measure(settings, right);
  fmt::print("   {:5.1f}%  {:.3f}  {:5.2f} ", 100 * found.accuracy, found.aer, found.entropy);
  std::fflush(stdout);
  write_finding(json,
                fmt::format("/{}/{}/{}-{}-{}", settings.guidance > 0 ? "guided" : "rows", part.name,
                            settings.order, settings.values, settings.normalizer),
                found);
  return found;
}

// The row of the largest AER among those that answer right, or null.
const Part::Row* worst(const Part& part) {
  const Part::Row* found = nullptr;
  for (const Part::Row& row : part.rows)
    if (row.found.accuracy >= right && (found == nullptr || row.found.aer > found->found.aer)) found = &row;
  return found;
}

// What one task's numbers say, in a sentence; `astray` counts the decoders that answer right and look
// elsewhere.
std::string verdict(const Part& part, int64_t& astray) {
  int64_t solved = 0, here = 0;
  double least = 1, entropy = 0;
  std::set<std::string> ways;  // of those that look elsewhere
  for (const auto& [settings, found] : part.rows) {
    if (found.accuracy < right) continue;
    ++solved;
    least = std::min(least, found.aer);
    if (found.aer <= elsewhere) continue;
    ++here;
    entropy = std::max(entropy, found.entropy);
    ways.insert(settings.order + " over " + settings.values);
  }
  astray += here;
  const size_t all = part.rows.size();
  if (solved == 0) return fmt::format("On {} none of {} decoders answers right.", part.name, all);
  const double most = worst(part)->found.aer;
  if (here == 0)
    return fmt::format(
        "On {} {} of {} decoders answer right, and the weights of all these are an alignment (AER "
        "{:.2f} to {:.2f}).",
        part.name, solved, all, least, most);
  std::string text = fmt::format(
      "On {} {} of {} decoders answer right (AER {:.2f} to {:.2f}). {} of these look beside the source of "
      "more than {:.0f}% of the symbols, with an entropy of at most {:.2f} nats; these are {}",
      part.name, solved, all, least, most, here, 100 * elsewhere, entropy, fmt::join(ways, ", "));
  if (ways.contains("luong over states")) text += "; an encoder's state knows its neighbours' symbols too";
  if (ways.contains("bahdanau over states") || ways.contains("bahdanau over embeddings"))
    text += "; a decoder's state that the context enters can carry a symbol to the next step";
  return text + ".";
}

// Trains the worst of a part once more, guided, and says what changed.
std::string cure(const Part& part, Json& json) {
  const Part::Row* row = worst(part);
  if (row == nullptr) return "";
  Settings settings = row->settings;
  settings.guidance = 1;
  fmt::print("{:<10} {:<46}", part.name, words(settings));
  const Finding found = try_decoder(part, settings, json);
  fmt::print("\n");
  return fmt::format(" Guided by the gold alignment, {} goes from AER {:.2f} to {:.2f}, with {:.1f}% right.",
                     words(row->settings), row->found.aer, found.aer, 100 * found.accuracy);
}

int run(int argc, char** argv) {
  CommandLine line("honest", "When do weights mean alignment? Every decoder order, value and normalizer.");
  std::vector<std::string> orders = all_orders, values = all_values, normalizers = usual_normalizers;
  int64_t seeds = 3, steps = 4000;
  bool quick = false;
  std::string path;
  line.choices("--orders", orders, "of the decoder", all_orders);
  line.choices("--values", values, "what is averaged: encoder states, source embeddings", all_values);
  line.choices("--normalizers", normalizers, "how scores become weights", soft_normalizers());
  line.integer("--seeds", seeds, "the mean over seeds 1, 2, ..., so many", 1, 100);
  line.integer("--steps", steps, "of training on alignment; copy is easier and gets three quarters", 2);
  line.toggle("--quick", quick, "30 steps and one seed: only to see that it runs");
  line.text("--json", path, "write all results to this file");
  if (!line.parse(argc, argv)) return 0;
  check_json(path);
  kernels::set_threads(1);
  for (const char* flag : {"--seeds", "--steps"})
    if (quick && line.given(flag)) fail("{} does not apply with --quick, which sets it", flag);
  if (quick) seeds = 1, steps = 30;

  Part parts[] = {{"copy", Study(copy_task(16), seeds), steps * 3 / 4},
                  {"alignment", Study(alignment_task(30), seeds), steps}};
  Json json;
  json.set("/seeds", seeds);
  json.set("/steps", steps);
  fmt::print("sequences right, AER, entropy      copy                     alignment\n");
  Settings settings{.hidden = 64, .lr = 3e-3};
  for (const std::string& order : orders)
    for (const std::string& value : values)
      for (const std::string& normalizer : normalizers) {
        settings.order = order;
        settings.values = value;
        settings.normalizer = normalizer;
        fmt::print("{:<35}", words(settings));
        for (Part& part : parts) part.rows.push_back({settings, try_decoder(part, settings, json)});
        fmt::print("\n");
      }
  fmt::print("\nthe worst of each, with a loss that pulls the weights to the gold alignment\n");
  std::string conclusion;
  int64_t astray = 0;
  for (const Part& part : parts) conclusion += verdict(part, astray) + cure(part, json) + "\n";
  conclusion += astray > 0
                    ? "So right answers do not make the weights an alignment: measure it, or train for it.\n"
                    : "So here no decoder answered right and looked elsewhere.\n";
  fmt::print("\n{}", conclusion);
  json.set("/conclusion", conclusion);
  if (!path.empty()) json.write(path);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("honest", [=] { return run(argc, argv); });
}
