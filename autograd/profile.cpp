#include "autograd/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "autograd/kernels/parallel.hpp"

namespace heed {

namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

// This thread's own time: what others' turns on its processor take does not count.
double own_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

// ---- the clock

// A stopwatch with laps: what passed since the last one is charged to the row that a lap names.
struct Laps {
  std::map<std::string, ProfileRow, std::less<>> forward, backward;
  const char* here = "outside ops";      // the row of what is no op
  const Precision* precision = nullptr;  // of the last op
  Clock::time_point last;
  int64_t counted = 0;  // flops until then
  double own_begin = 0, own_end = 0;

  ProfileRow& lap(std::string_view name, bool of_backward = false) {
    const Clock::time_point now = Clock::now();
    auto& rows = of_backward ? backward : forward;
    auto found = rows.find(name);
    if (found == rows.end()) found = rows.emplace(name, ProfileRow{}).first;
    ProfileRow& row = found->second;
    row.seconds += seconds(now - last);
    const int64_t done = Profiling::flops.load(std::memory_order_relaxed);
    row.flops += double(done - counted);
    counted = done;
    last = now;
    return row;
  }
};
thread_local Laps laps;

// The peaks of one thread, and of `threads`; measured once.
std::pair<Peak, Peak> peaks(const Precision& precision, int threads) {
  static std::map<std::pair<std::string_view, int>, std::pair<Peak, Peak>> known;
  const auto found = known.find({precision.name, threads});
  if (found != known.end()) return found->second;
  const Peak one = precision.measure(1);
  Peak all = threads == 1 ? one : precision.measure(threads);
  all.flops = std::max(all.flops, one.flops);  // where others never left all cores to them
  all.bytes = std::max(all.bytes, one.bytes);
  return known[{precision.name, threads}] = {one, all};
}

}  // namespace

void start_profile() {
  laps = Laps{.forward = {},
              .backward = {},
              .last = Clock::now(),
              .counted = Profiling::flops,
              .own_begin = own_seconds()};
  Profiling::counting = true;
  Profiling::on = true;
}

void stop_profile() {
  if (Profiling::on) laps.own_end = own_seconds();
  Profiling::on = false;
  Profiling::counting = false;
}

Profile profile() {
  if (Profiling::on) {
    laps.lap(laps.here);
    laps.own_end = own_seconds();
  }
  Profile result;
  result.on_processor = laps.own_end - laps.own_begin;
  for (const auto* rows : {&laps.forward, &laps.backward}) {
    for (const auto& [name, row] : *rows) {
      result.rows.push_back(row);
      result.rows.back().name = rows == &laps.backward ? name + " backward" : name;
      result.seconds += row.seconds;
    }
  }
  std::stable_sort(result.rows.begin(), result.rows.end(),
                   [](const ProfileRow& a, const ProfileRow& b) { return a.seconds > b.seconds; });
  if (laps.precision != nullptr) {
    result.precision = laps.precision->name;
    std::tie(result.one, result.all) = peaks(*laps.precision, kernels::threads());
  }
  if (Profiling::on) {
    laps.own_begin += own_seconds() - laps.own_end;
    laps.last = Clock::now();
  }
  return result;
}

double Profile::of_peak(const ProfileRow& row) const {
  if (row.seconds <= 0 || precision.empty()) return 0;
  return row.flops > 0 ? row.flops / row.seconds / all.flops : row.bytes / row.seconds / all.bytes;
}

std::string Profile::table() const {
  std::string text = fmt::format(
      "profile: {:.2f} s ({:.2f} on the processor) in {} on {}, whose peak is {:.1f} GFLOP/s in registers, "
      "{:.1f} GB/s from memory",
      seconds, on_processor, precision.empty() ? "no op" : precision,
      all.threads == 1 ? "1 thread" : fmt::format("{} threads", all.threads), all.flops / 1e9,
      all.bytes / 1e9);
  if (all.threads > 1) text += fmt::format(" (one's: {:.1f}, {:.1f})", one.flops / 1e9, one.bytes / 1e9);
  text += fmt::format("\n{:<28}{:>9}{:>10}{:>8}{:>16}{:>9}\n", "", "calls", "seconds", "share", "rate",
                      "of peak");
  for (const ProfileRow& row : rows) {
    text +=
        fmt::format("{:<28}{:>9}{:>10.3f}{:>7.1f}%", row.name, row.calls > 0 ? fmt::to_string(row.calls) : "",
                    row.seconds, 100 * row.seconds / std::max(seconds, 1e-9));
    const double rate = (row.flops > 0 ? row.flops : row.bytes) / std::max(row.seconds, 1e-9);
    if (rate > 0)
      text += fmt::format("{:>8.1f} {:<7}{:>8.0f}%", rate / 1e9, row.flops > 0 ? "GFLOP/s" : "GB/s",
                          100 * of_peak(row));
    text += '\n';
  }
  return text;
}

Timed::Timed(const char* name) {
  if (!Profiling::on) return;
  name_ = name;
  laps.lap(laps.here);
  around_ = std::exchange(laps.here, name);
}

Timed::~Timed() {
  if (name_ == nullptr || !Profiling::on) return;
  ++laps.lap(name_).calls;
  laps.here = around_;
}

void Timed::moves(int64_t bytes) const {
  if (name_ != nullptr && Profiling::on) laps.lap(name_).bytes += double(bytes);
}

void Profiling::begin() { laps.lap(laps.here); }

void Profiling::end(const char* op, bool backward, int64_t numbers, const Precision& precision) {
  ProfileRow& row = laps.lap(op, backward);
  ++row.calls;
  row.bytes += double(numbers * precision.bytes);
  laps.precision = &precision;
}

}  // namespace heed
