#include "autograd/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <functional>
#include <limits>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "autograd/kernels/kernels.hpp"
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

// ---- counting products

std::atomic<int64_t> flops{0};  // of all threads, in all profiles

template <class T>
void counting_gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a,
                   int64_t lda, const T* b, int64_t ldb, bool accumulate, T* c, int64_t ldc) noexcept {
  flops.fetch_add(2 * m * n * k, std::memory_order_relaxed);
  kernels::table<T>().gemm(trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, accumulate, c, ldc);
}

template <class T>
kernels::Table<T>& own_table() noexcept {
  static kernels::Table<T> table = kernels::table<T>();
  return table;
}

// ---- the clock

// A stopwatch with laps: what passed since the last one is charged to the row that a lap names.
struct Laps {
  std::map<std::string, ProfileRow, std::less<>> forward, backward;
  const char* here = "outside ops";  // the row of what is no op
  bool in_double = false;
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
    const int64_t done = flops.load(std::memory_order_relaxed);
    row.flops += double(done - counted);
    counted = done;
    last = now;
    return row;
  }
};
thread_local Laps laps;

// ---- the peaks

// The seconds of the fastest of `rounds` runs of `work`.
template <class F>
double fastest(int rounds, F work) {
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < rounds; ++i) {
    const Clock::time_point begin = Clock::now();
    work();
    least = std::min(least, seconds(Clock::now() - begin));
  }
  return least;
}

template <class T>
Peak measure(int threads, std::vector<T>& x, std::vector<T>& y) {
  constexpr int64_t chain = 12 * 16 * 60'000;  // some 0.2 ms
  const kernels::Table<T>& table = kernels::table<T>();
  const auto n = static_cast<int64_t>(x.size());
  Peak peak{.threads = threads};
  for (int round = 0; round < 8; ++round) {  // in turn: on a busy machine a bad moment may last some
    const double multiplying = fastest(10, [&] {
      kernels::parallel_for(threads, 1, [&](int64_t begin, int64_t end) {
        for (; begin < end; ++begin) table.multiply_adds(chain, T(0.999), T(0.001));
      });
    });
    const double moving = fastest(1, [&] {
      kernels::parallel_for(n, n / threads, [&](int64_t begin, int64_t end) {
        table.axpy(T(1), x.data() + begin, y.data() + begin, end - begin);
      });
    });
    peak.flops = std::max(peak.flops, 2.0 * double(chain * threads) / multiplying);
    peak.bytes = std::max(peak.bytes, 3.0 * double(n) * sizeof(T) / moving);
  }
  return peak;
}

// Of one thread, and of `threads`; measured once.
template <class T>
std::pair<Peak, Peak> peaks(int threads) {
  static std::map<int, std::pair<Peak, Peak>> known;
  const auto found = known.find(threads);
  if (found != known.end()) return found->second;
  std::vector<T> x((size_t{32} << 20) / sizeof(T), T(1)), y(x.size(), T(0));
  const Peak one = measure<T>(1, x, y);
  Peak all = threads == 1 ? one : measure<T>(threads, x, y);
  all.flops = std::max(all.flops, one.flops);  // where others never left all cores to them
  all.bytes = std::max(all.bytes, one.bytes);
  return known[threads] = {one, all};
}

}  // namespace

template <class T>
const kernels::Table<T>& counted_kernels() noexcept {
  return own_table<T>();
}
template const kernels::Table<float>& counted_kernels<float>() noexcept;
template const kernels::Table<double>& counted_kernels<double>() noexcept;

void start_profile() {
  own_table<float>().gemm = counting_gemm<float>;
  own_table<double>().gemm = counting_gemm<double>;
  laps =
      Laps{.forward = {}, .backward = {}, .last = Clock::now(), .counted = flops, .own_begin = own_seconds()};
  Profiling::on = true;
}

void stop_profile() {
  if (Profiling::on) laps.own_end = own_seconds();
  Profiling::on = false;
  own_table<float>().gemm = kernels::table<float>().gemm;
  own_table<double>().gemm = kernels::table<double>().gemm;
}

Profile profile() {
  if (Profiling::on) {
    laps.lap(laps.here);
    laps.own_end = own_seconds();
  }
  Profile result;
  result.on_processor = laps.own_end - laps.own_begin;
  result.in_double = laps.in_double;
  for (const auto* rows : {&laps.forward, &laps.backward}) {
    for (const auto& [name, row] : *rows) {
      result.rows.push_back(row);
      result.rows.back().name = rows == &laps.backward ? name + " backward" : name;
      result.seconds += row.seconds;
    }
  }
  std::stable_sort(result.rows.begin(), result.rows.end(),
                   [](const ProfileRow& a, const ProfileRow& b) { return a.seconds > b.seconds; });
  const auto measured = laps.in_double ? peaks<double> : peaks<float>;
  std::tie(result.one, result.all) = measured(kernels::threads());
  if (Profiling::on) {
    laps.own_begin += own_seconds() - laps.own_end;
    laps.last = Clock::now();
  }
  return result;
}

double Profile::of_peak(const ProfileRow& row) const {
  if (row.seconds <= 0) return 0;
  return row.flops > 0 ? row.flops / row.seconds / all.flops : row.bytes / row.seconds / all.bytes;
}

std::string Profile::table() const {
  std::string text = fmt::format(
      "profile: {:.2f} s ({:.2f} on the processor) in {} on {}, whose peak is {:.1f} GFLOP/s in registers, "
      "{:.1f} GB/s from memory",
      seconds, on_processor, in_double ? "double" : "float",
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

void Profiling::end(const char* op, bool backward, int64_t numbers, int64_t bytes_each) {
  ProfileRow& row = laps.lap(op, backward);
  ++row.calls;
  row.bytes += double(numbers * bytes_each);
  laps.in_double = bytes_each == sizeof(double);
}

}  // namespace heed
