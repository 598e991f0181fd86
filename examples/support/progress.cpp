#include "examples/support/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "autograd/error.hpp"

namespace heed::examples {

namespace {

std::string rate(double per_second) {
  return per_second < 10'000 ? fmt::format("{:.0f}", per_second) : fmt::format("{:.0f}k", per_second / 1000);
}

std::string duration(double seconds) {
  const auto whole = std::llround(seconds);
  return whole < 120 ? fmt::format("{} s", whole) : fmt::format("{} min {:02} s", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress(int64_t total_steps, bool terminal, bool quiet)
    : total_(total_steps), terminal_(terminal), quiet_(quiet) {}

void Progress::step(const StepFindings& found) {
  const double loss = found.loss;
  ++step_;
  if (!std::isfinite(loss)) {
    finish();
    fail("training: the loss is {} at step {}; a lower --lr may help", loss, step_);
  }
  tokens_ += std::llround(found.count);
  losses_.push_back(loss);
  const double share = 1 / double(std::min<int64_t>(step_, 50));
  loss_ += share * (loss - loss_);
  accuracy_ += share * (found.right - accuracy_);
  const bool last = step_ == total_;
  if (quiet_) return;
  if (terminal_) {
    const auto now = Clock::now();
    if (!last && now - shown_ < std::chrono::milliseconds(100)) return;
    shown_ = now;
    fmt::print("\r{}\x1b[K", line());
    open_ = true;
    std::fflush(stdout);
  } else if (const auto now = Clock::now(); last || now - shown_ >= std::chrono::seconds(10) ||
                                            step_ * 10 / total_ != (step_ - 1) * 10 / total_) {
    shown_ = now;
    fmt::print("{}\n", line());
    std::fflush(stdout);
  }
}

void Progress::finish() {
  if (open_) fmt::print("\n");
  open_ = false;
}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

double Progress::tokens_per_second() const { return double(tokens_) / std::max(seconds(), 1e-9); }

std::string Progress::line() const {
  const double left = seconds() / double(step_) * double(total_ - step_);
  return fmt::format("step {:>5}/{}  loss {:<7.4f} accuracy {:5.1f}%  {} tokens/s  {}", step_, total_, loss_,
                     100 * accuracy_, rate(tokens_per_second()),
                     step_ == total_ ? duration(seconds()) + " in all" : duration(left) + " left");
}

}  // namespace heed::examples
