#include "examples/support/estimators.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "layers/normalizers/gumbel.hpp"
#include "layers/normalizers/reinforce.hpp"
#include "layers/normalizers/softmax.hpp"
#include "layers/normalizers/straight_through.hpp"

namespace heed::examples {

namespace {

constexpr real running = real(0.9);  // of the baseline's mean

std::unique_ptr<Normalizer> normalizer_of(const Estimator& estimator) {
  Rng unused;
  const NormalizerSizes sizes{.temperature = real(estimator.temperature)};
  switch (estimator.method) {
    case Method::straight_through:
      return std::make_unique<StraightThrough>(sizes, unused);
    case Method::gumbel:
      return std::make_unique<Gumbel>(sizes, unused);
    case Method::reinforce:
    case Method::baseline:
      return std::make_unique<Reinforce>(sizes, unused);
    default:
      return std::make_unique<Softmax>(sizes, unused);
  }
}

double norm(const Gradient& g) {
  double square = 0;
  for (const double x : g) square += x * x;
  return std::sqrt(square);
}

double distance(const Gradient& a, const Gradient& b) {
  Gradient difference(a.size());
  std::ranges::transform(a, b, difference.begin(), std::minus<>());
  return norm(difference);
}

}  // namespace

const std::vector<Estimator>& estimators() {
  static const std::vector<Estimator> all = {
      {"softmax", Method::softmax},
      {"exact marginal", Method::marginal},
      {"exact expectation", Method::expected},
      {"REINFORCE", Method::reinforce},
      {"REINFORCE, baseline", Method::baseline},
      {"the same, entropy 0.02", Method::baseline, 1, 0.02},
      {"straight-through", Method::straight_through},
      {"Gumbel, temperature 2", Method::gumbel, 2},
      {"Gumbel, temperature 1", Method::gumbel, 1},
      {"Gumbel, temperature 0.5", Method::gumbel, 0.5},
      {"Gumbel, temperature 0.1", Method::gumbel, 0.1},
  };
  return all;
}

Teacher::Teacher(const Estimator& estimator)
    : estimator_(estimator),
      reinforce_{.entropy_weight = real(estimator.entropy),
                 .decay = estimator.method == Method::baseline ? running : real(1)} {}

Tensor Teacher::look(const Chooser& model, const Batch& batch, Rng& rng) {
  const Chooser::Asked asked = model.ask(batch);
  const auto normalizer = normalizer_of(estimator_);
  const Pass pass{.train = true, .rng = &rng};
  const auto [weights, probabilities] = (*normalizer)(asked.scores, asked.memory.mask, {.pass = pass});
  const Tensor log_p = model.log_p(asked, matmul(weights, asked.memory.values), batch.output);  // (B, T)
  if (!estimator_.random() || estimator_.method == Method::gumbel) return neg(mean(log_p));
  // One reward per look, log p(y_t | its slot), because no other symbol depends on it. The gradient of log p
  // itself is the other half of the estimate (Xu et al. 2015, section 4.1).
  const Attended seen{.context = {}, .weights = weights, .probabilities = probabilities};
  const Tensor chosen = reinforce_(log_probability(seen), entropy(probabilities), log_p);  // summed over T
  return scale(chosen, 1 / real(log_p.size(1))) - mean(log_p);
}

Tensor Teacher::loss(const Chooser& model, const Batch& batch, Rng& rng) {
  if (estimator_.method != Method::marginal && estimator_.method != Method::expected)
    return look(model, batch, rng);
  const Chooser::Asked asked = model.ask(batch);
  const Tensor weights = softmax(asked.scores, asked.memory.mask);
  const Tensor log_p = model.log_p_of_slots(asked, batch.output);  // (B, T, S)
  if (estimator_.method == Method::marginal) return neg(mean(log_marginal(weights, log_p)));
  return neg(mean(sum(weights * log_p, -1)));
}

Gradient gradient(Teacher& teacher, const Chooser& model, const Batch& batch, Rng& rng) {
  zero_grad(model);
  backward(teacher.loss(model, batch, rng));
  Gradient all;
  for (const Tensor& parameter : model.choosing_parameters()) {
    const Tensor g = parameter.grad();
    if (g.defined())
      all.insert(all.end(), g.values().begin(), g.values().end());
    else
      all.insert(all.end(), size_t(parameter.size()), 0.0);
  }
  zero_grad(model);
  return all;
}

Quality measure(const Estimator& estimator, const Chooser& model, const Batch& batch, int64_t draws, Rng& rng,
                double enough) {
  Teacher expected({"", Method::expected}), marginal({"", Method::marginal}), teacher(estimator);
  const Gradient g = gradient(expected, model, batch, rng), m = gradient(marginal, model, batch, rng);
  if (!estimator.random()) {
    const Gradient a = gradient(teacher, model, batch, rng);
    return {.bias = distance(a, g) / norm(g), .against_marginal = distance(a, m) / norm(m)};
  }
  for (int i = 0; i < 50; ++i) teacher.loss(model, batch, rng);  // the baseline settles
  // Welford's mean and sum of squared deviations: squares of single gradients may be far above their
  // variance.
  Gradient average(g.size(), 0.0);
  double squares = 0;
  int64_t n = 0;
  const auto trace = [&] { return squares / double(std::max<int64_t>(1, n - 1)); };
  const auto error = [&] { return std::sqrt(trace() / double(n)) / norm(g); };
  while (n < draws || (n < 50 * draws && error() > enough)) {
    ++n;
    const Gradient one = gradient(teacher, model, batch, rng);
    for (size_t i = 0; i < one.size(); ++i) {
      const double before = one[i] - average[i];
      average[i] += before / double(n);
      squares += before * (one[i] - average[i]);
    }
  }
  return {.bias = distance(average, g) / norm(g),
          .error = error(),
          .against_marginal = distance(average, m) / norm(m),
          .deviation = std::sqrt(trace()) / norm(g),
          .draws = n};
}

}  // namespace heed::examples
