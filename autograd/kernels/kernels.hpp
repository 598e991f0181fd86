#pragma once

#include <cstdint>

// Every SIMD kernel, as a table of function pointers that is filled once per architecture. Kernels work on
// raw pointers and sizes, know nothing of tensors or gradients, check nothing and never throw.
//
// Sizes: n is the length of an array or of one row, whose elements are contiguous; `rows` or, where the rows
// are keys, s is how many rows stand one behind the other. Indices: i, j elements; r rows; c columns. A
// product has its own m, n, k.
//
// Suffix _backward: ADDS the gradient into d..., one with a flag `add` only if that is true (else it ASSIGNS
// dx or dgi, which may hold anything); every other kernel ASSIGNS its output. The output may be an
// input's array if both have the same size; arrays that overlap otherwise are not allowed.

namespace heed::kernels {

template <class T>
struct Table {
  const char* arch;  // "sse2", "avx2", "avx512", "neon64"

  // ---- maps: y_i = f(x_i), n elements
  void (*exp)(const T* x, T* y, int64_t n) noexcept;
  void (*log)(const T* x, T* y, int64_t n) noexcept;
  void (*tanh)(const T* x, T* y, int64_t n) noexcept;
  void (*sigmoid)(const T* x, T* y, int64_t n) noexcept;  // 1 / (1 + e^-x)
  void (*erf)(const T* x, T* y, int64_t n) noexcept;
  void (*relu)(const T* x, T* y, int64_t n) noexcept;      // max(x, 0), NaN stays NaN
  void (*gelu)(const T* x, T* y, int64_t n) noexcept;      // x/2 (1 + erf(x / sqrt 2))
  void (*silu)(const T* x, T* y, int64_t n) noexcept;      // x sigmoid(x)
  void (*softplus)(const T* x, T* y, int64_t n) noexcept;  // log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)

  // ---- their gradients: dx_i += dy_i f'(x_i); some from y, some from x
  void (*tanh_backward)(const T* y, const T* dy, T* dx, int64_t n) noexcept;      // (1 - y^2) dy
  void (*sigmoid_backward)(const T* y, const T* dy, T* dx, int64_t n) noexcept;   // y (1 - y) dy
  void (*relu_backward)(const T* x, const T* dy, T* dx, int64_t n) noexcept;      // dy where x > 0
  void (*gelu_backward)(const T* x, const T* dy, T* dx, int64_t n) noexcept;      // (Phi(x) + x phi(x)) dy
  void (*silu_backward)(const T* x, const T* dy, T* dx, int64_t n) noexcept;      // s (1 + x (1 - s)) dy
  void (*softplus_backward)(const T* x, const T* dy, T* dx, int64_t n) noexcept;  // sigmoid(x) dy

  // ---- arithmetic on n elements
  void (*add)(const T* a, const T* b, T* y, int64_t n) noexcept;
  void (*sub)(const T* a, const T* b, T* y, int64_t n) noexcept;
  void (*mul)(const T* a, const T* b, T* y, int64_t n) noexcept;
  void (*div)(const T* a, const T* b, T* y, int64_t n) noexcept;
  void (*scale)(T alpha, const T* x, T* y, int64_t n) noexcept;       // y = alpha x
  void (*axpy)(T alpha, const T* x, T* y, int64_t n) noexcept;        // y += alpha x
  void (*mul_add)(const T* a, const T* b, T* y, int64_t n) noexcept;  // y += a b

  // ---- dropout: y_i = m_i x_i. m_i = 0 if number counter + i of the stream `key` (philox.hpp), 32 bits, is
  // below `dropped`, else `kept`.
  void (*dropout)(uint64_t key, uint64_t counter, uint32_t dropped, T kept, const T* x, T* y,
                  int64_t n) noexcept;
  // dx_i += m_i dy_i
  void (*dropout_backward)(uint64_t key, uint64_t counter, uint32_t dropped, T kept, const T* dy, T* dx,
                           int64_t n) noexcept;

  // ---- reductions over n elements (in a fixed order for a given n)
  T (*sum)(const T* x, int64_t n) noexcept;
  T (*dot)(const T* a, const T* b, int64_t n) noexcept;
  T (*max)(const T* x, int64_t n) noexcept;               // -inf for n = 0; NaN if any is NaN
  double (*sum_squares)(const T* x, int64_t n) noexcept;  // in double

  // ---- rows: x is (rows, n)
  // y_rc = x_rc + bias_c
  void (*add_to_rows)(const T* x, const T* bias, T* y, int64_t rows, int64_t n) noexcept;
  // y_c += sum_r x_rc
  void (*sum_rows)(const T* x, T* y, int64_t rows, int64_t n) noexcept;

  // ---- softmax of one row of n scores. seen: null, or n bytes; a slot whose byte is 0 has weight exactly 0.
  // A row without a seen slot gives all zeros. Exponentials that would be subnormal count as 0. y may be x.
  void (*softmax)(const T* x, const uint8_t* seen, T* y, int64_t n) noexcept;
  // y = softmax(x)  =>  dx_j += y_j (dy_j - sum_i y_i dy_i)
  void (*softmax_backward)(const T* y, const T* dy, bool add, T* dx, int64_t n) noexcept;
  // log of it; a slot not seen is -inf. Returns log sum exp (-inf when nothing is seen).
  T (*log_softmax)(const T* x, const uint8_t* seen, T* y, int64_t n) noexcept;
  // y = log softmax(x)  =>  dx_j += dy_j - e^y_j sum_i dy_i; where y_j = -inf nothing, and dy_j counts as 0
  void (*log_softmax_backward)(const T* y, const T* dy, bool add, T* dx, int64_t n) noexcept;

  // ---- cross entropy of one row of n logits against class `target`, with label smoothing e:
  // loss = lse - (1 - e) x_target - e/n sum_j x_j, lse = log sum_j e^x_j (returned through *lse)
  T (*cross_entropy)(const T* x, int64_t n, int64_t target, T smoothing, T* lse) noexcept;
  // dx_j += scale (e^(x_j - lse) - (1 - e) [j = target] - e/n)
  void (*cross_entropy_backward)(const T* x, T lse, int64_t n, int64_t target, T smoothing, T scale,
                                 T* dx) noexcept;

  // ---- normalization of one row: y = (x - mean) rstd gamma + beta, rstd = 1/sqrt(var + eps), var biased.
  // gamma and beta may be null (1 and 0).
  void (*layer_norm)(const T* x, const T* gamma, const T* beta, T eps, T* y, int64_t n, T* mean,
                     T* rstd) noexcept;
  // With xh = (x - mean) rstd, g = gamma dy:  dx += rstd (g - mean(g) - xh mean(g xh)); dgamma += dy xh;
  // dbeta += dy. Each of dx, dgamma, dbeta may be null.
  void (*layer_norm_backward)(const T* x, const T* gamma, const T* dy, T mean, T rstd, bool add, T* dx,
                              T* dgamma, T* dbeta, int64_t n) noexcept;
  // y = x rstd gamma, rstd = 1/sqrt(mean(x^2) + eps) (Zhang & Sennrich 2019). gamma may be null.
  void (*rms_norm)(const T* x, const T* gamma, T eps, T* y, int64_t n, T* rstd) noexcept;
  // With xh = x rstd, g = gamma dy:  dx += rstd (g - xh mean(g xh)); dgamma += dy xh. dx, dgamma may be null.
  void (*rms_norm_backward)(const T* x, const T* gamma, const T* dy, T rstd, bool add, T* dx, T* dgamma,
                            int64_t n) noexcept;

  // ---- gates of one row of a recurrent step, hidden size n; gi and gh are the input's and the state's share
  // of the pre-activations, in torch.nn's gate order.
  // GRU (r, z, n): r = s(gi_r + gh_r), z = s(gi_z + gh_z), c = tanh(gi_n + r gh_n), h' = (1 - z) c + z h.
  // saved: 4n reals, r | z | c | gh_n.
  void (*gru)(const T* gi, const T* gh, const T* h, T* h_next, T* saved, int64_t n) noexcept;
  // dh holds dL/dh' and becomes z dh', what reaches h beside W_hh. dgi (3n): `add` as above; dgh (3n) is
  // ASSIGNED.
  void (*gru_backward)(const T* saved, const T* h, bool add, T* dgi, T* dgh, T* dh, int64_t n) noexcept;
  // LSTM (i, f, g, o): c' = s(f) c + s(i) tanh(g), h' = s(o) tanh(c').
  // saved: 5n reals, i | f | g | o | tanh c'.
  void (*lstm)(const T* gi, const T* gh, const T* c, T* h_next, T* c_next, T* saved, int64_t n) noexcept;
  // dh and dc hold dL/dh' and dL/dc'; dh becomes 0, dc what reaches c. dgi (4n): `add` as above; dgh (4n) is
  // ASSIGNED.
  void (*lstm_backward)(const T* saved, const T* c, bool add, T* dgi, T* dgh, T* dh, T* dc,
                        int64_t n) noexcept;

  // ---- additive attention (Bahdanau et al. 2014, A.1.2): the score of one query for each of s keys,
  // score_j = v . tanh(q + k_j); q and v have n elements, k is (s, n)
  void (*additive)(const T* q, const T* k, const T* v, T* score, int64_t s, int64_t n) noexcept;
  // With t_j = tanh(q + k_j), u_j = dscore_j v (1 - t_j^2):
  //   dq += sum_j u_j, dk_j += u_j, dv += sum_j dscore_j t_j
  // Rows with dscore_j = 0 are skipped. Each of dq, dk, dv may be null.
  void (*additive_backward)(const T* q, const T* k, const T* v, const T* dscore, T* dq, T* dk, T* dv,
                            int64_t s, int64_t n) noexcept;

  // ---- attention in tiles (Dao et al. 2022): s holds a tile of scores, transposed: (keys, ld), a column for each of
  // `queries` queries. Query i sees key j if seen is null or seen[j] != 0, and limit is null or j < limit[i].
  // What runs along queries (a row of s, limit, top, ...) is readable and writable up to a whole register.
  //
  // One more tile of a softmax: top and total, -inf and 0 at first, are the largest score seen so far and the
  // sum of e^(score - top). Both are brought up to date, shrink = e^(old top - new top) is what earlier
  // weights are to be multiplied by, and s = e^(s - top). In the end weight = s / total, log sum exp = top +
  // log total.
  void (*attention)(T* s, int64_t ld, int64_t keys, int64_t queries, const uint8_t* seen, const T* limit,
                    T* top, T* total, T* shrink) noexcept;
  // Backward: with the log sum exp of each query and mean_i = sum_j p_ij dp_ij over all keys,
  //   s = p = e^(s - lse),  dp = p (dp - mean)
  void (*attention_backward)(T* s, T* dp, int64_t ld, int64_t keys, int64_t queries, const uint8_t* seen,
                             const T* limit, const T* lse, const T* mean) noexcept;

  // y (cols, ldy) = x^T for x (rows, ldx); writes up to the next multiple of 16 rows into each row of y,
  // which has room for it.
  void (*transpose)(const T* x, int64_t ldx, int64_t rows, int64_t cols, T* y, int64_t ldy) noexcept;

  // ---- C (m, n) = alpha op(A) op(B), or += when accumulate; row-major with row strides lda, ldb, ldc;
  // op(X) = X, or X^T when trans_x. The path and the blocks along k follow from (m, n, k) alone.
  // Splits over threads when the product is large. m, n or k = 0 is allowed.
  void (*gemm)(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
               const T* b, int64_t ldb, bool accumulate, T* c, int64_t ldc) noexcept;

  // ---- Adam (Kingma & Ba 2015, algorithm 1) with decoupled weight decay, n parameters, as torch.optim.AdamW:
  // m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p = p (1 - lr decay) - step m / (sqrt(v)/sqrt_c2 + eps).
  // step = lr / (1 - b1^t), sqrt_c2 = sqrt(1 - b2^t). Moments below the smallest normal number become 0.
  void (*adamw)(T* p, const T* g, T* m, T* v, int64_t n, T b1, T b2, T step, T sqrt_c2, T eps,
                T lr_decay) noexcept;

  // ---- the peak to measure products by: n multiply-adds x = a x + b in registers alone, n a multiple of 12
  // registers' lanes. Twelve chains, number c of which begins at c in all lanes; returns the sum of all.
  T (*multiply_adds)(int64_t n, T a, T b) noexcept;
};

// The table of the best architecture that this processor runs, or of the one that the environment variable
// HEED_ARCH names (an unknown or unsupported name ends the program with a sentence). Chosen once.
template <class T>
const Table<T>& table() noexcept;
template <>
const Table<float>& table<float>() noexcept;
template <>
const Table<double>& table<double>() noexcept;
// A given architecture's table; null if this build or this processor lacks it. For tests.
template <class T>
const Table<T>* table_of(const char* arch) noexcept;
template <>
const Table<float>* table_of<float>(const char* arch) noexcept;
template <>
const Table<double>* table_of<double>(const char* arch) noexcept;

}  // namespace heed::kernels
