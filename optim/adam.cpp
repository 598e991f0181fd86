#include "optim/adam.hpp"

#include <cmath>

#include "autograd/simd.hpp"

namespace heed::inline HEED_PRECISION {

Adam::Adam(const char* name, const TensorList& parameters, AdamOptions options, bool decoupled)
    : Optimizer(name, parameters, options.lr),
      options_(options),
      decoupled_(decoupled),
      mean_(moments()),
      square_(moments()),
      steps_(parameters_.size()) {
  require(options.beta1 >= 0 && options.beta1 < 1, "beta1", options.beta1, "at least 0 and below 1");
  require(options.beta2 >= 0 && options.beta2 < 1, "beta2", options.beta2, "at least 0 and below 1");
  require(options.eps >= 0, "eps", options.eps, "at least 0");
  require(options.weight_decay >= 0, "weight_decay", options.weight_decay, "at least 0");
}

void Adam::update(size_t i, real* p, const real* g, int64_t n) {
  // The kernel's betas are rounded to real: the sums that it forms add up to 1 - beta^t for those.
  const double t = double(++steps_[i]);
  const real beta1 = real(options_.beta1), beta2 = real(options_.beta2);
  const real step = real(lr() / (1 - std::pow(double(beta1), t)));
  const real sqrt_c2 = real(std::sqrt(1 - std::pow(double(beta2), t)));
  const bool decays = !options_.only_matrices || parameters_[i].rank() >= 2;
  const double decay = decays ? options_.weight_decay : 0;
  Buffer decayed;
  if (decay != 0 && !decoupled_) {  // d = g + decay p
    decayed = Buffer(n);
    simd().scale(real(decay), p, decayed.mutable_data(), n);
    simd().axpy(real(1), g, decayed.mutable_data(), n);
    g = decayed.data();
  }
  const real shrink = decoupled_ ? real(lr() * decay) : real(0);
  real* m = mean_[i].mutable_data();
  real* v = square_[i].mutable_data();
  constexpr int64_t grain = 1 << 15;  // some 10 us of work
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    simd().adamw(p + begin, g + begin, m + begin, v + begin, end - begin, beta1, beta2, step, sqrt_c2,
                 real(options_.eps), shrink);
  });
}

}  // namespace heed::inline HEED_PRECISION
