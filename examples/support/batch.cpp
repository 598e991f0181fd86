#include "examples/support/batch.hpp"

#include <algorithm>
#include <numeric>

#include "autograd/error.hpp"
#include "layers/models/tokens.hpp"

namespace heed::examples {

namespace {

std::vector<int32_t> all_rows(const std::vector<Example>& examples) {
  std::vector<int32_t> rows(examples.size());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

void sort_by_length(std::span<int32_t> rows, const std::vector<Example>& examples) {
  auto length = [&](int32_t row) {
    const Example& e = examples[size_t(row)];
    return std::pair(e.source.size(), e.target.size());
  };
  std::stable_sort(rows.begin(), rows.end(), [&](int32_t a, int32_t b) { return length(a) < length(b); });
}

std::vector<std::vector<int32_t>> cut(const std::vector<int32_t>& rows, int64_t size) {
  std::vector<std::vector<int32_t>> batches;
  for (size_t begin = 0; begin < rows.size(); begin += size_t(size)) {
    const size_t end = std::min(begin + size_t(size), rows.size());
    batches.emplace_back(rows.begin() + int64_t(begin), rows.begin() + int64_t(end));
  }
  return batches;
}

}  // namespace

Batch make_batch(const std::vector<Example>& examples, std::span<const int32_t> rows) {
  if (rows.empty()) fail("make_batch: no rows");
  size_t longest_source = 0, longest_target = 0;
  for (const int32_t row : rows) {
    const Example& e = examples[size_t(row)];
    if (e.source.empty()) fail("make_batch: example {} has an empty source", row);
    longest_source = std::max(longest_source, e.source.size());
    longest_target = std::max(longest_target, e.target.size() + 1);
  }
  std::vector<int32_t> source(rows.size() * longest_source, tokens::pad);
  std::vector<int32_t> input(rows.size() * longest_target, tokens::pad), output = input,
                                                                         gold(input.size(), -1);
  Batch batch;
  for (size_t b = 0; b < rows.size(); ++b) {
    const Example& e = examples[size_t(rows[b])];
    std::copy(e.source.begin(), e.source.end(), source.begin() + int64_t(b * longest_source));
    batch.lengths.push_back(int32_t(e.source.size()));
    const size_t first = b * longest_target, n = e.target.size();
    input[first] = tokens::bos;
    std::copy(e.target.begin(), e.target.end(), input.begin() + int64_t(first + 1));
    std::copy(e.target.begin(), e.target.end(), output.begin() + int64_t(first));
    output[first + n] = tokens::eos;
    std::copy(e.gold.begin(), e.gold.end(), gold.begin() + int64_t(first));
    batch.tokens += int64_t(n + 1);
  }
  const auto count = int64_t(rows.size());
  batch.source = Ids({count, int64_t(longest_source)}, std::move(source));
  batch.input = Ids({count, int64_t(longest_target)}, std::move(input));
  batch.output = Ids({count, int64_t(longest_target)}, std::move(output));
  batch.gold = Ids({count, int64_t(longest_target)}, std::move(gold));
  return batch;
}

std::vector<std::vector<int32_t>> shuffled_batches(const std::vector<Example>& examples, int64_t size,
                                                   Rng& rng) {
  if (size < 1 || size > int64_t(examples.size()))
    fail("--batch {}: there {} {} training example{}", size, examples.size() == 1 ? "is" : "are",
         examples.size(), examples.size() == 1 ? "" : "s");
  std::vector<int32_t> rows = all_rows(examples);
  shuffle(rows, rng);
  const size_t stretch = size_t(size) * 32;
  for (size_t begin = 0; begin < rows.size(); begin += stretch)
    sort_by_length(std::span(rows).subspan(begin, std::min(stretch, rows.size() - begin)), examples);
  const auto batches = cut(rows, size);
  std::vector<int32_t> order(batches.size());
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, rng);
  std::vector<std::vector<int32_t>> shuffled;
  shuffled.reserve(order.size());
  for (const int32_t i : order) shuffled.push_back(batches[size_t(i)]);
  return shuffled;
}

std::vector<std::vector<int32_t>> sorted_batches(const std::vector<Example>& examples, int64_t size) {
  std::vector<int32_t> rows = all_rows(examples);
  sort_by_length(rows, examples);
  return cut(rows, size);
}

}  // namespace heed::examples
