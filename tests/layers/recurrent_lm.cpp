// Language models that look back: their formulas written out, and step by step as all at once.
// What they learn: tests/examples/recall.cpp.
#include "layers/models/recurrent_lm.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "tests/layers/numbers.hpp"

namespace heed::tests {
namespace {

constexpr int64_t B = 2, T = 6, V = 7, H = 6;
constexpr LookBack every_way[] = {
    LookBack::nothing,           LookBack::states, LookBack::outputs, LookBack::key_value,
    LookBack::key_value_predict, LookBack::ngram,  LookBack::intra};

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// One step of an LSTM with the parameters prefix + weight_ih + suffix, ...: h | c -> h' | c'.
Vector lstm(const Numbers& p, const std::string& prefix, const std::string& suffix, const Vector& x,
            const Vector& state) {
  const Vector h = part(state, 0, H), c = part(state, 1, H);
  Vector a = plus(p.times(prefix + "weight_ih" + suffix, x), p.times(prefix + "weight_hh" + suffix, h));
  a = plus(plus(a, p.row(prefix + "bias_ih" + suffix)), p.row(prefix + "bias_hh" + suffix));
  Vector next_h, next_c;
  for (size_t d = 0; d < H; ++d) {
    next_c.push_back(logistic(a[H + d]) * c[d] + logistic(a[d]) * std::tanh(a[2 * H + d]));
    next_h.push_back(logistic(a[3 * H + d]) * std::tanh(next_c.back()));
  }
  return join(next_h, next_c);
}

// softmax_i v . tanh(W query + U key_i)
Vector additive_weights(const Numbers& p, const std::string& scorer, const Vector& query,
                        const std::vector<Vector>& keys) {
  Vector scores;
  const Vector q = p.times(scorer + "query.weight", query);
  for (const Vector& key : keys) {
    scores.push_back(dot(p.row(scorer + "v"), each(plus(q, p.times(scorer + "key.weight", key)), std::tanh)));
  }
  return softmax_of(scores);
}

struct Naive {
  std::vector<Vector> logits, weights;  // of each step
};

Naive intra_written_out(const Numbers& p, const std::vector<Vector>& inputs) {
  Naive result;
  std::vector<Vector> h, states;
  Vector context(2 * H);
  for (const Vector& x : inputs) {
    result.weights.push_back(additive_weights(p, "intra.scorer.", join(x, part(context, 0, H)), h));
    context = average(result.weights.back(), states, 2 * H);
    states.push_back(lstm(p, "intra.cell.", "", x, context));
    h.push_back(part(states.back(), 0, H));
    result.logits.push_back(plus(p.times("output.weight", h.back()), p.row("output.bias")));
  }
  return result;
}

// One row, token by token.
Naive written_out(const Numbers& p, const RecurrentLM::Options& o, const Ids& tokens, int64_t b) {
  std::vector<Vector> inputs, h, keys, values;
  for (int64_t t = 0; t < T; ++t) inputs.push_back(p.row("embedding.weight", tokens[b * T + t]));
  if (o.look == LookBack::intra) return intra_written_out(p, inputs);
  const size_t parts = o.look == LookBack::key_value ? 2 : o.look == LookBack::key_value_predict ? 3 : 1;
  Naive result;
  Vector state(2 * H);
  for (size_t t = 0; t < T; ++t) {
    state = lstm(p, "lstm.", "_l0", inputs[t], state);
    h.push_back(part(state, 0, H));
    const size_t size = H / parts;
    const Vector key = part(h[t], 0, size), value = part(h[t], parts > 1 ? 1 : 0, size);
    Vector out = h[t];
    if (o.look == LookBack::ngram) {
      Vector recent;
      for (size_t i = 0; i < 3; ++i) recent = join(recent, t < i ? Vector(2) : part(h[t - i], i, 2));
      out = each(p.times("ngram.weight", recent), std::tanh);
    } else if (o.look != LookBack::nothing) {
      const auto over = static_cast<int64_t>(keys.size()) - o.window;
      if (o.window > 0 && over > 0) {
        keys.erase(keys.begin());
        values.erase(values.begin());
      }
      result.weights.push_back(additive_weights(p, "scorer.", key, keys));
      const Vector context = average(result.weights.back(), values, size);
      out = each(
          plus(p.times("context.weight", context), p.times("predict.weight", part(h[t], parts - 1, size))),
          std::tanh);
    }
    result.logits.push_back(plus(p.times("output.weight", out), p.row("output.bias")));
    keys.push_back(o.look == LookBack::outputs ? out : key);
    values.push_back(o.look == LookBack::outputs ? out : value);
  }
  return result;
}

void for_all_models(const std::function<void(const RecurrentLM&, const RecurrentLM::Options&)>& check) {
  for (const LookBack look : every_way) {
    for (const int64_t window : {0, 2, 9}) {
      CAPTURE(static_cast<int>(look));
      CAPTURE(window);
      Rng rng(1);
      const RecurrentLM::Options options{
          .vocabulary = V, .look = look, .embed = 3, .hidden = H, .window = window};
      const RecurrentLM model(options, rng);
      for (NamedParameter& p : named_parameters(model)) {  // larger, so that weights are far from equal
        for (real& x : std::span(p.tensor.mutable_data(), static_cast<size_t>(p.tensor.size()))) x *= 2;
      }
      check(model, options);
    }
  }
}

Ids column(const Ids& ids, int64_t t) { return {{B}, {ids[t], ids[T + t]}}; }

// The weights of a step, placed as those of all steps at once: (T), or (L) with a window.
Vector placed(const Vector& weights, const RecurrentLM::Options& o) {
  Vector row = weights;
  if (o.window > 0 && o.look != LookBack::intra) {
    row.insert(row.begin(), static_cast<size_t>(o.window) - weights.size(), 0);
  } else {
    row.resize(T);
  }
  return row;
}

TEST_CASE("recurrent LM: every way to look back, with and without a window, written out") {
  for_all_models([](const RecurrentLM& model, const RecurrentLM::Options& options) {
    Rng rng(2);
    const Ids tokens = random_ids({B, T}, 0, V, rng);
    const Prediction found = model(tokens);
    const Numbers p(model);
    for (int64_t b = 0; b < B; ++b) {
      const Naive expected = written_out(p, options, tokens, b);
      for (size_t t = 0; t < T; ++t) {
        const int64_t row = b * T + static_cast<int64_t>(t);
        CHECK(close_vectors(row_of(found.logits, row), expected.logits[t]));
        if (expected.weights.empty()) continue;
        CHECK(close_vectors(row_of(found.weights, row), placed(expected.weights[t], options)));
      }
    }
  });
}

TEST_CASE("recurrent LM: step by step is all at once, and selected rows go on as they would") {
  for_all_models([](const RecurrentLM& model, const RecurrentLM::Options& options) {
    Rng rng(3);
    const Ids tokens = random_ids({B, T}, 0, V, rng);
    const Prediction all = model(tokens);
    DecoderState state = model.start(B);
    DecoderState other = state;
    for (int64_t t = 0; t < T; ++t) {
      if (t == 3) other = state.select(std::vector<int32_t>{1, 1, 0});
      const Prediction one = model.step(state, column(tokens, t));
      CHECK(close_all(one.logits, select(all.logits, 1, t)));
      CHECK(one.weights.defined() == (all.weights.defined() && t > 0));
      for (int64_t b = 0; one.weights.defined() && b < B; ++b) {
        CHECK(close_vectors(placed(row_of(one.weights, b), options), row_of(all.weights, b * T + t)));
      }
    }
    const Prediction chosen = model.step(other, Ids({3}, {tokens[T + 3], tokens[T + 3], tokens[3]}));
    CHECK(close_all(chosen.logits, select_rows(select(all.logits, 1, 3), std::vector<int32_t>{1, 1, 0})));
    CHECK(state.steps == T);
  });
}

TEST_CASE("recurrent LM: a prediction knows nothing of later tokens, every parameter gets a gradient") {
  for_all_models([](const RecurrentLM& model, const RecurrentLM::Options&) {
    Rng rng(4);
    Ids tokens = random_ids({B, T}, 0, V - 1, rng);
    const Tensor before = slice(model(tokens).logits, 1, 0, 4).clone();
    for (int64_t b = 0; b < B; ++b) tokens.values()[static_cast<size_t>(b * T + 4)] = V - 1;
    CHECK(close_all(slice(model(tokens).logits, 1, 0, 4), before));
    backward(cross_entropy(model(tokens).logits, random_ids({B, T}, 0, V, rng)));
    for (const NamedParameter& p : named_parameters(model)) {
      CAPTURE(p.name);
      REQUIRE(p.tensor.grad().defined());
      CHECK_FALSE(all_zero(p.tensor.grad()));
    }
  });
}

TEST_CASE("recurrent LM: names, and errors as sentences") {
  Rng rng(5);
  const auto make = [&](RecurrentLM::Options options) {
    options.vocabulary = V;
    return RecurrentLM(options, rng);
  };
  CHECK(names_of(make({.look = LookBack::key_value})) ==
        Names{"embedding.weight", "lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.bias_ih_l0",
              "lstm.bias_hh_l0", "scorer.query.weight", "scorer.key.weight", "scorer.v", "context.weight",
              "predict.weight", "output.weight", "output.bias"});
  CHECK(names_of(make({.look = LookBack::ngram}))[5] == "ngram.weight");
  CHECK(names_of(make({.look = LookBack::intra}))[5] == "intra.scorer.query.weight");
  CHECK(error_of([&] { make({.look = LookBack::key_value_predict, .hidden = 8}); }) ==
        "RecurrentLM: hidden 8 cannot be cut into 3 equal parts");
  CHECK(error_of([&] { make({.ngram = 1}); }) == "RecurrentLM: ngram 1 must be at least 2");
  CHECK(error_of([&] { make({.embed = 0}); }) ==
        "RecurrentLM: embed 0 and hidden 48 must be at least 1, window 0 at least 0");
  CHECK(error_of([&] {
          make({})(Ids({3}, {1, 2, 3}));
        }) == "RecurrentLM: tokens are (3), wants (B, T) with both at least 1");
  const IntraAttention intra({.input = 3, .hidden = H}, rng);
  CHECK(error_of([&] {
          intra(Tensor::zeros({2, 3}));
        }) == "IntraAttention: input is (2, 3), wants (B, T, I)");
  IntraAttention::State state = intra.start(2);
  CHECK(error_of([&] {
          intra.step(Tensor::zeros({2, 1, 3}), state);
        }) == "IntraAttention: one step takes (B, I), not (2, 1, 3)");
}

}  // namespace
}  // namespace heed::tests
