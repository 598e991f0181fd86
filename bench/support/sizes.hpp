#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/support/numbers.hpp"

// The workloads' sizes and how much each has to compute, told once for all engines. Letters: B batch, S
// source, T target, H hidden, M embedding, V vocabulary, A scorer.

namespace bench {

inline double product(int64_t m, int64_t n, int64_t k) { return 2.0 * double(m) * double(n) * double(k); }

// A and B: GRU encoder in both directions, H/2 each; additive scorer; GRU decoder fed [embedding; context]
// (Bahdanau et al. 2014); logits from tanh(W [context; state]). Trained by Adam on one batch.
struct Translation {
  const char* name;
  int64_t hidden, embed, vocabulary, batch, source, target;

  // A product in the forward costs two more in the backward, of its size each.
  [[nodiscard]] double flop() const {
    const int64_t h = hidden, s = batch * source, t = batch * target, half = h / 2;
    const double encoder = 2 * (product(s, 3 * half, embed) + product(s, 3 * half, half));
    const double scorer =
        product(s, h, h) + product(t, h, h) + product(t, source, h);  // keys, queries, context
    const double decoder = product(t, 3 * h, embed + h) + product(t, 3 * h, h);
    const double rest = product(batch, h, h) + product(t, h, 2 * h) + product(t, vocabulary, h);
    return 3 * (encoder + scorer + decoder + rest);
  }
};
inline constexpr Translation translations[] = {
    {"A", 64, 32, 16, 32, 12, 13},
    {"B", 256, 128, 64, 64, 24, 25},
};
inline constexpr double adam_lr = 1e-4;   // small: thousands of steps on one batch have to stay ordinary ones
inline constexpr int checked_steps = 10;  // the loss of the last of them is what engines have to agree on

// C: GPT-2's shape without biases, output tied to the embedding, exact GELU, learned positions; AdamW.
struct LanguageModel {
  int64_t layers = 4, heads = 4, size = 128, block = 64, batch = 12, vocabulary = 65;
  double weight_decay = 1e-2;

  // 12 size^2 weights a layer, q k^T and weights v over all pairs, the output.
  [[nodiscard]] double flop() const {
    const int64_t n = batch * block;
    const double layer = product(n, 12 * size, size) + 2 * product(n, block, size);
    return 3 * (double(layers) * layer + product(n, vocabulary, size));
  }
};

// D: softmax(q k^T / sqrt(E)) v, forward and backward, of (B, T, H E).
struct Attention {
  std::string name;
  int64_t length;
  bool causal;
  int64_t batch = 4, heads = 8, width = 64;

  [[nodiscard]] int64_t size() const { return batch * length * heads * width; }
  // Six products, of which a causal mask leaves half.
  [[nodiscard]] double flop() const {
    return (causal ? 3 : 6) * double(batch * heads) * product(length, length, width);
  }
};
inline std::vector<Attention> attentions() {
  return {{"D-512", 512, false},
          {"D-512-causal", 512, true},
          {"D-2048", 2048, false},
          {"D-2048-causal", 2048, true}};
}

// E: steps of x = tanh(x w + b) on one element.
inline constexpr int chain_steps = 1000, chain_ops = 3 * chain_steps;
inline constexpr float chain_w = 0.9F, chain_b = 0.1F, chain_x = 0.5F;

// F: rows, and elements of a map.
inline constexpr int64_t rows = 4096, columns = 512, elements = 1'000'000;
inline constexpr float row_scale = 4;  // arguments in [-4, 4)
inline constexpr double row_bytes = 4.0 * double(rows * columns), element_bytes = 4.0 * double(elements);

// G: C = A B, `count` of them, in float.
struct Product {
  std::string name;
  int64_t m, n, k, count = 1;

  [[nodiscard]] double flop() const { return double(count) * product(m, n, k); }
};
inline std::vector<Product> products() {
  std::vector<Product> list;
  for (const int64_t n : {32, 64, 128, 256, 512, 1024}) list.push_back({"G-" + std::to_string(n), n, n, n});
  list.push_back({"G-32x256x1024", 32, 256, 1024});
  list.push_back({"G-32x1024x256", 32, 1024, 256});
  list.push_back({"G-128x64", 64, 64, 64, 128});
  list.push_back({"G-32x192x64", 32, 192, 64});    // a step of A's decoder
  list.push_back({"G-64x768x256", 64, 768, 256});  // of B's
  return list;
}

// n floats that begin a cache line, as every engine allocates its own.
class Aligned {
 public:
  explicit Aligned(int64_t n) : lines_(size_t(n + 15) / 16) {}
  [[nodiscard]] float* data() { return lines_.data()->numbers; }

 private:
  struct alignas(64) Line {
    float numbers[16];
  };
  std::vector<Line> lines_;
};

// What a product multiplies, and where to.
struct Matrices {
  explicit Matrices(const Product& p) : p(p), a(p.count * p.m * p.k), b(p.count * p.k * p.n), c(results()) {
    fill(a.data(), p.count * p.m * p.k, 1, 1);
    fill(b.data(), p.count * p.k * p.n, 2, 1);
  }
  const float* a_of(int64_t i) { return a.data() + i * p.m * p.k; }
  const float* b_of(int64_t i) { return b.data() + i * p.k * p.n; }
  float* c_of(int64_t i) { return c.data() + i * p.m * p.n; }
  double digest() { return bench::digest(c.data(), results()); }
  [[nodiscard]] int64_t results() const { return p.count * p.m * p.n; }

  Product p;
  Aligned a, b, c;
};

}  // namespace bench
