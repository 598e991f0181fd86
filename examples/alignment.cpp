// Learns a synthetic translation and asks whether attention is alignment.
// Each word stands for 0 to 3 symbols, a marker word swaps the two blocks that follow, and so the true
// alignment is known. The table trains three decoders that translate equally well, and tells how often each
// one's strongest weight is the word that the symbol came from.
//
//   ./dev run alignment [--no-table] [--model transformer] [--order bahdanau] [--values embeddings] ...

#include <fmt/format.h>

#include "examples/support/task_program.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

constexpr double threshold = 0.98;  // of unseen sequences right: the task counts as learned

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

// Trains every decoder but `done`, which the caller has, and prints all.
void print_table(const TaskData& data, Settings settings, const Learned& done, Json& json) {
  const std::string order = settings.order, values = settings.values;
  std::string table = "\nis attention an alignment?\n";
  for (const Decoder& decoder : decoders) {
    Learned fresh;
    const bool same = decoder.order == order && decoder.values == values;
    settings.order = decoder.order;
    settings.values = decoder.values;
    if (!same) fresh = learn(data, settings);
    const Evaluation& test = same ? done.test : fresh.test;
    table += fmt::format("  {:<66} {:5.1f}% right   AER {:.3f}\n", decoder.what,
                         100 * test.scores.sequence_accuracy, test.aer);
    const std::string row = fmt::format("/table/{}-{}", decoder.order, decoder.values);
    json.set(row + "/sequence_accuracy", test.scores.sequence_accuracy);
    json.set(row + "/aer", test.aer);
  }
  fmt::print(
      "{}A decoder whose state may carry a symbol fetches it a step early, or looks elsewhere: right\n"
      "answers do not make the weights an alignment.\n\n",
      table);
}

int run(int argc, char** argv) {
  CommandLine line("alignment", "Learns a synthetic translation and asks whether attention is alignment.");
  const Settings rnn{.hidden = 64, .steps = 6000, .lr = 3e-3};
  const Settings transformer{
      .model = "transformer", .hidden = 64, .layers = 2, .steps = 4000, .lr = 2e-3, .warmup = 200};
  bool no_table = false;
  line.toggle("--no-table", no_table, "rnn: do not train the other two decoders for the table");
  Settings settings;
  if (!parse_settings(line, settings, rnn, transformer, argc, argv)) return 0;

  const Task task = alignment_task(30, first_symbol);
  const TaskData data = draw_data(task, settings.seed);
  fmt::print("alignment: {} pairs, {} words, --model {}\n", data.train.size(), task.source_symbols.size(),
             settings.model);
  const Learned learned = learn(data, settings);
  Json json;
  if (settings.model == "rnn" && !no_table) print_table(data, settings, learned, json);
  return report(learned, task, data, settings, threshold, std::move(json));
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("alignment", [=] { return run(argc, argv); });
}
