// Trains a Transformer with every kind of positions on four tasks, and asks it for longer sequences too.
// Those that tell an encoder which token stands before which learn what they were shown; the honest number is
// the one beside it: sequences longer than any trained on, where a scheme that knows places by heart has
// never been.
//
//   ./dev run positions [--tasks reverse,sort] [--kinds rotary,alibi] [--seeds 3] ...

#include <fmt/format.h>

#include <cstdio>

#include "autograd/kernels/parallel.hpp"
#include "examples/support/task_program.hpp"
#include "examples/support/verdict.hpp"
#include "layers/positions.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

constexpr double threshold = 0.99;

struct Options {
  std::vector<std::string> tasks, kinds;
  int64_t seeds = 1, steps = 0, threads = 1;
  std::string json = {};
};

struct Plan {
  Task task;
  int64_t steps;
};
Plan plan_of(const std::string& name) {
  if (name == "copy") return {copy_task(16), 2000};
  if (name == "reverse") return {reverse_task(16), 2000};
  if (name == "sort") return {sort_task(16), 3000};
  return {alignment_task(30), 6000};
}

// Whether an encoder learns from them which of two tokens stands first. Without positions it sees a bag of
// symbols; ALiBi, made for decoders alone, tells how far a token is and not on which side.
bool orders(const std::string& kind) { return kind != "none" && kind != "alibi"; }

bool parse(Options& o, int argc, char** argv) {
  const std::vector<std::string> tasks = {"copy", "reverse", "alignment", "sort"};
  for (const KnownPositions& known : known_positions()) o.kinds.emplace_back(known.name);
  CommandLine line("positions",
                   "Trains a Transformer with every kind of positions, and asks for longer sequences.");
  const std::vector<std::string> kinds = o.kinds;
  o.tasks = tasks;
  line.choices("--tasks", o.tasks, "which of the tasks", tasks);
  line.choices("--kinds", o.kinds, "which of the kinds of positions", kinds);
  line.integer("--seeds", o.seeds, "the mean over seeds 1, 2, ..., so many", 1, 100);
  line.integer("--steps", o.steps, "of training; 0: 2000, of sort 3000, of alignment 6000", 0);
  line.integer("--threads", o.threads, "more than one pays for large models alone; 0: one per core", 0, 1024);
  line.text("--json", o.json, "write all results to this file");
  if (!line.parse(argc, argv)) return false;
  check_json(o.json);
  if (o.threads > 0) kernels::set_threads(int(o.threads));
  return true;
}

// Trains and prints one row, the mean over the seeds; false if it should have learned and did not.
bool print_row(const std::string& name, const std::string& kind, const std::vector<TaskData>& data,
               int64_t steps, Json& json) {
  Settings settings{.model = "transformer",
                    .positions = kind,
                    .hidden = 64,
                    .layers = 2,
                    .steps = steps,
                    .lr = 2e-3,
                    .warmup = steps / 15,
                    .seed = 0};
  double right = 0, longer = 0, aer = 0, seconds = 0;
  bool all = true;
  for (const TaskData& drawn : data) {
    ++settings.seed;
    const double share = 1 / double(data.size());
    const Learned learned = learn(drawn, settings, {.quiet = true});
    const Evaluation beyond = evaluate(*learned.model, drawn.longer);
    all = all && learned.test.scores.sequence_accuracy >= threshold;
    right += share * learned.test.scores.sequence_accuracy;
    longer += share * beyond.scores.sequence_accuracy;
    aer += share * learned.test.aer;
    seconds += share * learned.training.seconds;
  }
  fmt::print("{:<10} {:<11} {:6.1f}% {:10.1f}%    {:.3f} {:9.1f}\n", name, kind, 100 * right, 100 * longer,
             aer, seconds);
  std::fflush(stdout);
  const std::string at = fmt::format("/{}/{}", name, kind);
  json.set(at + "/sequence_accuracy", right);
  json.set(at + "/sequence_accuracy_longer", longer);
  json.set(at + "/aer", aer);
  json.set(at + "/seconds", seconds);
  return all || !orders(kind);
}

int run(int argc, char** argv) {
  Options o;
  if (!parse(o, argc, argv)) return 0;
  fmt::print(
      "sequences right, unseen: lengths 3 to 12 as trained on, 13 to 18 longer than any; mean of {} "
      "seed{}\n\n"
      "task       positions     3..12     13..18      AER   seconds\n",
      o.seeds, o.seeds == 1 ? "" : "s");
  Json json;
  bool enough = true;
  for (const std::string& name : o.tasks) {
    const Plan plan = plan_of(name);
    std::vector<TaskData> data;
    for (int64_t seed = 1; seed <= o.seeds; ++seed) data.push_back(draw_data(plan.task, seed));
    for (const std::string& kind : o.kinds)
      enough = print_row(name, kind, data, o.steps > 0 ? o.steps : plan.steps, json) && enough;
  }
  json.set("/seeds", o.seeds);
  json.set("/threshold", threshold);
  const std::string why =
      fmt::format("the threshold is {:.0f}% of 3 to 12 symbols; none and alibi tell an encoder no order",
                  100 * threshold);
  return conclude("positions", {enough, why}, json, o.json);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("positions", [=] { return run(argc, argv); });
}
