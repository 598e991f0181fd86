// Learns a synthetic translation and asks whether attention is alignment.
// Each word stands for 0 to 3 symbols, a marker word swaps the two blocks that follow, and so the true
// alignment is known. The table trains three decoders, here and on copy, that answer equally well, and tells
// how often each one's strongest weight is not the word that the symbol came from (AER).
//
//   ./dev run alignment [--no-table] [--model transformer] [--order bahdanau] [--values embeddings] ...

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "autograd/error.hpp"
#include "examples/support/task_program.hpp"

using namespace heed::examples;

namespace {

// One row of the table: where the query comes from, and what is averaged.
struct Decoder {
  const char* what;
  const char* order;
  const char* values;
};
constexpr Decoder decoders[] = {
    {"Bahdanau's order: previous state asks, context enters the state", "bahdanau", "states"},
    {"Luong's order: current state asks, context to the output alone", "luong", "states"},
    {"Luong's order, and values are the source embeddings", "luong", "embeddings"},
};

// What one of them came to on one task.
struct Outcome {
  std::string order;
  double right, aer;
};

// What the decoders that learned a task say about it: as much as was measured.
std::string conclusion(const char* task, std::vector<Outcome> outcomes, double threshold) {
  std::erase_if(outcomes, [=](const Outcome& o) { return o.right < threshold; });
  if (outcomes.size() < 2)
    return fmt::format("On {} fewer than two decoders get {:.0f}% right: nothing to compare.\n", task,
                       100 * threshold);
  std::ranges::sort(outcomes, {}, &Outcome::aer);
  const Outcome &least = outcomes.front(), &most = outcomes.back();
  const std::string found =
      fmt::format("on {} {} decoders get {:.0f}% right or more, with an AER of {:.3f} to {:.3f}", task,
                  outcomes.size(), 100 * threshold, least.aer, most.aer);
  if (most.aer < least.aer + 0.1) return fmt::format("No difference worth naming: {}.\n", found);
  const char* why = most.order == "bahdanau"
                        ? "\n(its context enters its state, which can carry a symbol to the next step)"
                        : "";
  return fmt::format("Right answers do not make the weights an alignment:\n{}, the latter of order {}{}.\n",
                     found, most.order, why);
}

// Trains every decoder on both tasks, but for `done`, which the caller has, and prints all.
void print_table(const TaskData& data, const Settings& settings, const Learned& done, double threshold,
                 Json& json) {
  Settings other = settings;
  const TaskData copies = draw_data(copy_task(16), settings.seed);
  std::vector<Outcome> on_copy, on_alignment;
  const auto cell = [&](const std::string& task, const Evaluation& test, std::vector<Outcome>& outcomes) {
    const std::string row = fmt::format("/table/{}-{}/{}", other.order, other.values, task);
    json.set(row + "/sequence_accuracy", test.scores.sequence_accuracy);
    json.set(row + "/aer", test.aer);
    outcomes.push_back({other.order, test.scores.sequence_accuracy, test.aer});
    return fmt::format("  {:5.1f}% {:.3f}", 100 * test.scores.sequence_accuracy, test.aer);
  };
  std::string table;
  for (const Decoder& decoder : decoders) {
    other.order = decoder.order;
    other.values = decoder.values;
    const bool is_done = other.order == settings.order && other.values == settings.values;
    other.steps = settings.steps;
    const std::string here = cell("alignment", is_done ? done.test : learn(data, other).test, on_alignment);
    other.steps = (settings.steps + 1) / 2;  // the easier task
    table +=
        fmt::format("  {:<64}{}{}\n", decoder.what, cell("copy", learn(copies, other).test, on_copy), here);
  }
  fmt::print("\nis attention an alignment?  sequences right, AER        on copy:       here:\n{}\n{}{}\n",
             table, conclusion("copy", on_copy, threshold), conclusion("alignment", on_alignment, threshold));
}

int run(int argc, char** argv) {
  const TaskProgram program{
      .about = "Learns a synthetic translation and asks whether attention is alignment.",
      // The data: pairs of sentences over 30 words, and the position that each target symbol comes from.
      .task = alignment_task(30),
      // The model and its training, by --model; an option overrides what stands here.
      .presets = {.rnn = {.hidden = 64, .steps = 6000, .lr = 3e-3},
                  .transformer = {.model = "transformer",
                                  .hidden = 64,
                                  .layers = 2,
                                  .steps = 4000,
                                  .lr = 2e-3,
                                  .warmup = 200}},
      // The report says `learned` if this share of unseen sequences is exactly right.
      .threshold = 0.98,
  };
  CommandLine line(program.task.name, program.about);
  bool no_table = false;
  line.toggle("--no-table", no_table, "rnn: do not train the other decoders for the table");
  Settings settings;
  if (!parse_settings(line, settings, program.presets, argc, argv)) return 0;
  if (no_table && settings.model != "rnn")
    heed::fail("--no-table does not apply to --model {}", settings.model);

  const TaskData data = draw_data(program.task, settings.seed);
  const Learned learned = learn(data, settings);
  Json json;
  if (settings.model == "rnn" && !no_table) print_table(data, settings, learned, program.threshold, json);
  return report(program, data, learned, std::move(json));
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("alignment", [=] { return run(argc, argv); });
}
