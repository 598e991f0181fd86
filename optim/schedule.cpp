#include "optim/schedule.hpp"

#include <cmath>
#include <numbers>
#include <utility>

#include "autograd/error.hpp"

namespace heed {

namespace {

void require_positive(const char* schedule, const char* what, int64_t n) {
  if (n < 1) fail("{}: {} is {}, expected at least 1", schedule, what, n);
}

// How much of `total` steps is over, 0 to 1.
double progress(int64_t step, int64_t total) { return step < total ? double(step) / double(total) : 1.0; }

}  // namespace

Schedule constant(double lr) {
  return [=](int64_t) { return lr; };
}

Schedule linear_warmup(int64_t warmup, Schedule after) {
  if (warmup < 0) fail("linear_warmup: warmup is {}, expected at least 0", warmup);
  return [=, after = std::move(after)](int64_t step) {
    return step < warmup ? after(step) * double(step + 1) / double(warmup) : after(step);
  };
}

Schedule linear_decay(double lr, int64_t total, double lowest) {
  require_positive("linear_decay", "total", total);
  return [=](int64_t step) { return lr + (lowest - lr) * progress(step, total); };
}

Schedule cosine(double lr, int64_t total, double lowest) {
  require_positive("cosine", "total", total);
  return [=](int64_t step) {
    return lowest + (lr - lowest) * (1 + std::cos(std::numbers::pi * progress(step, total))) / 2;
  };
}

Schedule inverse_sqrt(double lr, int64_t warmup) {
  require_positive("inverse_sqrt", "warmup", warmup);
  return [=](int64_t step) {
    const double n = double(step + 1), w = double(warmup);
    return lr * std::sqrt(w) * std::fmin(1 / std::sqrt(n), n / (w * std::sqrt(w)));
  };
}

Schedule noam(int64_t width, int64_t warmup, double factor) {
  require_positive("noam", "width", width);
  require_positive("noam", "warmup", warmup);
  return inverse_sqrt(factor / std::sqrt(double(width) * double(warmup)), warmup);
}

Schedule step_decay(double lr, int64_t every, double gamma) {
  require_positive("step_decay", "every", every);
  return [=](int64_t step) {
    const int64_t drops = step / every;
    return lr * std::pow(gamma, double(drops));
  };
}

}  // namespace heed
