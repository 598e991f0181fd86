#include "examples/support/source_gradients.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "layers/models/tokens.hpp"
#include "tests/support/close.hpp"
#include "tests/support/errors.hpp"

using namespace heed;
using namespace heed::examples;
using heed::tests::close;
using heed::tests::error_of;

namespace {

// Symbols that all differ: the gradient of the table's row is then that of the position.
const std::vector<Example> reversals = {{{4, 9, 6, 7}, {7, 6, 9, 4}, {}}, {{8, 5, 9, 4}, {4, 9, 5, 8}, {}}};

RecurrentSeq2Seq small_model(DecoderOrder order) {
  Rng rng(3);
  return {{.source_vocabulary = 10, .target_vocabulary = 10, .embed = 3, .hidden = 4, .order = order}, rng};
}

// |d loss / d embedding of `symbol`|, loss summed over the targets that are not pad.
double norm_of_row(const RecurrentSeq2Seq& model, const Example& e, int32_t symbol, const Tokens& targets) {
  const auto n = int64_t(e.source.size());
  const std::vector<int32_t> lengths = {int32_t(n)};
  Tokens input = e.target;
  input.insert(input.begin(), tokens::bos);
  zero_grad(model);
  const Tensor logits = model(Ids({1, n}, e.source), lengths, Ids({1, n + 1}, input), {}).logits;
  backward(cross_entropy(logits, Ids({1, n + 1}, targets), {.ignore = tokens::pad, .mean = false}));
  const Tensor g = named_parameters(model).front().tensor.grad();
  double square = 0;
  for (int64_t d = 0; d < g.size(1); ++d) square += std::pow(double(g.data()[symbol * g.size(1) + d]), 2);
  return std::sqrt(square);
}

}  // namespace

TEST_CASE("source gradients are those of the embedding's rows, with attention and without") {
  for (const DecoderOrder order : {DecoderOrder::luong, DecoderOrder::bahdanau, DecoderOrder::none}) {
    const RecurrentSeq2Seq model = small_model(order);
    REQUIRE(named_parameters(model).front().name == "source_embedding.weight");
    const SourceGradients result = source_gradients(model, reversals);
    REQUIRE(result.n == 4);
    for (size_t s = 0; s < 4; ++s) {
      double whole = 0;
      for (size_t t = 0; t < 4; ++t) {
        double mean = 0;
        for (const Example& e : reversals) {
          Tokens one(5, tokens::pad);
          one[t] = e.target[t];
          mean += norm_of_row(model, e, e.source[s], one) / 2;
        }
        CHECK(close(result.norms[t * 4 + s], mean, 1e-4, 1e-7));
        CHECK(mean > 1e-6);
      }
      for (const Example& e : reversals) {
        Tokens all = e.target;
        all.push_back(tokens::eos);
        whole += norm_of_row(model, e, e.source[s], all) / 2;
      }
      CHECK(close(result.total[s], whole, 1e-4, 1e-7));
    }
  }
}

TEST_CASE("shares of a row sum to 1, of no gradient at all to 0") {
  const SourceGradients g{.n = 2, .norms = {1, 3, 0, 0}, .total = {}};
  CHECK(g.shares(0) == std::vector<double>{0.25, 0.75});
  CHECK(g.shares(1) == std::vector<double>{0, 0});
}

TEST_CASE("source gradients refuse examples of several lengths") {
  const RecurrentSeq2Seq model = small_model(DecoderOrder::luong);
  CHECK(error_of([&] { source_gradients(model, {}); }) == "source_gradients: no examples");
  CHECK(error_of([&] {
          source_gradients(model, {{{4, 5}, {5, 4}, {}}, {{4, 5}, {5}, {}}});
        }) == "source_gradients: 2 source and 1 target symbols, wants 2 of each");
}
