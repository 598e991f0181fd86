#pragma once

#include <span>
#include <vector>

#include "autograd/ids.hpp"
#include "autograd/random.hpp"
#include "autograd/tensor.hpp"

// EVERY op: the table of contents. Each has one home, ops/*.cpp, where its forward stands beside its
// backward. Letters: B batch, T time or target, S source or slots, D features, H heads, V vocabulary. Unless
// said otherwise an op takes any rank, has a gradient for every tensor argument, and throws Error when shapes
// do not fit. An axis may be negative: -1 is the last.

namespace heed::inline HEED_PRECISION {

// ---- ops/arithmetic.cpp: elementwise, shapes broadcast as in NumPy
Tensor add(const Tensor& a, const Tensor& b);  // a + b
Tensor sub(const Tensor& a, const Tensor& b);  // a - b
Tensor mul(const Tensor& a, const Tensor& b);  // a b
Tensor div(const Tensor& a, const Tensor& b);  // a / b
Tensor neg(const Tensor& x);                   // -x
Tensor scale(const Tensor& x, real factor);    // factor x
Tensor shift(const Tensor& x, real term);      // x + term
// condition != 0 ? a : b; three equal shapes
Tensor where(const Ids& condition, const Tensor& a, const Tensor& b);
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(const Tensor& x) { return neg(x); }

// ---- ops/elementwise.cpp: y_i = f(x_i)
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);  // natural; log 0 = -inf
Tensor sqrt(const Tensor& x);
Tensor pow(const Tensor& x, real exponent);  // as std::pow: x^0 = 1 for every x, NaN where x < 0 has no power
Tensor abs(const Tensor& x);                 // derivative 0 at 0
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);                     // 1 / (1 + e^-x)
Tensor relu(const Tensor& x);                        // max(x, 0); derivative 0 at 0
Tensor gelu(const Tensor& x);                        // x Phi(x), exact (Hendrycks & Gimpel 2016); -inf to -0
Tensor silu(const Tensor& x);                        // x sigmoid(x) (Elfwing et al. 2017); -inf to -0
Tensor softplus(const Tensor& x);                    // log(1 + e^x)
Tensor clamp(const Tensor& x, real low, real high);  // min(max(x, low), high); derivative 1 at the bounds
// Each element becomes 0 with probability p, else x / (1 - p) (Srivastava et al. 2014). 0 <= p < 1.
Tensor dropout(const Tensor& x, real p, Rng& rng);

// ---- ops/reduce.cpp: over one axis, which disappears unless `keep`; or over everything, to a scalar
Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, int axis, bool keep = false);
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, int axis, bool keep = false);
Tensor max(const Tensor& x);  // the gradient goes to the first of equals
Tensor max(const Tensor& x, int axis, bool keep = false);
Tensor min(const Tensor& x);
Tensor min(const Tensor& x, int axis, bool keep = false);
// Over several axes, in any order, none twice: one reduction after the other. Over none: x itself.
Tensor sum(const Tensor& x, std::initializer_list<int> axes, bool keep = false);
Tensor mean(const Tensor& x, std::initializer_list<int> axes, bool keep = false);
Tensor max(const Tensor& x, std::initializer_list<int> axes, bool keep = false);
Tensor min(const Tensor& x, std::initializer_list<int> axes, bool keep = false);
// y_k = x_0 + ... + x_k along the axis, which stays; exclusive: without x_k.
Tensor cumsum(const Tensor& x, int axis, bool exclusive = false);
// Without gradient, over the last axis, which disappears: the index of the first largest element. NaN is
// larger than any number, here and in top_k.
Ids argmax(const Tensor& x);
// Without gradient, over the last axis of size n, which becomes k: the k largest, falling; ties by index.
// 1 <= k <= n.
struct TopK {
  Tensor values;
  Ids indices;
};
TopK top_k(const Tensor& x, int64_t k);

// ---- ops/shape.cpp: the same numbers elsewhere (Tensor::reshape needs no copy and lives on Tensor)
Tensor permute(const Tensor& x, std::span<const int> axes);           // axis i of the result is axes[i] of x
Tensor transpose(const Tensor& x, int a = -2, int b = -1);            // swaps two axes
Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end);  // [begin, end) of an axis
Tensor select(const Tensor& x, int axis, int64_t index);              // one index; the axis disappears
Tensor concat(std::span<const Tensor> parts, int axis);               // end to end along an axis
Tensor stack(std::span<const Tensor> parts, int axis);                // along a new axis
// The inverse of concat; the sizes add up to the axis.
TensorList split(const Tensor& x, int axis, std::span<const int64_t> sizes);
Tensor pad(const Tensor& x, int axis, int64_t before, int64_t after, real value = 0);  // lengthens an axis
Tensor expand(const Tensor& x, Shape shape);  // repeats axes of size 1 (and missing ones, at the left)
// What a convolution over time sees at each step, K = width, side by side: x (B, T, C) -> (B, T, K C),
// y[b, t, k C + c] = x[b, t - before + k dilation, c], 0 outside of x.
Tensor windows(const Tensor& x, int64_t width, int64_t dilation, int64_t before);
inline Tensor permute(const Tensor& x, std::initializer_list<int> axes) {
  return permute(x, std::span(axes.begin(), axes.size()));
}
inline Tensor concat(std::initializer_list<Tensor> parts, int axis) {
  return concat(std::span(parts.begin(), parts.size()), axis);
}
inline Tensor stack(std::initializer_list<Tensor> parts, int axis) {
  return stack(std::span(parts.begin(), parts.size()), axis);
}

// ---- ops/index.cpp: rows by number; an index outside its range throws, naming it and its place
Tensor embedding(const Tensor& table, const Ids& ids);               // (V, D)[ids (...)] -> (..., D)
Tensor select_rows(const Tensor& x, std::span<const int32_t> rows);  // x[rows] along axis 0
Tensor gather(const Tensor& x, const Ids& indices);  // last axis: y[..., i] = x[..., indices[..., i]]
// y_btv = sum over the slots s with ids_bs = v of x_bts: x (B, T, S), ids (B, S) -> (B, T, V). What a query
// gives to slots becomes what it gives to words. A slot of id -1 counts nowhere, its gradient is 0; a slot
// that a mask hides has weight 0 and adds nothing under any id.
Tensor scatter_sum(const Tensor& x, const Ids& ids, int64_t classes);
Tensor one_hot(const Ids& ids, int64_t classes);  // (...) -> (..., classes), without gradient; -1: all 0
// Without gradient, over the last axis, which disappears: i with probability weights_i / sum weights; -1
// where all are 0. One uniform per row. Throws on a weight that is negative or not finite.
Ids sample(const Tensor& weights, Rng& rng);

// ---- ops/matmul.cpp
struct Transposed {
  bool a = false;  // a is stored transposed: (K, M)
  bool b = false;  // b is stored transposed: (N, K)
};
// a b: (M, K) (K, N) -> (M, N); (..., M, K) (..., K, N) with equal leading sizes -> (..., M, N);
// (..., M, K) (K, N) -> (..., M, N). Without copies in all four transpositions.
Tensor matmul(const Tensor& a, const Tensor& b, Transposed transposed = {});
// x W^T + bias: (..., I) (O, I) (O) -> (..., O), torch.nn.Linear's layout. An undefined bias counts as 0.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// ---- ops/softmax.cpp: over the last axis. A (B, S) or (B, T, S) or (B, H, T, S) tensor of scores may take a
// Mask over its slots S: a hidden slot gets weight exactly 0 and gradient exactly 0; a row whose every slot
// is hidden gives weights 0. log_softmax gives hidden slots -inf, with gradient 0. e^score_s is taken
// relative to the row's largest score and never subnormal: a score that is lower by 87.4 or more (double:
// 708.4) gets weight exactly 0 from softmax, and with it gradient 0; log_softmax still gives its logarithm.
Tensor softmax(const Tensor& scores, const Mask& mask = {});
Tensor log_softmax(const Tensor& scores, const Mask& mask = {});

// ---- ops/sparse.cpp: as softmax, masks too, but low scores z get weight exactly 0; tau makes the sum 1
// [z - tau]_+ (Martins & Astudillo 2016, alg. 1)
Tensor sparsemax(const Tensor& scores, const Mask& mask = {});
// [z / 2 - tau]_+^2 (Peters et al. 2019, alg. 2)
Tensor entmax15(const Tensor& scores, const Mask& mask = {});
// [(alpha - 1) z - tau]_+ ^ (1 / (alpha - 1)), alpha one number >= 1, with its gradient too (Correia et al.
// 2019, proposition 1): softmax at 1, entmax15 at 1.5, sparsemax at 2. By bisection: slow.
Tensor entmax(const Tensor& scores, const Tensor& alpha, const Mask& mask = {});

// ---- ops/monotonic.cpp: query t looks at slot after slot from where query t - 1 stopped, and stops at slot
// s with probability p_ts: the probability a_ts that it stops there at all (Raffel et al. 2017, eq. 9).
// p (B, T, S), first (B, S): where the query before the first stopped -> (B, T, S). Rows sum to 1 less what
// ran past the last slot. By the recursion of eq. 13 and 14; exact for every p.
Tensor monotonic(const Tensor& p, const Tensor& first);
// The same by cumulative sums and products, p_t c_t cumsum(a_t-1 / c_t), c_ts = prod_r<s (1 - p_tr) (appendix
// C.1): for reading. Where c underflows, or a p is 1, it gives NaN.
Tensor monotonic_parallel(const Tensor& p, const Tensor& first);

// ---- ops/norm.cpp: over the last axis; gamma and beta are (D) or undefined
// (x - mean) / sqrt(var + eps) gamma + beta (Ba et al. 2016)
Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, real eps = real(1e-5));
// x / sqrt(mean(x^2) + eps) gamma (Zhang & Sennrich 2019)
Tensor rms_norm(const Tensor& x, const Tensor& gamma, real eps = real(1e-5));

// ---- ops/loss.cpp: scalars
struct CrossEntropy {
  int32_t ignore = -1;  // targets of this value count neither in the sum nor in the mean
  // e: the target distribution is (1 - e) one-hot + e uniform (Szegedy et al. 2016, section 7)
  real label_smoothing = 0;
  bool mean = true;  // over the targets that count; false: the sum
};
// -sum_v q_v log softmax(logits)_v with q the target's distribution: logits (..., V), targets (...).
// 0 when every target is ignored. Throws on a target outside [0, V) other than `ignore`.
Tensor cross_entropy(const Tensor& logits, const Ids& targets, const CrossEntropy& options = {});
Tensor mse(const Tensor& x, const Tensor& target);  // mean (x - target)^2

// ---- ops/recurrent.cpp: whole sequences at once: the products with the input are hoisted out of the time
// loop by the caller, those of the weight gradients by the backward.
enum class Cell { rnn, gru, lstm };
// Of one cell: the gates' rows in its weights (1, 3 or 4 times H), and the reals in its state:
// rnn and gru (B, H): h; lstm (B, 2H): h | c.
int64_t gates(Cell cell);
int64_t state_parts(Cell cell);
struct Sequence {
  std::span<const int32_t> lengths = {};  // (B): after its length a row keeps its state; none: all T
  bool backward = false;                  // from the last time step to the first
};
// x_gates (B, T, G H) = W_ih x + b_ih; state (B, P H); weight_hh (G H, H); bias_hh (G H) or undefined.
// -> the states (B, T, P H), by torch.nn's formulas in its gate order (GRU r, z, n; LSTM i, f, g, o).
Tensor recurrent(Cell cell, const Tensor& x_gates, const Tensor& state, const Tensor& weight_hh,
                 const Tensor& bias_hh, const Sequence& sequence = {});

// ---- ops/additive_scores.cpp: one op for what is memory-bound when composed; the composition is in the tests
// score_bts = v . tanh(q_bt + k_bs): q (B, T, A), k (B, S, A), v (A) -> (B, T, S) (Bahdanau et al. 2014,
// A.1.2). The tanh layer, (B, T, S, A), is never stored. Slots that the mask hides may hold any finite score.
Tensor additive_scores(const Tensor& q, const Tensor& k, const Tensor& v, const Mask& mask = {});

// ---- ops/attention.cpp: likewise. How the heads look, and what they know of distance.
struct DotAttention {
  int64_t heads = 1;     // H: equal parts of the features
  int64_t kv_heads = 0;  // G: head h reads keys and values of part h G / H (Ainslie et al. 2023); 0: H
  real scale = 1;
  // Query t stands at slot p = first + t. Its distance to slot s, clipped: r = clip(s - p, -R, R) + R. Where
  // given, a (2R + 1, E) is added to keys and b (2R + 1, F) to values (Shaw et al. 2018, eq. 3 to 5):
  //   score_s = scale q . (k_s + a_r),  context = sum_s weight_s (v_s + b_r)
  // and slopes m (H), constants, take m_h |s - p| from the scores of head h (Press et al. 2022).
  int64_t first = 0;
  Tensor key_offsets = {}, value_offsets = {}, slopes = {};
};
// softmax(scale q k^T) v in each head (Vaswani et al. 2017, eq. 1): q (B, T, H E), k (B, S, G E),
// v (B, S, G F) -> (B, T, H F). Heads are addressed, never permuted. `weights`, if given, receives
// (B, H, T, S) without a graph.
Tensor dot_attention(const Tensor& q, const Tensor& k, const Tensor& v, const DotAttention& how,
                     const Mask& mask = {}, Tensor* weights = nullptr);
inline Tensor dot_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads, real scale,
                            const Mask& mask = {}, Tensor* weights = nullptr) {
  return dot_attention(q, k, v, {.heads = heads, .scale = scale}, mask, weights);
}

// ---- ops/rotary.cpp: x (B, T, H E), E even, whose token t stands at p = first + t: in each head the pair
// (x_2i, x_2i+1) is turned by the angle p base^(-2i/E) (Su et al. 2021, eq. 34). Turned queries and keys have
// scores that depend on their distance alone.
Tensor rotary(const Tensor& x, int64_t heads, int64_t first = 0, double base = 10000);

}  // namespace heed::inline HEED_PRECISION
