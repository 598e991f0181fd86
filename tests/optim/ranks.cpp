// Run alone, and by mpirun on any number of ranks: what every rank has to see of the others.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "optim/distributed.hpp"
#include "optim/optimizer.hpp"

using namespace heed;

namespace {

const distributed::World world;  // from before main until after it

const int n = distributed::size(), own = distributed::rank();

Tensor parameter(Shape shape, real value) {
  Tensor x = Tensor::full(shape, value);
  x.requires_grad();
  return x;
}

}  // namespace

TEST_CASE("sums over ranks, of more numbers than are sent at once") {
  std::vector<float> floats(3'000'000, float(own + 1));
  distributed::all_reduce(std::span(floats));
  std::vector<double> doubles(600'000, 0.1 * own);
  distributed::all_reduce(std::span(doubles));
  const int sum = n * (n + 1) / 2;
  CHECK(std::ranges::count(floats, float(sum)) == 3'000'000);
  CHECK(std::abs(doubles.front() - 0.1 * (sum - n)) < 1e-12);
  CHECK(doubles.front() == doubles.back());
}

TEST_CASE("lists of different lengths are put together in the order of the ranks") {
  std::vector<int32_t> mine(size_t(own), own);  // rank 0 has none
  std::vector<int32_t> expected;
  for (int32_t r = 0; r < n; ++r) expected.insert(expected.end(), size_t(r), r);
  CHECK(distributed::all_gather(mine) == expected);
  mine.clear();
  CHECK(distributed::all_gather(mine).empty());
}

TEST_CASE("all ranks throw alike where one differs from rank 0, and name the first that does") {
  CHECK_NOTHROW(distributed::agree("the same", "x"));
  const auto agree = [](const char* what, bool odd) { distributed::agree(what, odd ? "other" : "usual"); };
  if (n == 1) {
    CHECK_NOTHROW(agree("nobody's", true));
    return;
  }
  const std::string last = fmt::format("rank {}: it differs from that of rank 0", n - 1);
  CHECK_THROWS_WITH_AS(agree("it", own == n - 1), last.c_str(), distributed::Disagreement);
  CHECK_THROWS_WITH_AS(agree("something", own > 0), "rank 1: something differs from that of rank 0",
                       distributed::Disagreement);
  CHECK_NOTHROW(distributed::same_program());
}

TEST_CASE("all ranks begin with the parameters of rank 0, and check that they are the same") {
  Tensor a = parameter({3}, real(own)), b = parameter({2, 2}, real(own + 10));
  const DataParallel ranks({a, b, a});
  CHECK(a.values()[2] == 0);
  CHECK(b.values()[3] == 10);
  CHECK_NOTHROW(ranks.check());
  if (own == n - 1 && own > 0) b.mutable_data()[0] = 11;
  const std::string expected =
      fmt::format("rank {}: parameter 1 of shape (2, 2) differs from that of rank 0", n - 1);
  if (n > 1) CHECK_THROWS_WITH_AS(ranks.check(), expected.c_str(), distributed::Disagreement);
}

TEST_CASE("gradients become sums over ranks; a parameter that some do not use counts as 0 there") {
  Tensor all = parameter({2}, 1), last = parameter({3}, 1), nobody = parameter({4}, 1);
  DataParallel ranks({all, last, nobody});
  const auto share = DataParallel::shares({double(own + 1), 0});
  const double total = n * (n + 1) / 2;
  CHECK(std::abs(share[0] - (own + 1) / total) < 1e-15);
  CHECK(share[1] == 1);
  Tensor loss = scale(sum(all), real(own + 1));
  if (own == n - 1) loss = loss + scale(sum(last), 5);
  backward(loss);
  ranks.sum_gradients();
  CHECK(all.grad().values()[0] == real(total));
  CHECK(all.grad().values()[1] == real(total));
  REQUIRE(last.grad().defined());
  CHECK(last.grad().values()[2] == 5);
  CHECK_FALSE(nobody.grad().defined());
}

TEST_CASE("a rank has a processor of its own, and all together no more than there are") {
  double threads[] = {double(distributed::processors())};
  CHECK(threads[0] >= 1);
  distributed::all_reduce(std::span<double>(threads));
  const double there = std::thread::hardware_concurrency();
  CHECK(threads[0] <= std::max(there, double(n)));
}
