// The recurrent halves: written out with the layers that they are made of, and what they refuse.
#include "layers/models/hybrid.hpp"

#include <doctest/doctest.h>

#include "layers/normalizers.hpp"
#include "layers/normalizers/softmax.hpp"
#include "layers/scorers.hpp"
#include "layers/scorers/additive.hpp"
#include "tests/layers/numbers.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, S = 4, T = 3, M = 5, H = 6, V = 7;

TEST_CASE("recurrent decoder: begins in the mean of what it may see, then Luong's order, written out") {
  for (const Cell cell : {Cell::gru, Cell::lstm}) {
    CAPTURE(static_cast<int>(cell));
    Rng rng(1);
    const RecurrentDecoder decoder(
        {.vocabulary = V, .memory = M, .cell = cell, .embed = 3, .hidden = H, .scorer = "bilinear"}, rng);
    const Memory memory{random_tensor({B, S, M}, rng), random_tensor({B, S, M}, rng),
                        Mask::of_lengths({4, 2})};
    const Ids target = random_ids({B, T}, 1, V, rng);
    const Prediction found = decoder(memory, target, {});
    const Numbers p(decoder);
    for (int64_t b = 0; b < B; ++b) {
      const int64_t seen = b == 0 ? 4 : 2;
      Vector mean(M);
      for (int64_t s = 0; s < seen; ++s) mean = plus(mean, row_of(memory.values, b * S + s));
      for (double& v : mean) v /= static_cast<double>(seen);
      const Vector first = each(plus(p.times("bridges.0.weight", mean), p.row("bridges.0.bias")), std::tanh);
      Tensor state = Tensor::empty({1, state_parts(cell) * H});
      for (size_t i = 0; i < first.size(); ++i) state.mutable_data()[i] = static_cast<real>(first[i]);
      Recurrent::States states{state};
      for (int64_t t = 0; t < T; ++t) {
        const Vector h =
            row_of(decoder.decoder.step(decoder.embedding(Ids({1}, {target[b * T + t]})), states), 0);
        Vector scores;
        std::vector<Vector> values;
        for (int64_t s = 0; s < seen; ++s) {
          scores.push_back(dot(h, p.times("scorer.key.weight", row_of(memory.keys, b * S + s))));
          values.push_back(row_of(memory.values, b * S + s));
        }
        Vector weights = softmax_of(scores);
        const Vector context = average(weights, values, M);
        const Vector a = each(p.times("attentional.weight", join(context, h)), std::tanh);
        weights.resize(S);
        CHECK(close_vectors(row_of(found.weights, b * T + t), weights));
        CHECK(close_vectors(row_of(found.logits, b * T + t),
                            plus(p.times("output.weight", a), p.row("output.bias"))));
      }
    }
  }
}

TEST_CASE("recurrent encoder: its states in both directions are keys and values") {
  Rng rng(2);
  const RecurrentEncoder encoder({.vocabulary = V, .embed = 3, .hidden = H, .layers = 2}, rng);
  const Ids source = random_ids({B, S}, 1, V, rng);
  const std::vector<int32_t> lengths{4, 2};
  const Memory memory = encoder(source, lengths, {});
  const Tensor states = encoder.recurrent(encoder.embedding(source), lengths).output;
  CHECK(encoder.size() == H);
  CHECK(memory.keys.shape() == Shape{B, S, H});
  CHECK(close_all(memory.keys, states, 0));
  CHECK(close_all(memory.values, states, 0));
  CHECK(memory.mask.visible(1, 0, S) == 2);
}

TEST_CASE(
    "recurrent decoder: takes any scorer with any normalizer by name, and step by step is all at once") {
  for (const KnownScorer& scorer : known_scorers())
    for (const KnownNormalizer& normalizer : known_normalizers()) {
      CAPTURE(scorer.name);
      CAPTURE(normalizer.name);
      Rng rng(3);
      const RecurrentDecoder decoder({.vocabulary = V,
                                      .memory = H,
                                      .hidden = H,
                                      .scorer = scorer.name,
                                      .normalizer = normalizer.name,
                                      .slots = S},
                                     rng);
      const Tensor states = random_tensor({B, S, H}, rng);
      const Memory memory{states, states, Mask::of_lengths({4, 1})};
      const Ids target = random_ids({B, T}, 1, V, rng);
      const Prediction p = decoder(memory, target, {});
      CHECK(p.logits.shape() == Shape{B, T, V});
      if (normalizer.laws.sum_to_one) CHECK(close_all(sum(p.weights, -1), Tensor::full({B, T}, 1)));
      DecoderState state = decoder.start(memory);
      for (int64_t t = 0; t < T; ++t) {
        const Ids next({B}, {target[t], target[T + t]});
        CHECK(close_all(decoder.step(state, next).logits, select(p.logits, 1, t)));
      }
    }
}

TEST_CASE("recurrent halves: errors") {
  Rng rng(4);
  CHECK(error_of([&] { RecurrentEncoder({.vocabulary = V, .hidden = 7}, rng); }) ==
        "RecurrentEncoder: hidden 7 has no half for each direction");
  CHECK(error_of([&] {
          RecurrentDecoder({.vocabulary = V, .memory = 5, .hidden = 4, .scorer = "dot"}, rng);
        }) == "dot: query size 4 and key size 5 differ; take additive or bilinear");
  const RecurrentDecoder decoder({.vocabulary = V, .memory = M, .hidden = H}, rng);
  const Tensor states = Tensor::zeros({B, S, M});
  CHECK(error_of([&] {
          decoder({states, Tensor::zeros({B, 3, M})}, Ids({B, 1}, {1, 1}), {});
        }) == "RecurrentDecoder: keys (2, 4, 5) and values (2, 3, 5) are not (B, S, K) and (B, S, D)");
}

}  // namespace
}  // namespace heed::tests
