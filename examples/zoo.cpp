// Trains every scorer with every normalizer on one task, and says what fails and why.
//
//   ./dev run zoo [--task reverse|copy|alignment] [--scorers dot,cosine] [--normalizers softmax] [--seeds 3]
//   ...
//
// A pair is trained until it solves the task (99% of unseen sequences right, of alignment 98%) or --steps are
// over; rows print as they finish. Ends with status 2 if a pair fails that no law of its own forbids.

#include <fmt/format.h>

#include <cstdio>
#include <map>

#include "autograd/error.hpp"
#include "autograd/kernels/parallel.hpp"
#include "examples/support/study.hpp"
#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

struct Choice {
  std::string task = "reverse";
  std::vector<std::string> scorers, normalizers;  // all, to begin with
  int64_t seeds = 1, steps = 0, threads = 1;      // 0 steps: the task's
  double lr = 5e-3;
  std::string json = {};
};

// What a task needs; each pair has the same.
struct Plan {
  Task task;
  int64_t steps;
  double solved;
};
Plan plan_of(const std::string& task) {
  if (task == "reverse") return {reverse_task(16), 3000, 0.99};
  if (task == "copy") return {copy_task(16), 3000, 0.99};
  return {alignment_task(30), 6000, 0.98};
}

template <class Known>
const Known& named(const std::string& name, std::span<const Known> list) {
  for (const Known& known : list)
    if (known.name == name) return known;
  fail("{} is in no list", name);
}

// Why this pair cannot solve the task, as far as its laws tell; empty: it should.
std::string forbidden(const std::string& task, const KnownScorer& scorer, const KnownNormalizer& normalizer) {
  const std::string s = scorer.name, n = normalizer.name;
  if (s == "location" && task == "alignment")
    return "location never sees the keys, and where to look next depends on the words that stand there";
  if (s == "concat_linear" && normalizer.laws.shift)
    return "concat_linear gives w_q . q + w_k . k: the query adds the same to every slot and drops out of "
           "the "
           "weights, so that every query looks at the same slots";
  if (n == "local_m" && task != "copy")
    return "local_m looks around the slot that has the target symbol's own number, and its source is "
           "elsewhere";
  if (n.starts_with("monotonic") && task == "reverse")
    return "monotonic attention never turns back, and reverse goes from the last slot to the first";
  if (n.starts_with("monotonic") && task == "alignment")
    return "monotonic attention never turns back, and the marker word swaps two blocks";
  return "";
}

std::string unexplained(const KnownNormalizer& normalizer) {
  const std::string n = normalizer.name;
  if (n == "reinforce")
    return "REINFORCE's gradient is unbiased but noisy: more steps or a larger batch help";
  if (n == "straight_through") return "its gradient is another function's, only roughly the right one";
  if (n == "gumbel") return "it learns from noisy mixtures of slots, but answers from a single one";
  return "no law forbids it: the steps or the learning rate do not suit it";
}

// The failures by their reason.
using Failures = std::map<std::string, std::vector<std::string>>;

// Trains one pair and prints its row; false if it failed though nothing forbids it.
bool try_pair(const Study& study, const Plan& plan, const Settings& settings, Failures& failures,
              Json& json) {
  const KnownScorer& scorer = named(settings.scorer, known_scorers());
  const KnownNormalizer& normalizer = named(settings.normalizer, known_normalizers());
  fmt::print("{:<14} {:<16} {:4} ", settings.scorer, settings.normalizer, settings.temperature);
  std::fflush(stdout);
  const std::string at = "/rows/" + settings.scorer + "/" + settings.normalizer;
  Finding found;
  try {
    found = study.measure(settings, plan.solved, std::max<int64_t>(1, plan.steps / 20));
  } catch (const Error& error) {
    fmt::print("  -  {}\n", error.what());
    json.set(at + "/error", std::string(error.what()));
    return false;
  }
  const bool solved = found.all_solved();
  fmt::print("{:5.1f}%  {:.3f}  {:7.2f}  {}  {}/{}\n", 100 * found.accuracy, found.aer, found.entropy,
             solved ? fmt::format("{:6.0f}  {:6.1f}", found.steps, found.seconds) : "     -       -",
             found.solved, found.seeds);
  std::fflush(stdout);
  write_finding(json, at, found);
  json.set(at + "/temperature", settings.temperature);
  if (solved) return true;
  const std::string law = forbidden(plan.task.name, scorer, normalizer);
  const std::string reason = law.empty() ? unexplained(normalizer) : law;
  failures[reason].push_back(settings.scorer + " with " + settings.normalizer);
  json.set(at + "/reason", reason);
  return !law.empty();
}

template <class Known>
std::vector<std::string> names_of(std::span<const Known> list) {
  std::vector<std::string> names;
  for (const Known& known : list) names.emplace_back(known.name);
  return names;
}

bool parse(Choice& choice, int argc, char** argv) {
  choice.scorers = names_of(known_scorers());
  choice.normalizers = names_of(known_normalizers());
  CommandLine line("zoo",
                   "Trains every scorer with every normalizer on one task, and says what fails and why.");
  line.choice("--task", choice.task, "what they learn", {"reverse", "copy", "alignment"});
  line.choices("--scorers", choice.scorers, "which of the scorers", names_of(known_scorers()));
  line.choices("--normalizers", choice.normalizers, "which of the normalizers",
               names_of(known_normalizers()));
  line.integer("--seeds", choice.seeds, "the mean over seeds 1, 2, ..., so many", 1, 100);
  line.integer("--steps", choice.steps, "of training at most; 0: 3000, of alignment 6000", 0);
  line.number("--lr", choice.lr, "the highest learning rate (Adam); it falls to 0 at the end", 0, 100);
  line.integer("--threads", choice.threads, "more do not pay for models of this size", 1, 1024);
  line.text("--json", choice.json, "write all results to this file");
  if (!line.parse(argc, argv)) return false;
  check_json(choice.json);
  kernels::set_threads(int(choice.threads));
  return true;
}

int run(int argc, char** argv) {
  Choice choice;
  if (!parse(choice, argc, argv)) return 0;
  Plan plan = plan_of(choice.task);
  if (choice.steps > 0) plan.steps = choice.steps;
  const Study study(plan.task, choice.seeds);
  Settings settings{.hidden = 64, .steps = plan.steps, .lr = choice.lr};

  Json json;
  json.set("/task", choice.task);
  json.set("/steps", plan.steps);
  json.set("/threshold", plan.solved);
  fmt::print("{}: solved from {:.0f}% on, at most {} steps, mean over {} seed{}\n\n", choice.task,
             100 * plan.solved, plan.steps, choice.seeds, choice.seeds == 1 ? "" : "s");
  fmt::print("scorer         normalizer       temp.  right    AER  entropy   steps  seconds solved\n");
  Failures failures;
  bool as_expected = true;
  for (const std::string& scorer : choice.scorers)
    for (const std::string& normalizer : choice.normalizers) {
      settings.scorer = scorer;
      settings.normalizer = normalizer;
      // Its division by sqrt(K) leaves so little of bounded states that softmax learns slowly to be sharp.
      settings.temperature = scorer == "scaled_dot" && reads_temperature(normalizer) ? 0.5 : 1;
      as_expected = try_pair(study, plan, settings, failures, json) && as_expected;
    }
  for (const auto& [reason, pairs] : failures)
    fmt::print("\n{} fail{}: {}.\n", fmt::join(pairs, ", "), pairs.size() == 1 ? "s" : "", reason);
  json.set("/as_expected", as_expected);
  if (!choice.json.empty()) json.write(choice.json);
  return as_expected ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("zoo", [=] { return run(argc, argv); });
}
