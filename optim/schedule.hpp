#pragma once

#include <cstdint>
#include <functional>

namespace heed {

// The learning rate as a function of the number of steps already taken: 0 before the first. In a loop:
// `optimizer.set_lr(schedule(step)); optimizer.step();`
using Schedule = std::function<double(int64_t step)>;

Schedule constant(double lr);

// `after`, times (step + 1) / warmup during the first `warmup` steps: a straight line when it is constant.
Schedule linear_warmup(int64_t warmup, Schedule after);

// Falls in a straight line from lr to lowest at step `total`, and stays there.
Schedule linear_decay(double lr, int64_t total, double lowest = 0);

// lowest + (lr - lowest) (1 + cos(pi step / total)) / 2, and lowest from step `total` on: one period of
// Loshchilov & Hutter 2017, section 3.
Schedule cosine(double lr, int64_t total, double lowest = 0);

// lr sqrt(warmup) min((step + 1)^-0.5, (step + 1) warmup^-1.5): rises to lr at step `warmup`, then falls with
// the inverse square root. Vaswani et al. 2017, section 5.3, eq. 3, whose lr is (width warmup)^-0.5.
Schedule inverse_sqrt(double lr, int64_t warmup);
Schedule noam(int64_t width, int64_t warmup, double factor = 1);

// lr gamma^floor(step / every).
Schedule step_decay(double lr, int64_t every, double gamma = 0.1);

}  // namespace heed
