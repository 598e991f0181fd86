// Models whose weights are, or enter, the output distribution: written out on plain numbers, and trained.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "layers/attention_losses.hpp"
#include "layers/models/decode.hpp"
#include "layers/models/pointer_generator.hpp"
#include "layers/models/pointer_network.hpp"
#include "layers/models/tokens.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"
#include "tests/layers/common.hpp"
#include "tests/support/close.hpp"

namespace heed::tests {
namespace {

using Numbers = std::vector<double>;

Numbers numbers(const Tensor& x) { return {x.values().begin(), x.values().end()}; }
Numbers operator+(Numbers a, const Numbers& b) {  // end to end
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
double logistic(double x) { return 1 / (1 + std::exp(-x)); }
Numbers softmaxed(Numbers x) {
  double total = 0;
  for (double& v : x) total += v = std::exp(v);
  for (double& v : x) v /= total;
  return x;
}

// A model's parameters as plain numbers, and the layers written out on them.
struct Plain {
  explicit Plain(const Module& model) {
    for (const NamedParameter& p : named_parameters(model)) all[p.name] = numbers(p.tensor);
  }
  const Numbers& operator()(const std::string& name) const {
    CAPTURE(name);
    REQUIRE(all.count(name) == 1);
    return all.at(name);
  }
  // W x + b; without b where `bias` names none.
  [[nodiscard]] Numbers affine(const std::string& weight, const std::string& bias, const Numbers& x) const {
    const Numbers& w = (*this)(weight);
    Numbers y(w.size() / x.size());
    for (size_t o = 0; o < y.size(); ++o) {
      y[o] = bias.empty() ? 0 : (*this)(bias)[o];
      for (size_t i = 0; i < x.size(); ++i) y[o] += w[o * x.size() + i] * x[i];
    }
    return y;
  }
  [[nodiscard]] Numbers linear_layer(const std::string& name, const Numbers& x) const {
    return affine(name + ".weight", name + ".bias", x);
  }
  // One step of an LSTM, whose h and c it replaces.
  void lstm(const std::string& layer, const std::string& suffix, const Numbers& x, Numbers& h,
            Numbers& c) const {
    const Numbers a = affine(layer + ".weight_ih" + suffix, layer + ".bias_ih" + suffix, x);
    const Numbers b = affine(layer + ".weight_hh" + suffix, layer + ".bias_hh" + suffix, h);
    const size_t n = h.size();
    for (size_t i = 0; i < n; ++i) {
      const auto gate = [&](size_t g) { return a[g * n + i] + b[g * n + i]; };
      c[i] = logistic(gate(1)) * c[i] + logistic(gate(0)) * std::tanh(gate(2));
      h[i] = logistic(gate(3)) * std::tanh(c[i]);
    }
  }
  // softmax over s of v . tanh(W q + U k_s + w_c coverage_s); without coverage where w_c is empty.
  [[nodiscard]] Numbers additive(const Numbers& q, const std::vector<Numbers>& keys, const Numbers& w_c,
                                 const Numbers& coverage) const {
    const Numbers from_query = affine("scorer.query.weight", "", q);
    Numbers scores;
    for (size_t s = 0; s < keys.size(); ++s) {
      const Numbers from_key = affine("scorer.key.weight", "", keys[s]);
      double score = 0;
      for (size_t a = 0; a < from_key.size(); ++a) {
        const double covered = w_c.empty() ? 0 : w_c[a] * coverage[s];
        score += (*this)("scorer.v")[a] * std::tanh(from_query[a] + from_key[a] + covered);
      }
      scores.push_back(score);
    }
    return softmaxed(scores);
  }
  std::map<std::string, Numbers> all;
};

bool close_to(const Tensor& x, const Numbers& expected) {
  if (x.size() != static_cast<int64_t>(expected.size())) return false;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!close(static_cast<double>(x.data()[i]), expected[i], tolerance, tolerance)) return false;
  }
  return true;
}

TEST_CASE("pointer network: eq. 3 of Vinyals et al., written out") {
  constexpr size_t S = 4, I = 2, H = 3;
  Rng rng(1);
  const PointerNetwork model({.item = I, .hidden = H}, rng);
  const Tensor items = random_tensor({1, S, I}, rng);
  const Ids answer({1, 4}, {2, 0, 3, 2});
  const Plain p(model);
  std::vector<Numbers> xs, states;
  Numbers h(H, 0), c(H, 0);
  for (size_t s = 0; s < 3; ++s) {  // of four items the first three are real
    const Numbers all = numbers(items);
    xs.emplace_back(all.begin() + s * I, all.begin() + (s + 1) * I);
    p.lstm("encoder", "_l0", xs.back(), h, c);
    states.push_back(h);
  }
  xs.push_back(numbers(select(select(items, 0, 0), 0, 3)));  // fed, though nothing may point at it
  Numbers expected, x = p("begin");
  for (int64_t t = 0; t < 4; ++t) {
    p.lstm("decoder", "_l0", x, h, c);
    expected = expected + p.additive(h, states, {}, {}) + Numbers{0};
    x = xs[static_cast<size_t>(answer[t])];
  }
  const std::vector<int32_t> lengths{3};
  CHECK(close_to(model(items, lengths, answer), expected));
  CHECK(names_of(model).front() == "begin");
}

TEST_CASE("pointer network: step by step is all at once, greedy takes the likeliest") {
  for (const char* scorer : {"additive", "bilinear"}) {
    Rng rng(2);
    const PointerNetwork model({.item = 2, .hidden = 5, .scorer = scorer}, rng);
    const Tensor items = random_tensor({3, 6, 2}, rng);
    const std::vector<int32_t> lengths{6, 2, 4};
    const Ids answer = model.greedy(items, lengths, 5);
    const Tensor all = model(items, lengths, answer);
    CHECK(all.shape() == Shape{3, 5, 6});
    DecoderState state = model.start(items, lengths);
    Ids previous({3}, {-1, -1, -1});
    for (int64_t t = 0; t < 5; ++t) {
      const Tensor one = model.step(state, previous);
      CHECK(close_all(one, select(all, 1, t)));
      previous = argmax(one);
      for (int64_t b = 0; b < 3; ++b) {
        CHECK(answer[b * 5 + t] == previous[b]);
        CHECK(previous[b] < lengths[static_cast<size_t>(b)]);
      }
      if (t == 2) {  // rows go on as they would, in another order
        const std::vector<int32_t> order{2, 0, 1}, back{1, 2, 0};
        state = state.select(order).select(back);
      }
    }
    CHECK(state.steps == 5);
    // Each item once: of six steps a row of n items takes its first n to name them all.
    const Ids once = model.greedy(items, lengths, 6, true);
    for (int64_t b = 0; b < 3; ++b) {
      const auto n = lengths[static_cast<size_t>(b)];
      std::vector<int32_t> named(&once.values()[static_cast<size_t>(6 * b)],
                                 &once.values()[static_cast<size_t>(6 * b)] + n);
      CHECK(named.front() == answer[5 * b]);
      std::ranges::sort(named);
      for (int32_t s = 0; s < n; ++s) CHECK(named[static_cast<size_t>(s)] == s);
    }
    // A row alone, without its padding, and a batch of four times as many items.
    const Tensor alone =
        model(slice(slice(items, 0, 1, 2), 1, 0, 2), std::vector<int32_t>{2},
              Ids({1, 5}, std::vector<int32_t>(answer.values().begin() + 5, answer.values().begin() + 10)));
    CHECK(close_all(alone, slice(slice(all, 0, 1, 2), 2, 0, 2)));
    CHECK(model.greedy(random_tensor({1, 24, 2}, rng), std::vector<int32_t>{24}, 24).size() == 24);
  }
}

TEST_CASE("pointer network: what does not fit is one sentence") {
  Rng rng(3);
  const PointerNetwork model({.item = 2, .hidden = 4}, rng);
  const Tensor items = random_tensor({2, 3, 2}, rng);
  const std::vector<int32_t> lengths{3, 2};
  CHECK(error_of([&] { PointerNetwork({.item = 0}, rng); }) ==
        "PointerNetwork: item 0, hidden 64 must be at least 1");
  CHECK(error_of([&] { static_cast<void>(model.start(select(items, 0, 0), lengths)); }) ==
        "PointerNetwork: items are (3, 2), wants (B, S, 2) with B and S at least 1");
  CHECK(error_of([&] { static_cast<void>(model.start(items, std::vector<int32_t>{3})); }) ==
        "PointerNetwork: 1 lengths for a source of batch 2");
  CHECK(error_of([&] {
          static_cast<void>(model.start(items, std::vector<int32_t>{3, 4}));
        }) == "PointerNetwork: length 4 of row 1 is outside [1, 3]");
  CHECK(error_of([&] {
          static_cast<void>(model(items, lengths, Ids({2, 2}, {0, 1, 3, 0})));
        }) == "PointerNetwork: position 3 at place 3 is neither -1 nor in [0, 3)");
  CHECK(error_of([&] {
          static_cast<void>(model(items, lengths, Ids({1, 2})));
        }) == "PointerNetwork: the answer is (1, 2), wants (B, T) with B = 2 and T at least 1");
  DecoderState state = model.start(items, lengths);
  CHECK(error_of([&] { model.step(state, Ids({1})); }) ==
        "PointerNetwork: previous is (1), wants (B) with B = 2");
  CHECK(error_of([&] { static_cast<void>(model.greedy(items, lengths, 0)); }) ==
        "PointerNetwork: 0 steps, wants at least 1");
}

// Four random numbers in each of `batch` rows, and the positions of the least, the next, ...
struct Unsorted {
  Tensor items;
  Ids sorted;
};
Unsorted draw_unsorted(int64_t batch, Rng& rng) {
  Unsorted u{random_tensor({batch, 4, 1}, rng), Ids({batch, 4})};
  for (int64_t b = 0; b < batch; ++b) {
    const auto order = u.sorted.values().subspan(static_cast<size_t>(4 * b), 4);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [&](int32_t s) { return u.items.data()[4 * b + s]; });
  }
  return u;
}

TEST_CASE("pointer network: learns to sort four numbers") {
  for (const uint64_t seed : {1, 2, 3}) {
    Rng rng(seed);
    const PointerNetwork model({.hidden = 32}, rng);
    Adam adam(parameters(model), {.lr = real(1e-2)});
    const std::vector<int32_t> lengths(32, 4), many(500, 4);
    for (int step = 0; step < 500; ++step) {
      const Unsorted u = draw_unsorted(32, rng);
      adam.set_lr(real(1e-2) * real(500 - step) / 500);
      adam.zero_grad();
      backward(alignment_loss(model(u.items, lengths, u.sorted), u.sorted));
      clip_grad_norm(adam.parameters(), 1);
      adam.step();
    }
    const Unsorted unseen = draw_unsorted(500, rng);
    const Ids found = model.greedy(unseen.items, many, 4);
    int right = 0;
    for (int64_t b = 0; b < 500; ++b)
      right += std::equal(&found.values()[size_t(4 * b)], &found.values()[size_t(4 * b)] + 4,
                          &unseen.sorted.values()[size_t(4 * b)]);
    CAPTURE(seed);
    CHECK(right >= 450);
  }
}

TEST_CASE("pointer-generator: eq. 1 to 11 of See et al., written out") {
  constexpr size_t V = 6, X = 3, S = 4, T = 3, H = 4, E = 3;
  const Ids source({1, S}, {4, 7, 7, 6});  // 6 and up are temporary
  const Ids target({1, T}, {tokens::bos, 7, 4});
  for (const bool coverage : {false, true}) {
    CAPTURE(coverage);
    Rng rng(4);
    const PointerGenerator model(
        {.vocabulary = V, .extended = X, .embed = E, .hidden = H, .coverage = coverage}, rng);
    const Plain p(model);
    const auto word = [&](int32_t id) {
      const Numbers& table = p("embedding.weight");
      const auto row = table.begin() + (id >= int32_t(V) ? tokens::unk : id) * int32_t(E);
      return Numbers(row, row + E);
    };
    Numbers there(H / 2, 0), c1(H / 2, 0), back(H / 2, 0), c2(H / 2, 0);
    std::vector<Numbers> forward, backward(S), states;
    for (size_t s = 0; s < S; ++s) {
      p.lstm("encoder", "_l0", word(source[int64_t(s)]), there, c1);
      forward.push_back(there);
    }
    for (size_t s = S; s-- > 0;) {
      p.lstm("encoder", "_l0_reverse", word(source[int64_t(s)]), back, c2);
      backward[s] = back;
    }
    for (size_t s = 0; s < S; ++s) states.push_back(forward[s] + backward[s]);
    Numbers begin = p.linear_layer("bridge", there + back);
    for (double& v : begin) v = std::tanh(v);
    Numbers h(begin.begin(), begin.begin() + H), c(begin.begin() + H, begin.end());
    Numbers seen(S, 0), weights, log_p;
    for (size_t t = 0; t < T; ++t) {
      const Numbers x = word(target[int64_t(t)]);
      p.lstm("decoder", "_l0", x, h, c);
      const Numbers a = p.additive(h, states, coverage ? p("coverage.weight") : Numbers{}, seen);
      weights = weights + a;
      Numbers context(H, 0);
      for (size_t s = 0; s < S; ++s) {
        seen[s] += a[s];
        for (size_t i = 0; i < H; ++i) context[i] += a[s] * states[s][i];
      }
      const Numbers words = softmaxed(p.linear_layer("output", p.linear_layer("inner", h + context)));
      const double generate = logistic(p.linear_layer("generates", context + h + x)[0]);
      for (size_t w = 0; w < V + X; ++w) {
        double probability = w < V ? generate * words[w] : 0;
        for (size_t s = 0; s < S; ++s)
          if (source[int64_t(s)] == int32_t(w)) probability += (1 - generate) * a[s];
        log_p.push_back(std::log(std::max(probability, double(std::numeric_limits<real>::min()))));
      }
    }
    const Prediction found = model(source, std::vector<int32_t>{S}, target, {});
    CHECK(found.logits.shape() == Shape{1, T, V + X});
    CHECK(close_to(found.logits, log_p));
    CHECK(close_to(found.weights, weights));
    CHECK(close_all(sum(exp(found.logits), -1), Tensor::full({1, T}, 1)));
  }
}

TEST_CASE("pointer-generator: without the pointer temporary ids have no probability") {
  Rng rng(5);
  const PointerGenerator model({.vocabulary = 6, .extended = 2, .embed = 3, .hidden = 4, .pointer = false},
                               rng);
  const Ids source({1, 2}, {6, 7}), target({1, 2}, {tokens::bos, 6});
  const Tensor p = exp(model(source, std::vector<int32_t>{2}, target, {}).logits);
  CHECK(close_all(sum(slice(p, -1, 0, 6), -1), Tensor::full({1, 2}, 1)));
  CHECK(close_all(slice(p, -1, 6, 8), Tensor::zeros({1, 2, 2})));
  const Names names = names_of(model);
  CHECK(std::ranges::count_if(names, [](const std::string& n) { return n.starts_with("generates"); }) == 0);
}

TEST_CASE("pointer-generator: what does not fit is one sentence") {
  Rng rng(6);
  const auto built = [&](PointerGenerator::Options options) {
    return error_of([&] { PointerGenerator(options, rng); });
  };
  CHECK(built({.vocabulary = 3}) == "PointerGenerator: a vocabulary of 3 has no unk, token 3");
  CHECK(built({.vocabulary = 6, .embed = 0}) == "PointerGenerator: embed 0, hidden 64 must be at least 1");
  CHECK(built({.vocabulary = 6, .hidden = 5}) ==
        "PointerGenerator: hidden 5 is odd; each direction of the encoder takes half of it");
  CHECK(built({.vocabulary = 6, .extended = -1}) == "PointerGenerator: extended -1 must not be negative");
  const PointerGenerator model({.vocabulary = 6, .extended = 2, .embed = 3, .hidden = 4}, rng);
  const std::vector<int32_t> two{2};
  CHECK(error_of([&] {
          static_cast<void>(model.start(Ids({1, 2}, {4, 8}), two));
        }) == "PointerGenerator: token 8 is outside [0, 8), 6 words and 2 temporary ids");
  CHECK(error_of([&] {
          static_cast<void>(model.start(Ids({1, 2}, {4, 5}), std::vector<int32_t>{3}));
        }) == "PointerGenerator: length 3 of row 0 is outside [1, 2]");
}

// Pairs of three to five words to copy, none in the vocabulary: the first is V, another V + 1, ...
TEST_CASE("pointer-generator: learns to copy words that its vocabulary lacks") {
  constexpr int32_t V = 5, longest = 4;
  for (const bool pointer : {true, false}) {
    Rng rng(7);
    const PointerGenerator model(
        {.vocabulary = V, .extended = longest, .embed = 8, .hidden = 32, .pointer = pointer}, rng);
    Adam adam(parameters(model), {.lr = real(1e-2)});
    const auto draw = [&](int64_t batch) {
      Ids source({batch, longest});
      for (int64_t b = 0; b < batch; ++b) {
        int32_t next = V;
        for (int64_t s = 0; s < longest; ++s) {  // a word of the vocabulary, a seen or a new one
          const auto word = static_cast<int32_t>(V - 1 + rng.integer(next - V + 2));
          source.values()[static_cast<size_t>(b * longest + s)] = word;
          next = std::max(next, word + 1);
        }
      }
      return source;
    };
    const auto framed = [](const Ids& words, bool before) {  // bos before, or eos after
      const int64_t batch = words.shape()[0];
      Ids all({batch, longest + 1});
      for (int64_t i = 0; i < all.size(); ++i) {
        const int64_t b = i / (longest + 1), t = i % (longest + 1) - (before ? 1 : 0);
        all.values()[static_cast<size_t>(i)] = t < 0          ? tokens::bos
                                               : t == longest ? tokens::eos
                                                              : words[b * longest + t];
      }
      return all;
    };
    const std::vector<int32_t> lengths(32, longest), many(200, longest);
    for (int step = 0; step < 400; ++step) {
      const Ids words = draw(32);
      adam.set_lr(real(1e-2) * real(400 - step) / 400);
      adam.zero_grad();
      backward(cross_entropy(model(words, lengths, framed(words, true), {}).logits, framed(words, false)));
      clip_grad_norm(adam.parameters(), 1);
      adam.step();
    }
    const Ids unseen = draw(200);
    const std::vector<Decoded> answers = greedy(model, unseen, many, 8);
    int right = 0;
    for (size_t b = 0; b < 200; ++b)
      right += std::ranges::equal(answers[b].tokens, unseen.values().subspan(b * longest, longest));
    CAPTURE(pointer);
    if (pointer)
      CHECK(right >= 190);
    else
      CHECK(right <= 20);
  }
}

}  // namespace
}  // namespace heed::tests
