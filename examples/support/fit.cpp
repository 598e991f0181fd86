#include "examples/support/fit.hpp"

#include <chrono>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/kernels/parallel.hpp"
#include "examples/support/settings.hpp"
#include "examples/support/share.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"
#include "optim/schedule.hpp"

namespace heed::examples {

void add_fit_options(CommandLine& line, FitSettings& s) {
  line.group("training");
  line.integer("--steps", s.steps, "training steps of each model", 1);
  line.integer("--batch", s.batch, "examples a step", 1, 1 << 20);
  line.number("--lr", s.lr, "the highest learning rate (Adam); it falls to 0 at the end", 0, 100);
  line.integer("--seed", s.seed, "of everything random", 0, CommandLine::any);
  line.integer("--threads", s.threads, "more than one pays for large models alone; 0: one per core", 0, 1024);
  line.text("--json", s.json, "write all results to this file");
}

void apply(const FitSettings& settings) {
  check_json(settings.json);
  if (settings.threads > 0) kernels::set_threads(int(settings.threads));
}

void write_settings(Json& json, const FitSettings& s) {
  json.set("/settings/steps", s.steps);
  json.set("/settings/batch", s.batch);
  json.set("/settings/lr", s.lr);
  json.set("/settings/seed", s.seed);
}

Fitted fit(const Module& model, const FitSettings& settings, const std::function<Found()>& look,
           Progress* progress) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  Fitted fitted;
  Adam adam(parameters(model), {.lr = settings.lr});
  DataParallel ranks(adam.parameters());
  const Schedule schedule = linear_warmup(settings.warmup, linear_decay(settings.lr, settings.steps));
  for (int64_t step = 0; step < settings.steps; ++step) {
    adam.set_lr(schedule(step));
    adam.zero_grad();
    const Found found = look();
    const double share = DataParallel::shares({found.count}).front();
    backward(weigh(found.loss, share));
    ranks.sum_gradients();
    clip_grad_norm(adam.parameters(), 1);
    adam.step();
    const StepFindings own{.loss = double(found.loss.item()), .right = found.right, .count = found.count};
    const StepFindings all = over_ranks(own, share);
    fitted.losses.push_back(all.loss);
    if (progress != nullptr) progress->step(all);
  }
  ranks.check();
  fitted.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return fitted;
}

}  // namespace heed::examples
