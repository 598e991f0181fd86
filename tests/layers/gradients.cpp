// Gradients through whole layers, against finite differences: with respect to the input and every parameter.
#include <doctest/doctest.h>

#include <memory>

#include "layers/attention_losses.hpp"
#include "layers/coverage.hpp"
#include "layers/feed_forward.hpp"
#include "layers/models/pointer_generator.hpp"
#include "layers/models/pointer_network.hpp"
#include "layers/models/recurrent.hpp"
#include "layers/models/rnn_encoder_decoder.hpp"
#include "layers/models/rnnsearch.hpp"
#include "layers/models/transformer.hpp"
#include "layers/normalizers.hpp"
#include "layers/normalizers/softmax.hpp"
#include "layers/recurrent.hpp"
#include "layers/scorers.hpp"
#include "layers/transformer_block.hpp"
#include "tests/layers/check_module.hpp"
#include "tests/layers/common.hpp"

namespace heed::tests {
namespace {

TEST_CASE("gradients: recurrent layers, stacked, both directions, with lengths") {
  for (const Cell cell : {Cell::rnn, Cell::gru, Cell::lstm}) {
    CAPTURE(static_cast<int>(cell));
    Rng rng(1);
    const Recurrent layer(cell, 2, 3, {.layers = 2, .bidirectional = true}, rng);
    const std::vector<int32_t> lengths{4, 2};
    CHECK(check_module(layer, {random_tensor({2, 4, 2}, rng)}, [&](const std::vector<Tensor>& x) {
            const auto [output, last] = layer(x[0], lengths);
            return concat({output.reshape({-1}), concat(last, 1).reshape({-1})}, 0);
          }) == "");
  }
}

TEST_CASE("gradients: attention with every scorer and normalizer") {
  for (const KnownScorer& s : known_scorers()) {
    for (const KnownNormalizer& n : known_normalizers()) {
      CAPTURE(s.name);
      CAPTURE(n.name);
      Rng rng(2);
      const auto scorer = s.make({.query = 3, .key = 3, .hidden = 4}, rng);
      const auto normalizer = n.make({.query = 3}, rng);
      const std::vector<Tensor> inputs{random_tensor({2, 2, 3}, rng), random_tensor({2, 5, 3}, rng),
                                       random_tensor({2, 5, 2}, rng)};
      CHECK(check_module(*scorer, inputs, [&](const std::vector<Tensor>& x) {
              const Memory memory = scorer->prepare(x[1], x[2], Mask::of_lengths({5, 3}));
              const Attended seen = attend(x[0], memory, *scorer, *normalizer);
              return concat({seen.context, seen.weights}, 2);
            }) == "");
    }
  }
}

TEST_CASE("gradients: coverage enters the keys of every scorer") {
  for (const KnownScorer& s : known_scorers()) {
    CAPTURE(s.name);
    Rng rng(6);
    const auto scorer = s.make({.query = 3, .key = 3, .hidden = 4}, rng);
    const Softmax softmax;
    const std::vector<Tensor> inputs{random_tensor({2, 3, 3}, rng), random_tensor({2, 4, 3}, rng)};
    const Coverage coverage(scorer->project(inputs[1]).size(2), rng);
    CHECK(check_module(coverage, inputs, [&](const std::vector<Tensor>& x) {
            const Memory memory = scorer->prepare(x[1], x[1], Mask::of_lengths({4, 3}));
            Past past;
            TensorList contexts;
            for (int64_t t = 0; t < 3; ++t) {
              const Tensor query = select(x[0], 1, t);
              contexts.push_back(attend(query, coverage(memory, past), *scorer, softmax, {}, &past).context);
            }
            return stack(contexts, 1);
          }) == "");
  }
}

TEST_CASE("gradients: losses on attention") {
  Rng rng(7);
  const std::vector<Tensor> scores{random_tensor({2, 4, 5}, rng)};
  const std::vector<int32_t> queries{4, 3}, slots{5, 3};
  const Extent extent{.queries = queries, .slots = slots};
  const auto check = [&](auto loss) {
    return gradcheck(
        [&](const std::vector<Tensor>& x) { return loss(softmax(x[0], Mask::of_lengths(slots))); }, scores);
  };
  CHECK(check([&](const Tensor& a) { return coverage_loss(a, extent); }) == "");
  CHECK(check([&](const Tensor& a) { return doubly_stochastic_loss(a, extent); }) == "");
  CHECK(check([&](const Tensor& a) { return guided_attention_loss(a, real(0.3), extent); }) == "");
  CHECK(check([&](const Tensor& a) {
          return alignment_loss(a, Ids({2, 4}, {0, 3, -1, 2, 1, 0, -1, -1}));
        }) == "");
}

TEST_CASE("gradients: a block with a source, pre-norm and post-norm") {
  for (const bool pre_norm : {true, false}) {
    CAPTURE(pre_norm);
    Rng rng(3);
    const TransformerBlock block(
        4, {.heads = 2, .inner = 5, .activation = Activation::gelu, .pre_norm = pre_norm, .source = true},
        rng);
    const std::vector<Tensor> inputs{random_tensor({2, 3, 4}, rng), random_tensor({2, 4, 4}, rng)};
    CHECK(check_module(block, inputs, [&](const std::vector<Tensor>& x) {
            const Memory source = block.prepare(x[1], Mask::of_lengths({4, 2}));
            return block(x[0], Mask().causal(), &source, {});
          }) == "");
  }
}

// Of the logits of any encoder-decoder over 6 source and 5 target tokens.
std::string check_model(const Seq2Seq& model) {
  const Ids source({2, 3}, {4, 5, 4, 5, 0, 0});
  const Ids target({2, 3}, {1, 3, 4, 1, 4, 0});
  const std::vector<int32_t> lengths{3, 1};
  return check_module(model, {},
                      [&](const std::vector<Tensor>&) { return model(source, lengths, target, {}).logits; });
}

TEST_CASE("gradients: recurrent encoder-decoders") {
  for (const DecoderOrder order :
       {DecoderOrder::luong, DecoderOrder::input_feeding, DecoderOrder::bahdanau, DecoderOrder::none}) {
    for (const bool own_past : {false, true}) {
      CAPTURE(static_cast<int>(order));
      CAPTURE(own_past);
      Rng rng(4);
      const RecurrentSeq2Seq model({.source_vocabulary = 6,
                                    .target_vocabulary = 5,
                                    .cell = order == DecoderOrder::luong ? Cell::lstm : Cell::gru,
                                    .embed = 2,
                                    .hidden = 4,
                                    .order = order,
                                    .bidirectional = !own_past,
                                    .bridge = !own_past,
                                    .own_past = own_past},
                                   rng);
      CHECK(check_model(model) == "");
    }
  }
}

// Every parameter becomes U(-1, 1) (before, v_a is 0 and maxout sums are nearly ties).
template <class Model>
std::string check_scattered(const Model& model) {
  Rng rng(8);
  for (NamedParameter& p : named_parameters(model)) {
    p.tensor.assign(random_tensor(p.tensor.shape(), rng).values());
  }
  return check_model(model);
}

TEST_CASE("gradients: RNNsearch and the RNN Encoder-Decoder") {
  for (const auto reset : {GatedUnit::Reset::state, GatedUnit::Reset::product}) {
    Rng rng(6);
    CHECK(check_scattered(RnnSearch({.source_vocabulary = 6,
                                     .target_vocabulary = 5,
                                     .embed = 2,
                                     .hidden = 3,
                                     .maxout = 2,
                                     .reset = reset},
                                    rng)) == "");
    CHECK(check_scattered(RnnEncoderDecoder({.source_vocabulary = 6,
                                             .target_vocabulary = 5,
                                             .embed = 2,
                                             .hidden = 3,
                                             .maxout = 2,
                                             .reset = reset},
                                            rng)) == "");
  }
}

TEST_CASE("gradients: the pointer network, with respect to its items too") {
  Rng rng(8);
  const PointerNetwork model({.item = 2, .hidden = 3}, rng);
  const std::vector<int32_t> lengths{4, 2};
  const Ids answer({2, 3}, {3, 0, 1, 1, 0, -1});
  CHECK(check_module(model, {random_tensor({2, 4, 2}, rng)},
                     [&](const std::vector<Tensor>& x) { return model(x[0], lengths, answer); }) == "");
}

TEST_CASE("gradients: the pointer-generator, with coverage and its loss, and without") {
  for (const bool coverage : {true, false}) {
    CAPTURE(coverage);
    Rng rng(9);
    const PointerGenerator model(
        {.vocabulary = 5, .extended = 2, .embed = 2, .hidden = 4, .coverage = coverage}, rng);
    const Ids source({2, 3}, {5, 4, 6, 5, 5, 0});
    const Ids target({2, 3}, {1, 5, 4, 1, 5, 0});
    const std::vector<int32_t> lengths{3, 2};
    CHECK(check_module(model, {}, [&](const std::vector<Tensor>&) {
            const auto [logits, weights] = model(source, lengths, target, {});
            return concat({exp(logits).reshape({-1}), coverage_loss(weights).reshape({1})}, 0);
          }) == "");
  }
}

TEST_CASE("gradients: the Transformer") {
  Rng rng(5);
  const TransformerSeq2Seq model({.source_vocabulary = 6,
                                  .target_vocabulary = 5,
                                  .size = 4,
                                  .layers = 1,
                                  .heads = 2,
                                  .inner = 4,
                                  .activation = Activation::gelu,
                                  .tied = true},
                                 rng);
  CHECK(check_model(model) == "");
}

}  // namespace
}  // namespace heed::tests
