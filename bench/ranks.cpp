// What data-parallel training costs on the ranks that mpirun starts, one thread each. Rank 0 prints lines;
// driver/ranks.py compares them with a model of the cost. All times in seconds.
//
//   ranks sums          BYTES SUM COPY: of a sum over ranks, and of copying as much; medians
//   ranks train A|B N   of N steps of that workload, each rank on a batch of its own: a line PARAMETERS ROWS
//                       SYMBOLS, then one for each step, COMPUTE... SUM UPDATE WALL: forward and backward on
//                       each rank; the sum of gradients, on the rank that waited least for others; Adam; all

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "autograd/kernels/parallel.hpp"
#include "bench/workloads/translation.hpp"
#include "optim/distributed.hpp"

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> x) {
  std::ranges::nth_element(x, x.begin() + std::ptrdiff_t(x.size() / 2));
  return x[x.size() / 2];
}

void sums() {
  constexpr size_t all = size_t{16} << 20;  // numbers: so many that what is touched next is in no near cache
  std::vector<float> x(all, 1.0F), y(all, 1.0F);
  for (size_t n = 1; n <= all / 8; n *= 4) {
    std::vector<double> sum, copy;
    const size_t places = std::min<size_t>(all / n, 64);
    for (size_t i = 0; i < 64; ++i) {
      const auto own = std::span(x).subspan(i % places * (all / places), n);
      double together = 0;
      heed::distributed::all_reduce(std::span(&together, 1));  // all begin at once
      const auto begin = Clock::now();
      heed::distributed::all_reduce(own);
      sum.push_back(seconds_since(begin));
      const auto copying = Clock::now();
      std::ranges::copy(std::span(y).subspan(i % places * (all / places), n), own.begin());
      copy.push_back(seconds_since(copying));
    }
    if (heed::distributed::is_root())
      fmt::print("{} {:.9f} {:.9f}\n", n * sizeof(float), median(sum), median(copy));
  }
}

// x[i] of every rank.
std::vector<std::vector<double>> of_ranks(const std::vector<double>& x) {
  std::vector<std::vector<double>> all;
  for (int r = 0; r < heed::distributed::size(); ++r) {
    std::vector<double> numbers = r == heed::distributed::rank() ? x : std::vector<double>(x.size(), 0.0);
    heed::distributed::all_reduce(std::span(numbers));
    all.push_back(std::move(numbers));
  }
  return all;
}

void train(const bench::Translation& size, int steps) {
  bench::TranslationTraining training(size, heed::Rng(1));
  heed::DataParallel ranks(training.adam.parameters());
  const auto symbols = double(size.batch * size.target);
  std::vector<double> compute, sum, update, wall;
  for (int i = -5; i < steps; ++i) {
    const auto begin = Clock::now();
    const double share = heed::DataParallel::shares({symbols}).front();
    double loss[] = {share * training.gradients()};
    const double computed = seconds_since(begin);
    ranks.sum_gradients();
    heed::distributed::all_reduce(std::span<double>(loss));
    const double summed = seconds_since(begin);
    training.adam.step();
    const double all = seconds_since(begin);
    if (i < 0) continue;
    compute.push_back(computed);
    sum.push_back(summed - computed);
    update.push_back(all - summed);
    wall.push_back(all);
  }
  ranks.check();
  const auto computes = of_ranks(compute), sums = of_ranks(sum);
  if (!heed::distributed::is_root()) return;
  fmt::print("{} {} {}\n", parameter_count(training.model), size.batch, size.batch * size.target);
  for (size_t i = 0; i < wall.size(); ++i) {
    double least = 1e300;
    for (const auto& of_rank : sums) least = std::min(least, of_rank[i]);
    for (const auto& of_rank : computes) fmt::print("{:.6f} ", of_rank[i]);
    fmt::print("{:.6f} {:.6f} {:.6f}\n", least, update[i], wall[i]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const heed::distributed::World world;
  heed::kernels::set_threads(1);
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "sums") {
    sums();
    return 0;
  }
  if (what == "train" && argc == 4)
    for (const bench::Translation& size : bench::translations)
      if (size.name == std::string(argv[2])) {
        train(size, std::max(1, std::atoi(argv[3])));
        return 0;
      }
  fmt::print(stderr, "expected: ranks sums, or ranks train A|B STEPS\n");
  return 1;
}
