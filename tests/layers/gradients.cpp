// Gradients through whole layers, against finite differences: with respect to the input and every parameter.
#include <doctest/doctest.h>

#include <map>
#include <memory>

#include "layers/attention_losses.hpp"
#include "layers/coverage.hpp"
#include "layers/feed_forward.hpp"
#include "layers/hard.hpp"
#include "layers/models/pointer_generator.hpp"
#include "layers/models/pointer_network.hpp"
#include "layers/models/recurrent.hpp"
#include "layers/models/rnn_encoder_decoder.hpp"
#include "layers/models/rnnsearch.hpp"
#include "layers/models/transformer.hpp"
#include "layers/models/transformer_lm.hpp"
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

struct Both : Module {
  Both(const Scorer& scorer, const Normalizer& normalizer) : scorer(&scorer), normalizer(&normalizer) {}
  void visit(const Visitor& visitor) const override {
    visitor("scorer", *scorer);
    visitor("normalizer", *normalizer);
  }
  const Scorer* scorer;
  const Normalizer* normalizer;
};

// Whether the same elements of f are 0 when any element of any input moves a little: no support, no window
// changes nearby, where there would be a kink.
bool steady(const Function& f, const std::vector<Tensor>& inputs) {
  const auto zeros = [&] {
    const NoGrad no_grad;
    const Tensor y = f(inputs);
    std::vector<bool> found;
    for (const real v : y.values()) found.push_back(v == 0);
    return found;
  };
  const std::vector<bool> before = zeros();
  for (Tensor x : inputs) {
    for (int64_t i = 0; i < x.size(); ++i) {
      const real value = x.data()[i];
      for (const double step : {-0.05, 0.05}) {
        x.mutable_data()[i] = value + static_cast<real>(step);
        if (zeros() != before) return false;
      }
      x.mutable_data()[i] = value;
    }
  }
  return true;
}

// Gradcheck of attention, in training with numbers drawn anew from the same generator each time.
std::string check_attention(const KnownScorer& s, const KnownNormalizer& n, bool train = false) {
  for (uint64_t seed = 2;; ++seed) {
    Rng rng(seed);
    const auto scorer = s.make({.query = 3, .key = 3, .hidden = 4, .slots = 5}, rng);
    const auto normalizer = n.make({.query = 3, .hidden = 2}, rng);
    const std::vector<Tensor> inputs{random_tensor({2, 2, 3}, rng), random_tensor({2, 5, 3}, rng),
                                     random_tensor({2, 5, 2}, rng)};
    const auto f = [&](const std::vector<Tensor>& x) {
      Rng noise(7);
      Past past;
      const Tensor values = concat({x[1], x[2]}, 2);  // the keys too: not every scorer looks at them
      const Memory memory = scorer->prepare(x[1], values, Mask::of_lengths({5, 3}));
      const Pass pass{.train = train, .rng = &noise};
      const Attended one = attend(x[0], memory, *scorer, *normalizer, pass, &past);
      const Attended two = attend(x[0], memory, *scorer, *normalizer, pass, &past);
      return concat({one.context, one.weights, one.probabilities, two.context}, 2);
    };
    if (steady(f, inputs)) return check_module(Both(*scorer, *normalizer), inputs, f);
    if (seed == 1000) return "no steady inputs";
  }
}

// What no finite difference can confirm, and why.
const std::map<std::string, std::string> no_gradient = {
    {"reinforce", "the weights are a choice; ReinforceLoss is checked below"},
    {"straight_through", "the gradient is another function's by definition; tests/layers/normalizers.cpp"},
    {"gumbel", "in evaluation an arg-max; checked in training"},
    {"monotonic_hard", "in evaluation a choice; checked in training"},
};

TEST_CASE("gradients: attention with every scorer and normalizer") {
  for (const KnownScorer& s : known_scorers()) {
    for (const KnownNormalizer& n : known_normalizers()) {
      if (no_gradient.contains(n.name)) continue;
      CAPTURE(s.name);
      CAPTURE(n.name);
      CHECK(check_attention(s, n) == "");
    }
  }
}

TEST_CASE("gradients: coverage enters the keys of every scorer that looks at them") {
  for (const KnownScorer& s : known_scorers()) {
    CAPTURE(s.name);
    Rng rng(6);
    const auto scorer = s.make({.query = 3, .key = 3, .hidden = 4, .slots = 4}, rng);
    if (!scorer->reads_keys()) {
      CHECK(error_of([&] { Coverage(*scorer, 3, rng); }) ==
            "Coverage: this scorer does not read the keys, which coverage enters");
      continue;
    }
    const Softmax softmax;
    const std::vector<Tensor> inputs{random_tensor({2, 3, 3}, rng), random_tensor({2, 4, 3}, rng)};
    const Coverage coverage(*scorer, 3, rng);
    CHECK(check_module(coverage, inputs, [&](const std::vector<Tensor>& x) {
            const Memory memory = scorer->prepare(x[1], x[1], Mask::of_lengths({4, 3}));
            Past past{.keep_coverage = true};
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

TEST_CASE("gradients: normalizers that draw random numbers in training") {
  for (const KnownNormalizer& n : known_normalizers()) {
    CAPTURE(n.name);
    const std::string name = n.name;
    if (name != "gumbel" && !name.starts_with("monotonic")) continue;
    CHECK(check_attention(known_scorers().front(), n, true) == "");
  }
}

TEST_CASE("gradients: entropy, log-probability of choices, REINFORCE's loss, exact marginal") {
  Rng rng(6);
  const Tensor scores = random_tensor({2, 3, 4}, rng);
  const Mask mask = Mask::of_lengths({4, 2});
  CHECK(gradcheck([&](const std::vector<Tensor>& x) { return entropy(softmax(x[0], mask)); }, {scores}) ==
        "");
  const Tensor choices = one_hot(Ids({2, 3}, {0, 3, 1, 1, 0, -1}), 4);
  CHECK(gradcheck(
            [&](const std::vector<Tensor>& x) {
              const Tensor p = softmax(x[0], mask);
              ReinforceLoss loss{.entropy_weight = real(0.3), .baseline = real(0.2)};
              return loss(log_probability({{}, choices, p}), entropy(p), Tensor::from({2, 1}, {1, -1}));
            },
            {scores}) == "");
  CHECK(
      gradcheck(
          [&](const std::vector<Tensor>& x) { return log_marginal(softmax(x[0], mask), log_softmax(x[1])); },
          {scores, random_tensor({2, 3, 4}, rng)}) == "");
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
  for (const DecoderOrder order : {DecoderOrder::luong, DecoderOrder::previous, DecoderOrder::input_feeding,
                                   DecoderOrder::bahdanau, DecoderOrder::none}) {
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
            const Prediction p = model(source, lengths, target, {});
            return concat({exp(p.logits).reshape({-1}), coverage_loss(p.weights).reshape({1})}, 0);
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

TEST_CASE("gradients: the language model of self-attention, with every kind of positions and of block") {
  for (const KnownPositions& known : known_positions()) {
    for (const bool plain : {true, false}) {
      CAPTURE(known.name);
      CAPTURE(plain);
      Rng rng(6);
      const TransformerLM model({.vocabulary = 5,
                                 .size = 8,
                                 .layers = 1,
                                 .heads = 2,
                                 .kv_heads = plain ? 0 : 1,
                                 .inner = 4,
                                 .activation = plain ? Activation::gelu : Activation::swiglu,
                                 .norm = plain ? NormKind::layer : NormKind::rms,
                                 .bias = plain,
                                 .positions = known.name,
                                 .longest = 4,
                                 .reach = 1,
                                 .tied = plain},
                                rng);
      // GPT-2's small beginnings make layer norms too curved for a step of 1e-3: large inputs, small
      // branches.
      for (NamedParameter& p : named_parameters(model)) {
        const real size = p.name == "embedding.weight" ? 4 : real(0.5);
        p.tensor.assign(scale(random_tensor(p.tensor.shape(), rng), size).values());
      }
      const Ids tokens({2, 4}, {1, 4, 2, 2, 0, 3, 1, 4});
      CHECK(check_module(model, {}, [&](const std::vector<Tensor>&) { return model(tokens, {}); }) == "");
    }
  }
}

}  // namespace
}  // namespace heed::tests
