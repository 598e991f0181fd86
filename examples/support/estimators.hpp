#pragma once

#include <string>
#include <vector>

#include "examples/support/chooser.hpp"
#include "layers/hard.hpp"

// Ways to teach a Chooser, and how far their gradients are from the exact ones.
//
// p(s|t) is the probability of looking at slot s for target symbol t, p(y|s) that of the right symbol then.
// Two objectives can be summed over all choices exactly, and Jensen's inequality puts one below the other:
//   expected   sum_t sum_s p(s|t) log p(y|s)        what choosing by p(s|t) is worth on average (Xu et al.
//                                                   2015, 4.1: their lower bound)
//   marginal   sum_t log sum_s p(s|t) p(y|s)        the likelihood of the target (Wu et al. 2018, eq. 3)
// REINFORCE estimates the gradient of the first without bias; with Xu's entropy term that of another, which
// keeps the choices open. Straight-through and Gumbel-softmax stand for
// it too, with bias; softmax (soft attention) has an objective of its own, log p(y | average of the values).

namespace heed::examples {

enum class Method { softmax, marginal, expected, reinforce, baseline, straight_through, gumbel };

struct Estimator {
  std::string name;
  Method method;
  double temperature = 1;  // of gumbel
  double entropy = 0;      // of baseline: how much the objective counts the entropy of the choices, too

  // Whether two gradients of the same batch differ.
  [[nodiscard]] bool random() const {
    return method == Method::reinforce || method == Method::baseline || method == Method::gumbel;
  }
};
const std::vector<Estimator>& estimators();

// The losses of one estimator, each -(its objective) / (B T), with what it keeps from one to the next: the
// baseline of `baseline`, a running mean of log p(y | choice). The batch's targets must all be of one length.
class Teacher {
 public:
  explicit Teacher(const Estimator& estimator);
  // backward() of it gives one estimate of the gradient.
  Tensor loss(const Chooser& model, const Batch& batch, Rng& rng);

 private:
  [[nodiscard]] Tensor look(const Chooser& model, const Batch& batch, Rng& rng);
  Estimator estimator_;
  ReinforceLoss reinforce_;
};

// The gradient with respect to the parameters that choose, one after the other. (With all parameters the
// readout's gradient, which every estimator gets right, would hide the differences.)
using Gradient = std::vector<double>;
Gradient gradient(Teacher& teacher, const Chooser& model, const Batch& batch, Rng& rng);

// `draws` gradients of a batch, and so many more, up to 50 times as many, that `error` is at most `enough`,
// against the exact ones, g and m: of their mean a and their covariance C
//   bias       |a - g| / |g|, g of the expected log-likelihood; against_marginal |a - m| / |m|
//   error      sqrt(tr C / draws) / |g|, the size that noise alone would give `bias`
//   deviation  sqrt(tr C) / |g|, of one estimate
struct Quality {
  double bias = 0, error = 0, against_marginal = 0, deviation = 0;
  int64_t draws = 0;  // so many it took
};
Quality measure(const Estimator& estimator, const Chooser& model, const Batch& batch, int64_t draws, Rng& rng,
                double enough = 1e9);

}  // namespace heed::examples
