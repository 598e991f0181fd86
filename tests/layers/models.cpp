// What every encoder-decoder promises, checked for every one.
#include <doctest/doctest.h>

#include <functional>
#include <memory>

#include "layers/models/decode.hpp"
#include "layers/models/pointer_generator.hpp"
#include "layers/models/recurrent.hpp"
#include "layers/models/rnn_encoder_decoder.hpp"
#include "layers/models/rnnsearch.hpp"
#include "layers/models/tokens.hpp"
#include "layers/models/transformer.hpp"
#include "tests/layers/common.hpp"
#include "tests/layers/halves.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 3, S = 6, T = 5, V = 9;
const std::vector<int32_t> lengths{6, 2, 4};

RecurrentSeq2Seq::Options recurrent_options() {
  return {.source_vocabulary = V + 2, .target_vocabulary = V, .embed = 5, .hidden = 8};
}

TransformerSeq2Seq::Options transformer_options() {
  return {.source_vocabulary = V + 2, .target_vocabulary = V, .size = 8, .layers = 2, .heads = 2};
}

constexpr DecoderOrder orders[] = {DecoderOrder::luong, DecoderOrder::previous, DecoderOrder::input_feeding,
                                   DecoderOrder::bahdanau, DecoderOrder::none};

using Check = std::function<void(const Seq2Seq& model)>;

// Every order with and without the own past; the other options as it comes.
void for_all_recurrent(const Check& check) {
  using Values = RecurrentSeq2Seq::Values;
  for (const Cell cell : {Cell::rnn, Cell::gru, Cell::lstm}) {
    for (const DecoderOrder order : orders) {
      for (const bool own_past : {false, true}) {
        CAPTURE(static_cast<int>(cell));
        CAPTURE(static_cast<int>(order));
        CAPTURE(own_past);
        Rng rng(1);
        RecurrentSeq2Seq::Options options = recurrent_options();
        options.cell = cell;
        options.order = order;
        options.layers = cell == Cell::lstm ? 2 : 1;
        options.values = cell == Cell::rnn ? Values::embeddings : Values::states;
        options.own_past = own_past;
        options.bridge = !own_past;
        options.bidirectional = cell != Cell::rnn || !own_past;
        check(RecurrentSeq2Seq(options, rng));
      }
    }
  }
  Rng rng(1);
  check(RecurrentSeq2Seq(luong2015(recurrent_options()), rng));
}

// As they begin, all is so small (and RNNsearch's v_a is 0) that nothing could be told apart.
template <class Model>
Model scattered(Model model) {
  Rng rng(2);
  for (NamedParameter& p : named_parameters(model)) {
    p.tensor.assign(random_tensor(p.tensor.shape(), rng).values());
  }
  return model;
}

void for_all_models(const Check& check) {
  for_all_recurrent(check);
  Rng rng(1);
  check(scattered(
      RnnSearch({.source_vocabulary = V + 2, .target_vocabulary = V, .embed = 5, .hidden = 8}, rng)));
  check(scattered(
      RnnEncoderDecoder({.source_vocabulary = V + 2, .target_vocabulary = V, .embed = 5, .hidden = 8}, rng)));
  for (const bool coverage : {true, false}) {
    CAPTURE(coverage);
    check(PointerGenerator(  // 7 words and 2 temporary ids
        {.vocabulary = V - 2, .extended = 2, .embed = 5, .hidden = 8, .coverage = coverage}, rng));
  }
  for (const bool pre_norm : {true, false}) {
    CAPTURE(pre_norm);
    TransformerSeq2Seq::Options options = transformer_options();
    options.pre_norm = pre_norm;
    options.tied = pre_norm;
    check(TransformerSeq2Seq(options, rng));
  }
  for_all_halves({.source_vocabulary = V + 2, .target_vocabulary = V, .embed = 5, .hidden = 8, .layers = 2},
                 [&](EncoderDecoder model) { check(scattered(std::move(model))); });
}

// Whether a model attends to the source; those that do not leave their weights undefined.
bool attends(const Seq2Seq& model) {
  if (dynamic_cast<const RnnEncoderDecoder*>(&model) != nullptr) return false;
  if (dynamic_cast<const RecurrentSeq2Seq*>(&model) == nullptr) return true;
  const std::vector<NamedParameter> list = named_parameters(model);
  return std::ranges::any_of(list, [](const NamedParameter& p) { return p.name.starts_with("scorer."); });
}

// Source rows filled up with pad, and decoder inputs that begin with bos.
Ids random_source(Rng& rng) {
  Ids source = random_ids({B, S}, 4, V, rng);
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t s = lengths[static_cast<size_t>(b)]; s < S; ++s) {
      source.values()[static_cast<size_t>(b * S + s)] = tokens::pad;
    }
  }
  return source;
}

Ids random_target(Rng& rng) {
  Ids target = random_ids({B, T}, 3, V, rng);
  for (int64_t b = 0; b < B; ++b) target.values()[static_cast<size_t>(b * T)] = tokens::bos;
  return target;
}

Ids column(const Ids& ids, int64_t t) {
  std::vector<int32_t> values;
  for (int64_t b = 0; b < ids.shape()[0]; ++b) values.push_back(ids[b * ids.shape()[1] + t]);
  return {{ids.shape()[0]}, values};
}

Ids row(const Ids& ids, int64_t b, int64_t length) {
  const auto* at = ids.values().data() + b * ids.shape()[1];
  return {{1, length}, {at, at + length}};
}

TEST_CASE("models: step by step is teacher forcing at once") {
  for_all_models([](const Seq2Seq& model) {
    Rng rng(2);
    const Ids source = random_source(rng);
    const Ids target = random_target(rng);
    const Prediction all = model(source, lengths, target, {});
    CHECK(all.logits.shape() == Shape{B, T, V});
    REQUIRE(all.weights.defined() == attends(model));
    if (attends(model)) CHECK(close_all(sum(all.weights, -1), Tensor::full({B, T}, 1)));
    DecoderState state = model.start(source, lengths);
    for (int64_t t = 0; t < T; ++t) {
      const Prediction one = model.step(state, column(target, t));
      CHECK(close_all(one.logits, select(all.logits, 1, t)));
      REQUIRE(one.weights.defined() == attends(model));
      if (attends(model)) CHECK(close_all(one.weights, select(all.weights, 1, t)));
    }
    CHECK(state.steps == T);
  });
}

TEST_CASE("models: a batch is each row alone, without its padding") {
  for_all_models([](const Seq2Seq& model) {
    Rng rng(3);
    const Ids source = random_source(rng);
    const Ids target = random_target(rng);
    const Prediction all = model(source, lengths, target, {});
    for (int64_t b = 0; b < B; ++b) {
      const int32_t n = lengths[static_cast<size_t>(b)];
      const Prediction one = model(row(source, b, n), std::vector<int32_t>{n}, row(target, b, T), {});
      CHECK(close_all(one.logits, slice(all.logits, 0, b, b + 1)));
      if (!attends(model)) continue;
      CHECK(close_all(one.weights, slice(slice(all.weights, 0, b, b + 1), 2, 0, n)));
      CHECK(all_zero(slice(slice(all.weights, 0, b, b + 1), 2, n, S)));
    }
  });
}

TEST_CASE("models: a prediction knows nothing of later tokens") {
  for_all_models([](const Seq2Seq& model) {
    Rng rng(4);
    const Ids source = random_source(rng);
    Ids target = random_target(rng);
    const Tensor before = slice(model(source, lengths, target, {}).logits, 1, 0, 3);
    for (int64_t b = 0; b < B; ++b) {
      int32_t& token = target.values()[static_cast<size_t>(b * T + 3)];
      token = token == 3 ? 4 : 3;
    }
    CHECK(close_all(slice(model(source, lengths, target, {}).logits, 1, 0, 3), before));
  });
}

TEST_CASE("models: selected rows of a decoder's state go on as they would") {
  for_all_models([](const Seq2Seq& model) {
    Rng rng(5);
    const Ids source = random_source(rng);
    const Ids target = random_target(rng);
    const std::vector<int32_t> rows{2, 0, 0, 1};
    DecoderState state = model.start(source, lengths);
    model.step(state, column(target, 0));
    DecoderState chosen = state.select(rows);
    CHECK(chosen.steps == 1);
    const Prediction all = model.step(state, column(target, 1));
    std::vector<int32_t> previous;
    previous.reserve(rows.size());
    for (const int32_t b : rows) previous.push_back(target[b * T + 1]);
    const Prediction some = model.step(chosen, Ids({4}, previous));
    CHECK(close_all(some.logits, select_rows(all.logits, rows)));
    if (attends(model)) CHECK(close_all(some.weights, select_rows(all.weights, rows)));
  });
}

TEST_CASE("models: greedy answers are the arg-max of teacher forcing on themselves") {
  for_all_models([](const Seq2Seq& model) {
    Rng rng(6);
    const Ids source = random_source(rng);
    const std::vector<Decoded> answers = greedy(model, source, lengths, 12);
    REQUIRE(answers.size() == B);
    for (int64_t b = 0; b < B; ++b) {
      const Decoded& answer = answers[static_cast<size_t>(b)];
      const int32_t n = lengths[static_cast<size_t>(b)];
      std::vector<int32_t> fed{tokens::bos};
      fed.insert(fed.end(), answer.tokens.begin(), answer.tokens.end());
      if (!answer.ended) fed.pop_back();
      const auto steps = static_cast<int64_t>(fed.size());
      const Prediction all = model(row(source, b, n), std::vector<int32_t>{n}, Ids({1, steps}, fed), {});
      std::vector<int32_t> expected = answer.tokens;
      if (answer.ended) expected.push_back(tokens::eos);
      const Ids best = argmax(slice(all.logits, -1, tokens::eos, V));  // neither pad nor bos
      std::vector<int32_t> found(best.values().begin(), best.values().end());
      for (int32_t& token : found) token += tokens::eos;
      CHECK(found == expected);
      CHECK(static_cast<int64_t>(answer.tokens.size()) <= 12);
      CHECK(answer.ended != (answer.tokens.size() == 12));
      const auto count = static_cast<int64_t>(answer.tokens.size());
      REQUIRE(answer.weights.defined() == attends(model));
      if (attends(model)) {
        const Tensor forced = select(slice(all.weights, 1, 0, count), 0, 0);
        CHECK(close_all(slice(answer.weights, 1, 0, n), forced));
      }
      const double loss =
          static_cast<double>(cross_entropy(all.logits, Ids({1, steps}, expected),
                                            {.ignore = -1, .label_smoothing = 0, .mean = false})
                                  .item());
      CHECK(std::abs(answer.log_probability + loss) <= 100 * tolerance);
    }
  });
}

// Says token 4 as often as the row's first source token tells (less 4), then eos: rows end at known steps.
struct Counting : Seq2Seq {
  Prediction operator()(const Ids&, std::span<const int32_t>, const Ids&, const Pass&) const override {
    return {};
  }
  [[nodiscard]] DecoderState start(const Ids& source, std::span<const int32_t>) const override {
    const Ids first = column(source, 0);
    Tensor left = Tensor::empty({first.size(), 1});
    for (int64_t b = 0; b < first.size(); ++b) left.mutable_data()[b] = static_cast<real>(first[b] - 4);
    return {.memories = {}, .tensors = {left}};
  }
  Prediction step(DecoderState& state, const Ids& previous) const override {
    sizes.push_back(previous.size());
    Tensor& left = state.tensors[0];
    Tensor logits = Tensor::zeros({left.size(0), V});
    for (int64_t b = 0; b < left.size(0); ++b) {
      real* row = logits.mutable_data() + b * V;
      row[left.data()[b] > 0 ? 4 : tokens::eos] = 9;
      row[tokens::pad] = row[tokens::bos] = 10;  // which no answer holds
    }
    left = shift(left, -1);
    return {logits, Tensor::full({left.size(0), S}, real(1) / S)};
  }
  void visit(const Visitor& /*visitor*/) const override {}
  mutable std::vector<int64_t> sizes;  // of each step's batch
};

TEST_CASE("greedy: rows stop by themselves, and the batch shrinks when half of them have") {
  Ids source({5, S}, std::vector<int32_t>(5 * S, 4));
  const int counts[] = {2, 0, 1, 5, 30};
  for (size_t b = 0; b < 5; ++b) source.values()[b * S] = 4 + counts[b];
  const Counting model;
  const std::vector<Decoded> answers = greedy(model, source, std::vector<int32_t>(5, S), 8);
  for (size_t b = 0; b < 5; ++b) {
    CHECK(answers[b].tokens == std::vector<int32_t>(static_cast<size_t>(std::min(counts[b], 8)), 4));
    CHECK(answers[b].ended == (counts[b] < 8));
    CHECK(answers[b].weights.shape() == Shape{std::min(counts[b], 8), S});
  }
  CHECK(model.sizes == std::vector<int64_t>{5, 5, 5, 2, 2, 2, 1, 1});
  CHECK(error_of([&] { greedy(model, source, std::vector<int32_t>(5, S), 0); }) ==
        "greedy: max_length 0 must be at least 1");
}

TEST_CASE("models: every parameter gets a gradient, and clone_from makes the same model") {
  for_all_models([](const Seq2Seq& model) {
    Rng rng(7);
    const Ids source = random_source(rng);
    const Ids target = random_target(rng);
    backward(cross_entropy(model(source, lengths, target, {}).logits, random_ids({B, T}, 3, V, rng)));
    for (const NamedParameter& p : named_parameters(model)) {
      CAPTURE(p.name);
      REQUIRE(p.tensor.grad().defined());
      CHECK_FALSE(all_zero(p.tensor.grad()));
    }
  });
  Rng rng(8);
  const TransformerSeq2Seq a(transformer_options(), rng);
  const TransformerSeq2Seq b(transformer_options(), rng);
  clone_from(a, b);
  const Ids source = random_source(rng);
  const Ids target = random_target(rng);
  CHECK(close_all(a(source, lengths, target, {}).logits, b(source, lengths, target, {}).logits, 0));
}

TEST_CASE("models: names are torch's") {
  Rng rng(9);
  RecurrentSeq2Seq::Options options = recurrent_options();
  options.cell = Cell::lstm;
  const Names recurrent = names_of(RecurrentSeq2Seq(options, rng));
  TransformerSeq2Seq::Options tied = transformer_options();
  tied.tied = true;
  const Names transformer = names_of(TransformerSeq2Seq(tied, rng));
  const auto has = [](const Names& names, const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  CHECK(has(recurrent, "encoder.weight_ih_l0"));
  CHECK(has(recurrent, "encoder.bias_hh_l0_reverse"));
  CHECK(has(recurrent, "scorer.query.weight"));
  CHECK(has(recurrent, "bridges.0.weight"));
  CHECK(has(transformer, "encoder.layers.1.self_attn.in_proj_weight"));
  CHECK(has(transformer, "decoder.layers.0.multihead_attn.out_proj.bias"));
  CHECK(has(transformer, "decoder.norm.weight"));
  CHECK(has(transformer, "decoder.output.bias"));
  CHECK_FALSE(has(transformer, "decoder.output.weight"));
}

TEST_CASE("models: dropout acts in training alone, the same from the same generator") {
  Rng rng(10);
  RecurrentSeq2Seq::Options recurrent = recurrent_options();
  recurrent.dropout = real(0.3);
  TransformerSeq2Seq::Options transformer = transformer_options();
  transformer.dropout = real(0.3);
  const RecurrentSeq2Seq first(recurrent, rng);
  const TransformerSeq2Seq second(transformer, rng);
  for (const Seq2Seq* model : {static_cast<const Seq2Seq*>(&first), static_cast<const Seq2Seq*>(&second)}) {
    const Ids source = random_source(rng);
    const Ids target = random_target(rng);
    const auto trained = [&](uint64_t seed) {
      Rng noise(seed);
      return (*model)(source, lengths, target, {.train = true, .rng = &noise}).logits;
    };
    CHECK(close_all(trained(1), trained(1), 0));
    CHECK_FALSE(close_all(trained(1), trained(2)));
    const Tensor evaluated = (*model)(source, lengths, target, {}).logits;
    CHECK(close_all(evaluated, (*model)(source, lengths, target, {}).logits, 0));
  }
}

TEST_CASE("models: what cannot be built or read is one sentence") {
  Rng rng(11);
  const auto recurrent = [&](auto change) {
    RecurrentSeq2Seq::Options options = recurrent_options();
    change(options);
    return error_of([&] { RecurrentSeq2Seq(options, rng); });
  };
  CHECK(recurrent([](auto& o) { o.hidden = 0; }) ==
        "RecurrentSeq2Seq: embed 5, hidden 0, layers 1 must be at least 1");
  CHECK(recurrent([](auto& o) { o.hidden = 7; }) ==
        "RecurrentSeq2Seq: hidden 7 is odd; each direction of the encoder takes half of it");
  CHECK(recurrent([](auto& o) {
          o.bridge = false;
          o.encoder = 5;
        }) == "RecurrentSeq2Seq: without a bridge the decoder's hidden 8 must be the encoder's 2 x 5");
  CHECK(recurrent([](auto& o) {
          o.bidirectional = false;
          o.hidden = 7;
        }).empty());
  CHECK(recurrent([](auto& o) { o.scorer = "dott"; }).starts_with("no scorer \"dott\"; there are additive"));
  CHECK(recurrent([](auto& o) {
          o.scorer = "dot";
          o.encoder = 8;
        }) == "dot: query size 8 and key size 16 differ; take additive or bilinear");
  CHECK(recurrent([](auto& o) { o.scorer = "dot"; }).empty());
  TransformerSeq2Seq::Options seven = transformer_options();
  seven.size = 7;
  seven.heads = 4;
  CHECK(error_of([&] { TransformerSeq2Seq(seven, rng); }) ==
        "MultiHeadAttention: size 7 does not divide into 4 heads");
  for_all_models([](const Seq2Seq& model) {
    const Ids source({2, 3}, {4, 4, 4, 4, 4, 4});
    const auto ends_with = [&](const std::vector<int32_t>& given, const char* end) {
      return error_of([&] { static_cast<void>(model.start(source, given)); }).ends_with(end);
    };
    CHECK(ends_with({3}, ": 1 lengths for a source of batch 2"));
    CHECK(ends_with({3, 4}, ": length 4 of row 1 is outside [1, 3]"));
    CHECK(ends_with({0, 3}, ": length 0 of row 0 is outside [1, 3]"));
    CHECK(error_of([&] {
            model(source, std::vector<int32_t>{3, 3}, Ids({2, 0}, {}), {});
          }).ends_with(": tokens are (2, 0), wants (B, T) with both at least 1"));
  });
}

}  // namespace
}  // namespace heed::tests
