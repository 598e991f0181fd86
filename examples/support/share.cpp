#include "examples/support/share.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/ops.hpp"

namespace heed::examples {

std::vector<int32_t> own_turns(int64_t n) {
  std::vector<int32_t> turns;
  for (int64_t i = distributed::rank(); i < n; i += distributed::size()) turns.push_back(int32_t(i));
  return turns;
}

Share own_share(int64_t n) {
  Share share{own_turns(n)};
  if (share.rows.empty()) share = {.rows = {0}, .counts = false};
  return share;
}

double count_of(const Ids& targets, int32_t ignored, const Share& share) {
  if (!share.counts) return 0;
  return double(targets.size() - std::ranges::count(targets.values(), ignored));
}

OwnBatch own_batch(const std::vector<Example>& examples, std::span<const int32_t> rows) {
  Share share = own_share(int64_t(rows.size()));
  std::vector<int32_t> own;
  for (const int32_t i : share.rows) own.push_back(rows[size_t(i)]);
  return {make_batch(examples, own), std::move(share)};
}

double sum_over_ranks(double own, const Share& share) {
  if (!share.counts) own = 0;
  distributed::all_reduce(std::span(&own, 1));
  return own;
}

Tensor weigh(const Tensor& loss, double share) { return share == 1 ? loss : scale(loss, real(share)); }

StepFindings over_ranks(const StepFindings& own, double share) {
  double sums[] = {share * own.loss, share * own.right, own.count};
  distributed::all_reduce(std::span<double>(sums));
  return {.loss = sums[0], .right = sums[1], .count = sums[2]};
}

}  // namespace heed::examples
