#include "examples/support/source_gradients.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/batch.hpp"
#include "layers/models/tokens.hpp"

namespace heed::examples {

namespace {

// For each source position the mean over the batch of the norm of its gradient (B, S, D).
std::vector<double> mean_norms(const Tensor& gradient) {
  const int64_t rows = gradient.size(0), slots = gradient.size(1), features = gradient.size(2);
  std::vector<double> norms(static_cast<size_t>(slots));
  for (int64_t i = 0; i < rows * slots; ++i) {
    const real* g = gradient.data() + i * features;
    double square = 0;
    for (int64_t d = 0; d < features; ++d) square += double(g[d]) * double(g[d]);
    norms[static_cast<size_t>(i % slots)] += std::sqrt(square) / double(rows);
  }
  return norms;
}

// `targets` with all but column t ignored.
Ids only(const Ids& targets, int64_t t) {
  static_assert(tokens::pad == 0);
  Ids one(targets.shape());
  const int64_t columns = targets.shape()[1];
  for (int64_t i = t; i < targets.size(); i += columns) one.values()[size_t(i)] = targets[i];
  return one;
}

}  // namespace

std::vector<double> SourceGradients::shares(int64_t t) const {
  std::vector<double> row(norms.begin() + t * n, norms.begin() + (t + 1) * n);
  const double sum = std::accumulate(row.begin(), row.end(), 0.0);
  if (sum > 0) std::ranges::transform(row, row.begin(), [=](double norm) { return norm / sum; });
  return row;
}

SourceGradients source_gradients(const RecurrentSeq2Seq& model, const std::vector<Example>& examples) {
  if (examples.empty()) fail("source_gradients: no examples");
  const size_t n = examples[0].source.size();
  for (const Example& e : examples) {
    if (e.source.size() == n && e.target.size() == n) continue;
    fail("source_gradients: {} source and {} target symbols, wants {} of each", e.source.size(),
         e.target.size(), n);
  }
  std::vector<int32_t> rows(examples.size());
  std::iota(rows.begin(), rows.end(), 0);
  const Batch batch = make_batch(examples, rows);
  Tensor embedded = model.embed_source(batch.source).detach();  // a leaf: the gradient ends here
  embedded.requires_grad();
  const Tensor logits = model.from_embedded(embedded, batch.lengths, batch.input, {}).logits;
  // A sum over the rows of the batch, each of which feels its own source alone.
  const auto norms_of = [&](const Ids& targets) {
    embedded.zero_grad();
    backward(cross_entropy(logits, targets, {.ignore = tokens::pad, .mean = false}), {.keep_graph = true});
    return mean_norms(embedded.grad());
  };
  SourceGradients result{.n = int64_t(n), .norms = {}, .total = norms_of(batch.output)};
  for (int64_t t = 0; t < result.n; ++t) {
    const std::vector<double> row = norms_of(only(batch.output, t));
    result.norms.insert(result.norms.end(), row.begin(), row.end());
  }
  zero_grad(model);
  return result;
}

}  // namespace heed::examples
