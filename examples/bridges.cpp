// Where attention meets what it came from: two ways to one result, computed side by side in double.
//
//   ./dev run bridges [--seed 7] [--json F]

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/command_line.hpp"
#include "examples/support/json.hpp"
#include "examples/support/streams.hpp"
#include "layers/attention.hpp"
#include "layers/conv.hpp"
#include "layers/hard.hpp"
#include "layers/init.hpp"
#include "layers/linear_attention.hpp"
#include "layers/models/rnn_encoder_decoder.hpp"
#include "layers/models/rnnsearch.hpp"
#include "layers/normalizers/all.hpp"
#include "layers/scorers/all.hpp"
#include "layers/scorers/quadratic.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

// How far the two sides are apart, and how far they may be: rounding, or five standard errors of an average.
struct Crossing {
  double apart, allowed;
};

struct Bridge {
  const char* from;
  const char* to;
  std::function<Crossing(Rng& rng)> cross;
};

constexpr double rounding = 1e-10, standard_errors = 5;
constexpr int64_t B = 2, T = 3, S = 6, size = 4;

Tensor random(const Shape& shape, Rng& rng) { return normal_init(shape, 1, rng).detach(); }

double apart(const Tensor& a, const Tensor& b) {
  double most = 0;
  for (int64_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a.data()[i] - b.data()[i]));
  return most;
}

// ---- Nadaraya (1964) and Watson (1964): y(x) = sum_s K(x - x_s) y_s / sum_s K(x - x_s), K a Gaussian of width h.
// Attention with the score -|q - k|^2 / (2 h^2).
struct GaussianKernel : Scorer {
  static constexpr double h = 0.7;
  Tensor operator()(const Tensor& query, const Memory& memory) const override {
    const Tensor cross = matmul(query, memory.keys, {.b = true});                // (B, T, S)
    const Tensor of_query = sum(query * query, -1, true);                        // (B, T, 1)
    const Tensor of_keys = transpose(sum(memory.keys * memory.keys, -1, true));  // (B, 1, S)
    return scale(of_query + of_keys - scale(cross, 2), real(-1 / (2 * h * h)));
  }
};

Crossing kernel_regression(Rng& rng) {
  const Tensor x = random({B, T, size}, rng), at = random({B, S, size}, rng), y = random({B, S, 1}, rng);
  const GaussianKernel scorer;
  const Tensor attention = attend(x, scorer.prepare(at, y), scorer, Softmax()).context;
  Tensor regression = empty_like(attention);
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t t = 0; t < T; ++t) {
      double above = 0, below = 0;
      for (int64_t s = 0; s < S; ++s) {
        double distance = 0;
        for (int64_t i = 0; i < size; ++i) {
          distance += std::pow(x.data()[(b * T + t) * size + i] - at.data()[(b * S + s) * size + i], 2);
        }
        const double k = std::exp(-distance / (2 * GaussianKernel::h * GaussianKernel::h));
        above += k * y.data()[b * S + s];
        below += k;
      }
      regression.mutable_data()[b * T + t] = above / below;
    }
  }
  return {apart(attention, regression), rounding};
}

// ---- v . (W q + U k) = v . W q + v . U k: the same number for every slot, and one of the key alone.
struct LinearNetwork : Additive {
  using Additive::Additive;
  Tensor operator()(const Tensor& q, const Memory& memory) const override {
    const Tensor of_query = matmul(query(q), v.reshape({-1, 1}));               // (B, T, 1)
    const Tensor of_keys = transpose(matmul(memory.keys, v.reshape({-1, 1})));  // (B, 1, S)
    return of_query + of_keys;
  }
};

Crossing linear_network(Rng& rng) {
  const LinearNetwork scorer({.query = size, .key = size, .hidden = 5}, rng);
  const Tensor keys = random({B, S, size}, rng), values = random({B, S, 2}, rng);
  const Memory memory = scorer.prepare(keys, values);
  const Tensor one = attend(random({B, T, size}, rng), memory, scorer, Softmax()).weights;
  const Tensor other = softmax(transpose(matmul(scorer.key(keys), scorer.v.reshape({-1, 1}))));  // (B, 1, S)
  return {apart(one, expand(other, {B, T, S})), rounding};
}

// ---- RNNsearch whose memory is the single slot c: every context is c, as in the RNN Encoder-Decoder (Cho et al.
// 2014). Bahdanau changed two things besides: his reset gate stands before the product, and his readout sees
// the state before. Both are options, here set as Cho has them: with Bahdanau's the two are apart. The
// decoders share their parameters, drawn larger than they begin, so that a difference would show.
Crossing fixed_context(Rng& rng) {
  constexpr int64_t vocabulary = 7, hidden = 4;
  const RnnEncoderDecoder cho({.source_vocabulary = vocabulary,
                               .target_vocabulary = vocabulary,
                               .embed = 3,
                               .hidden = hidden,
                               .context = 2 * hidden,
                               .maxout = 2},
                              rng);
  const RnnSearch search({.source_vocabulary = vocabulary,
                          .target_vocabulary = vocabulary,
                          .embed = 3,
                          .hidden = hidden,
                          .maxout = 2,
                          .reset = cho.decoder.options.reset,
                          .current = cho.decoder.options.current},
                         rng);
  for (Tensor p : parameters(cho)) p.assign(scale(random(p.shape(), rng), real(0.5)).values());
  clone_from(search.decoder, cho.decoder);

  const NoGrad no_grad;
  const std::vector<int32_t> lengths{4, 2};
  DecoderState told = cho.start(Ids({2, 4}, {1, 2, 3, 4, 5, 6, 0, 0}), lengths);
  DecoderState asks = told;
  const Tensor c = told.memories[0].values;  // (B, 1, C)
  asks.memories = {search.scorer.prepare(c, c)};
  asks.tensors = {told.tensors[0]};
  Crossing crossing{0, rounding};
  for (const int32_t token : {1, 4, 2, 6}) {
    const Ids previous({2}, {token, token});
    crossing.apart =
        std::max(crossing.apart, apart(cho.step(told, previous).logits, search.step(asks, previous).logits));
  }
  return crossing;
}

// ---- The hotter, the flatter: at temperature 10^12 sparsemax gives every slot the same, softmax too.
Crossing hot_sparsemax(Rng& rng) {
  const Sparsemax sparsemax({.temperature = real(1e12)}, rng);
  const Tensor weights = sparsemax(random({B, T, S}, rng), {}, {}).weights;
  return {apart(weights, Tensor::full({B, T, S}, real(1) / S)), rounding};
}

// ---- Stopping probabilities of 0 and 1 leave soft monotonic attention nothing to average.
Crossing sure_monotonic(Rng& rng) {
  const Monotonic soft({}, rng);
  const MonotonicHard hard({}, rng);
  Tensor scores = Tensor::empty({B, T, S});
  for (int64_t i = 0; i < scores.size(); ++i) scores.mutable_data()[i] = rng.integer(2) == 0 ? -60 : 60;
  return {apart(soft(scores, {}, {}).weights, hard(scores, {}, {}).weights), rounding};
}

// ---- The walk of monotonic attention is a recursion over the slots; for 0 < p < 1 it has a closed form of products
// and sums alone, without one (Raffel et al. 2017, appendix C.1), which divides by what the recursion
// multiplies.
Crossing parallel_walk(Rng& rng) {
  const Tensor p = sigmoid(random({B, T, S}, rng));
  const Tensor first = one_hot(Ids({B}), S);
  return {apart(monotonic(p, first), monotonic_parallel(p, first)), rounding};
}

// ---- Hard attention draws a slot and learns from the reward p(y | slot) / p(y) (Xu et al. 2015); averaged, its
// gradient is that of log p(y) = log sum_s a_s p(y | s), which sums over all slots (Wu et al. 2018).
Crossing reinforce_and_marginal(Rng& rng) {
  constexpr int64_t draws = 40'000;
  const Tensor scores = random({1, 1, S}, rng), log_p = neg(abs(random({1, 1, S}, rng)));
  Tensor exact = scores.clone();
  const Tensor log_marginal_p = log_marginal(softmax(exact.requires_grad()), log_p);
  backward(neg(sum(log_marginal_p)));

  Tensor many = expand(scores, {draws, 1, S}).clone();
  many.requires_grad();
  const Reinforce normalizer({}, rng);
  const auto [weights, probabilities] = normalizer(many, {}, {.pass = {.train = true, .rng = &rng}});
  const Attended seen{.context = {}, .weights = weights, .probabilities = probabilities};
  const Tensor reward = exp(sum(weights * expand(log_p, weights.shape()), -1) - log_marginal_p.detach());
  backward(ReinforceLoss{}(log_probability(seen), entropy(probabilities), reward));

  Crossing crossing{0, standard_errors};
  for (int64_t s = 0; s < S; ++s) {
    double total = 0, squares = 0;
    for (int64_t i = 0; i < draws; ++i) {
      const double g = draws * many.grad().data()[i * S + s];
      total += g;
      squares += g * g;
    }
    const double mean = total / draws, error = std::sqrt((squares / draws - mean * mean) / draws);
    crossing.apart = std::max(crossing.apart, std::abs(mean - exact.grad().data()[s]) / error);
  }
  return crossing;
}

// ---- K heads, each of which looks at one place seen from its query, read what a convolution of width K reads;
// the matrix behind the heads is the convolution's weight (Cordonnier et al. 2020, theorem 1). The memory has
// an empty slot more at either end for each step that the convolution sees beyond them.
Crossing fixed_heads(Rng& rng) {
  constexpr int64_t width = 5, outputs = 3;
  const Conv1d conv(size, outputs, {.width = width}, rng);
  const Tensor x = random({B, S, size}, rng);
  const Tensor slots = pad(x, 1, width / 2, width / 2);
  TensorList heads;
  for (int64_t k = 0; k < width; ++k)  // query t stands at slot t + width / 2, and tap 0 as far before it
    heads.push_back(attend(x, {slots, slots}, Quadratic(k), Softmax()).context);
  const Tensor weight = permute(conv.weight, {0, 2, 1}).reshape({outputs, width * size});
  return {apart(linear(concat(heads, 2), weight, conv.bias), conv(x)), rounding};
}

// ---- Without softmax, causal attention is an RNN: what it knows of the past is one matrix and one vector
// (Katharopoulos et al. 2020, section 3.4).
Crossing linear_rnn(Rng& rng) {
  const Tensor q = random({B, S, size}, rng), k = random({B, S, size}, rng), v = random({B, S, 3}, rng);
  LinearAttentionState state = start_linear_attention(B, size, 3);
  TensorList y;
  for (int64_t t = 0; t < S; ++t)
    y.push_back(linear_attention_step(state, select(q, 1, t), select(k, 1, t), select(v, 1, t)));
  return {apart(linear_attention(q, k, v), stack(y, 1)), rounding};
}

const Bridge bridges[] = {
    {"attention with the score -|q - k|^2 / 2h^2", "Nadaraya-Watson regression with a Gaussian kernel",
     kernel_regression},
    {"the additive score without its tanh", "a score of the key alone: the query drops out", linear_network},
    {"RNNsearch, one slot, Cho's reset and readout", "Cho's RNN Encoder-Decoder", fixed_context},
    {"5 heads that each look at one place", "a convolution of width 5", fixed_heads},
    {"causal attention by phi(q) . phi(k)", "an RNN with a matrix for its state", linear_rnn},
    {"sparsemax at temperature 10^12", "the mean of all values", hot_sparsemax},
    {"monotonic attention, p near 0 or 1", "hard monotonic attention", sure_monotonic},
    {"monotonic attention, slot by slot", "its closed form of cumulative products and sums", parallel_walk},
    {"REINFORCE, the mean of 40,000 draws", "the gradient of the exact marginal, in standard errors",
     reinforce_and_marginal},
};

int run(int argc, char** argv) {
  CommandLine line("bridges",
                   "Computes what should be one thing in two ways, and tells how far they are apart.");
  int64_t seed = 1;
  std::string file;
  line.integer("--seed", seed, "of all random numbers", 0, CommandLine::any);
  line.text("--json", file, "write all results to this file");
  if (!line.parse(argc, argv)) return 0;
  Json json;
  bool all = true;
  fmt::print("{:<44} {:<56} {:>8}  {:>7}\n", "this", "is that", "apart", "allowed");
  for (const Bridge& bridge : bridges) {
    Rng rng = draw_from(Stream::data, seed);
    const auto [apart, allowed] = bridge.cross(rng);
    const bool holds = apart <= allowed;  // false for NaN
    all = all && holds;
    fmt::print("{:<44} {:<56} {:8.1e}  {:7.0e}  {}\n", bridge.from, bridge.to, apart, allowed,
               holds ? "holds" : "BROKEN");
    const std::string at = pointer_part(bridge.from);
    json.set(at + "/apart", apart);
    json.set(at + "/allowed", allowed);
    json.set(at + "/holds", holds);
  }
  if (!file.empty()) json.write(file);
  return all ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("bridges", [=] { return run(argc, argv); });
}
