#pragma once

#include "autograd/kernels/gemm_micro.hpp"
#include "autograd/kernels/parallel.hpp"
#include "autograd/kernels/scratch.hpp"

// C = alpha op(A) op(B), as in Goto & van de Geijn (2008), "Anatomy of high-performance matrix
// multiplication": a tile of C lives in registers, a panel of B in the first-level cache, a block of A in the
// second. Operands that are used often are first copied ("packed") in the order in which tiles read them;
// small ones are read in place. Everything that could change a rounding, the path and the blocks along k,
// follows from (m, n, k) alone, never from a thread's share.

namespace heed::kernels {

template <class B>
struct Gemm {
  using T = Value<B>;
  static constexpr int64_t W = B::size;
  // A tile: its sums, 2 registers of B and 1 element of A fill 16 registers, or 31 of the 32 of AVX-512.
  static constexpr int64_t kRows = sizeof(B) == 64 ? 14 : 6, kCols = 2 * W;
  static constexpr int64_t kStride = kRows <= 8 ? 8 : 16;  // rows of a packed A, padded for whole registers
  static constexpr int64_t kBlockM = 96, kBlockK = 256, kBlockN = 1024;

  int64_t m, n, k;
  Matrix<B> a, b;
  Target<B> c;
  bool pack_a, pack_b;

  static constexpr int64_t least(int64_t x, int64_t y) noexcept { return x < y ? x : y; }
  static constexpr int64_t ceil_div(int64_t x, int64_t y) noexcept { return (x + y - 1) / y; }

  // ---- packing

  // Calls put(j, register) with the columns j of x, `rows` of W lanes, the others 0; x is contiguous along j.
  template <class Put>
  HEED_INLINE static void transpose_block(Matrix<B> x, int64_t rows, int64_t cols, Put put) noexcept {
    B r[W];
    if (rows >= W && cols >= W) {
      unroll<W>([&](auto i) __attribute__((always_inline)) { r[i] = B::load_unaligned(x.p + i * x.row); });
      transpose(r);
      unroll<W>([&](auto j) __attribute__((always_inline)) { put(j, r[j]); });
      return;
    }
    unroll<W>([&](auto i) __attribute__((always_inline)) {
      const T* from = x.p + i * x.row;
      r[i] = i >= rows ? B(0) : cols >= W ? B::load_unaligned(from) : Part<B>{cols}.load(from);
    });
    transpose(r);
    unroll<W>([&](auto j) __attribute__((always_inline)) {
      if (j < cols) put(j, r[j]);
    });
  }

  // out[j * out_row + i] = x(i, j): `rows` rows, rounded up to a multiple of W, and `cols` columns, of which
  // either the rows or the columns are contiguous. x has `readable` >= `rows` rows from here on.
  static void pack(Matrix<B> x, int64_t rows, int64_t readable, int64_t cols, T* out,
                   int64_t out_row) noexcept {
    if (x.row == 1) {
      const int64_t whole = least(rows + W - 1, readable) / W * W;
      for (int64_t j = 0; j < cols; ++j) {
        const T* from = x.p + j * x.col;
        T* to = out + j * out_row;
        int64_t i = 0;
        for (; i < whole; i += W) B::load_unaligned(from + i).store_unaligned(to + i);
        if (i < rows) Part<B>{readable - i}.load(from + i).store_unaligned(to + i);
      }
      return;
    }
    for (int64_t i = 0; i < rows; i += W) {
      for (int64_t j = 0; j < cols; j += W) {
        T* to = out + i + j * out_row;
        transpose_block(x.at(i, j), readable - i, cols - j,
                        [&](int64_t q, const B& v) { v.store_unaligned(to + q * out_row); });
      }
    }
  }

  // ---- blocks

  // Finds the tile of that height. Those wider than two registers are for at most 3 rows.
  template <int V, int R = (V <= 2 ? kRows : 3)>
  static void run_tile(int64_t rows, int64_t k, const Matrix<B>& a, const Matrix<B>& b, const Target<B>& c,
                       int64_t cols) noexcept {
    if (rows == R) return tile<B, R, V>(k, a, b, c, cols);
    if constexpr (R > 1) run_tile<V, R - 1>(rows, k, a, b, c, cols);
  }

  // A strip of columns of C: all rows of a block with at most V registers of columns. Rows are dealt out
  // evenly, 32 as 6 6 5 5 5 5: a last tile of 2 rows would leave the multipliers waiting for each other.
  template <int V>
  static void strip(int64_t rows, int64_t depth, const Matrix<B>& a, const T* packed, const Matrix<B>& b,
                    const Target<B>& c, int64_t cols) noexcept {
    const int64_t tiles = ceil_div(rows, kRows), low = rows / tiles, higher = rows % tiles;
    for (int64_t t = 0, i = 0, height; t < tiles; ++t, i += height) {
      height = low + (t < higher);
      const Matrix<B> left =
          packed != nullptr ? Matrix<B>{packed + t * kStride * depth, 1, kStride} : a.at(i, 0);
      run_tile<V>(height, depth, left, b, c.at(i, 0), cols);
    }
  }

  // C[rows, cols] += A[rows, depth] B[depth, cols] for a block of B that is packed, or small.
  void block(int64_t rows, int64_t cols, int64_t depth, Matrix<B> left, Matrix<B> right, T* panels,
             bool first, Target<B> out, int64_t readable_rows, int64_t readable_cols) const noexcept {
    const T* packed = nullptr;
    if (pack_a) {
      const int64_t tiles = ceil_div(rows, kRows), low = rows / tiles, higher = rows % tiles;
      T* to = static_cast<T*>(scratch(Scratch::left, sizeof(T) * tiles * kStride * depth));
      for (int64_t t = 0, i = 0, height; t < tiles; ++t, i += height) {
        height = low + (t < higher);
        pack(left.at(i, 0), height, readable_rows - i, depth, to + t * kStride * depth, kStride);
      }
      packed = to;
    }
    int64_t j = 0;
    if (panels == nullptr) {  // B in place: whole registers; the remaining columns follow as a packed panel
      if (rows <= 3) {
        for (; j + 4 * W <= cols; j += 4 * W)
          strip<4>(rows, depth, left, packed, right.at(0, j), out.at(0, j), 4 * W);
      }
      for (; j + 2 * W <= cols; j += 2 * W)
        strip<2>(rows, depth, left, packed, right.at(0, j), out.at(0, j), 2 * W);
      for (; j + W <= cols; j += W) strip<1>(rows, depth, left, packed, right.at(0, j), out.at(0, j), W);
      if (j == cols) return;
      T* to = static_cast<T*>(scratch(Scratch::right, sizeof(T) * W * depth));
      const Matrix<B> tail = right.at(0, j);
      pack({tail.p, tail.col, tail.row}, cols - j, cols - j, depth, to, W);
      strip<1>(rows, depth, left, packed, {to, W, 1}, out.at(0, j), cols - j);
      return;
    }
    for (; j < cols; j += kCols) {
      const Matrix<B> panel{panels + j * depth, kCols, 1};
      const int64_t width = least(kCols, cols - j);
      if (first) {
        const Matrix<B> from = right.at(0, j);
        pack({from.p, from.col, from.row}, width, readable_cols - j, depth, panels + j * depth, kCols);
      }
      if (width > W) {
        strip<2>(rows, depth, left, packed, panel, out.at(0, j), width);
      } else {
        strip<1>(rows, depth, left, packed, panel, out.at(0, j), width);
      }
    }
  }

  // The part of C with rows [i0, i1) and columns [j0, j1).
  void run(int64_t i0, int64_t i1, int64_t j0, int64_t j1) const noexcept {
    const int64_t blocks = ceil_div(k, kBlockK);
    for (int64_t j = j0; j < j1; j += kBlockN) {
      const int64_t cols = least(kBlockN, j1 - j);
      for (int64_t t = 0; t < blocks; ++t) {
        const int64_t p = k * t / blocks, depth = k * (t + 1) / blocks - p;
        T* panels = nullptr;
        if (pack_b) {
          panels =
              static_cast<T*>(scratch(Scratch::right, sizeof(T) * ceil_div(cols, kCols) * kCols * depth));
        }
        Target<B> out = c;
        out.accumulate = c.accumulate || t > 0;
        for (int64_t i = i0; i < i1; i += kBlockM) {
          block(least(kBlockM, i1 - i), cols, depth, a.at(i, p), b.at(p, j), panels, i == i0, out.at(i, j),
                m - i, n - j);
        }
      }
    }
  }

  // ---- few rows (or, transposed, few columns): dot products

  // C(i, j) = alpha sum_p A(i, p) B(p, j) at c[i c_row + j c_col], where B is contiguous along k.
  static void run_dots(int64_t m, int64_t n, int64_t k, Matrix<B> a, Matrix<B> b, T* c, int64_t c_row,
                       int64_t c_col, T alpha, bool accumulate) noexcept {
    if (a.col != 1) {  // few rows: copy them so that they are contiguous too
      T* to = static_cast<T*>(scratch(Scratch::left, sizeof(T) * m * k));
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t p = 0; p < k; ++p) to[i * k + p] = a.p[i * a.row + p * a.col];
      }
      a = {to, k, 1};
    }
    int64_t i = 0;
    for (; i + 2 <= m; i += 2) {
      for (int64_t j = 0; j < n; j += kDots<B> / 2) {
        dot_tile<B, 2>(k, a.at(i, 0), b.at(0, j), c + i * c_row + j * c_col, c_row, c_col, alpha, accumulate,
                       least(kDots<B> / 2, n - j));
      }
    }
    if (i == m) return;
    for (int64_t j = 0; j < n; j += kDots<B>) {
      dot_tile<B, 1>(k, a.at(i, 0), b.at(0, j), c + i * c_row + j * c_col, c_row, c_col, alpha, accumulate,
                     least(kDots<B>, n - j));
    }
  }

  // ---- some rows: C^T = B^T A^T, where B^T and A are contiguous along k

  // Columns [j0, j1) of C. Its tiles take elements from B as it stands; transposing A before the product and
  // C after it moves less than transposing all of B would.
  void run_turned(int64_t j0, int64_t j1) const noexcept {
    for (int64_t j = j0; j < j1; j += kBlockN) {
      const int64_t cols = least(kBlockN, j1 - j);
      T* turned = static_cast<T*>(scratch(Scratch::turned, sizeof(T) * m * cols));
      const Matrix<B> left{b.p + j * b.col, b.col, 1}, right{a.p, 1, a.row};
      const Gemm g{cols, m, k, left, right, {turned, m, 1, false}, false, true};
      g.run(0, cols, 0, m);
      for (int64_t q = 0; q < cols; q += W) {
        for (int64_t i = 0; i < m; i += W) {
          transpose_block({turned + q * m + i, m, 1}, cols - q, m - i, [&](int64_t r, const B& v) {
            if (cols - q >= W) {
              c.put(Full<B>{}, i + r, j + q, v);
            } else {
              c.put(Part<B>{cols - q}, i + r, j + q, v);
            }
          });
        }
      }
    }
  }
};

template <class B>
void gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, Value<B> alpha, const Value<B>* a,
          int64_t lda, const Value<B>* b, int64_t ldb, bool accumulate, Value<B>* c, int64_t ldc) noexcept {
  using G = Gemm<B>;
  using T = Value<B>;
  if (m == 0 || n == 0 || (k == 0 && accumulate)) return;
  if (k == 0) {  // an empty sum; A and B may be null
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = 0;
    }
    return;
  }
  const Matrix<B> left = trans_a ? Matrix<B>{a, 1, lda} : Matrix<B>{a, lda, 1};
  const Matrix<B> right = trans_b ? Matrix<B>{b, 1, ldb} : Matrix<B>{b, ldb, 1};
  const int64_t flops = 2 * m * n * k;
  const int64_t grain_flops = 2'000'000;  // 20 us

  // So few rows that a packed B would not pay, or so few columns that most of a register would be empty:
  // these bounds are where the two paths measured alike.
  if (trans_b && m <= 2 && k >= 8 * m) {
    parallel_for(n, 8 * G::ceil_div(grain_flops, 8 * (2 * m * k + 1)), [&](int64_t j0, int64_t j1) {
      G::run_dots(m, j1 - j0, k, left, right.at(0, j0), c + j0, ldc, 1, alpha, accumulate);
    });
    return;
  }
  if (!trans_a && n <= 4 && k >= 8 * n) {
    parallel_for(m, G::ceil_div(grain_flops, 2 * n * k + 1), [&](int64_t i0, int64_t i1) {
      G::run_dots(n, i1 - i0, k, {right.p, right.col, right.row}, {left.p + i0 * lda, 1, lda}, c + i0 * ldc,
                  1, ldc, alpha, accumulate);
    });
    return;
  }

  const int64_t bytes_a = m * k * int64_t(sizeof(T)), bytes_b = k * n * int64_t(sizeof(T));
  // Packing A pays when many columns reuse it and it does not lie in the second-level cache anyway, B when
  // many rows reuse it and it leaves the first.
  const bool pack_a = bytes_a > 262144 && n >= 256, pack_b = trans_b || (bytes_b > 32768 && m > 128);
  const G g{m, n, k, left, right, {c, ldc, alpha, accumulate}, pack_a, pack_b};
  // Whole registers of rows, and fewer elements of A and C to transpose than of B.
  if (!trans_a && trans_b && m <= 64 && m % G::W == 0 && m * (n + k) < n * k) {
    return parallel_for(n, G::ceil_div(grain_flops, 2 * m * k),
                        [&](int64_t j0, int64_t j1) { g.run_turned(j0, j1); });
  }
  if (flops < 2 * grain_flops) return g.run(0, m, 0, n);
  if (m >= n) {
    const int64_t units = G::ceil_div(m, G::kRows);
    parallel_for(units, G::ceil_div(grain_flops * units, flops),
                 [&](int64_t u0, int64_t u1) { g.run(u0 * G::kRows, G::least(m, u1 * G::kRows), 0, n); });
  } else {
    const int64_t units = G::ceil_div(n, G::kCols);
    parallel_for(units, G::ceil_div(grain_flops * units, flops),
                 [&](int64_t u0, int64_t u1) { g.run(0, m, u0 * G::kCols, G::least(n, u1 * G::kCols)); });
  }
}

template <class B>
void transpose_matrix(const Value<B>* x, int64_t ldx, int64_t rows, int64_t cols, Value<B>* y,
                      int64_t ldy) noexcept {
  Gemm<B>::pack({x, ldx, 1}, rows, rows, cols, y, ldy);
}

}  // namespace heed::kernels
