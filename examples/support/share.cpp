#include "examples/support/share.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/ops.hpp"

namespace heed::examples {

Share own_share(int64_t n) {
  Share share;
  for (int64_t row = distributed::rank(); row < n; row += distributed::size())
    share.rows.push_back(int32_t(row));
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

Tensor weigh(const Tensor& loss, double share) { return share == 1 ? loss : scale(loss, real(share)); }

void tell_step(Progress& progress, double share, double loss, double accuracy, double symbols) {
  double means[] = {share * loss, share * accuracy, symbols};
  distributed::sum(std::span<double>(means));
  progress.step(means[0], means[1], std::llround(means[2]));
}

}  // namespace heed::examples
