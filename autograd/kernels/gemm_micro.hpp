#pragma once

#include <utility>

#include "autograd/kernels/vec.hpp"

// The innermost parts of a matrix product: a tile of C held in registers, and transposes between registers.

namespace heed::kernels {

// Calls f with the constants 0, 1, ..., N - 1: loops over registers must not survive into the code.
template <int N, class F>
HEED_INLINE void unroll(F&& f) noexcept {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, I>{}), ...);
  }
  (std::make_integer_sequence<int, N>{});
}

// op(A), op(B): element (i, j) stands at p[i * row + j * col].
template <class B>
struct Matrix {
  const Value<B>* p;
  int64_t row, col;

  HEED_INLINE Matrix at(int64_t i, int64_t j) const noexcept { return {p + i * row + j * col, row, col}; }
};

// Where a tile goes: C = alpha tile, or C += alpha tile.
template <class B>
struct Target {
  Value<B>* p;
  int64_t row;
  Value<B> alpha;
  bool accumulate;

  HEED_INLINE Target at(int64_t i, int64_t j) const noexcept {
    return {p + i * row + j, row, alpha, accumulate};
  }
  template <class IO>
  HEED_INLINE void put(IO io, int64_t i, int64_t j, const B& v) const noexcept {
    Value<B>* c = p + i * row + j;
    io.store(c, accumulate ? fused(B(alpha), v, io.load(c)) : B(alpha) * v);
  }
};

// Stores a tile at the right edge of C, where less than V registers of columns are left.
template <class B, int V>
[[gnu::noinline]] void put_edge(Target<B> c, const B* sum, int64_t rows, int64_t cols) noexcept {
  constexpr int64_t W = B::size;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; j += W) {
      const B& v = sum[i * V + j / W];
      if (cols - j >= W) {
        c.put(Full<B>{}, i, j, v);
      } else {
        c.put(Part<B>{cols - j}, i, j, v);
      }
    }
  }
}

// C (R, cols) = A (R, k) B (k, cols), cols <= V registers, all of C in R V registers. One step along k loads
// V registers of B and multiplies them with R broadcast elements of A. b holds V whole registers per row.
template <class B, int R, int V>
void tile(int64_t k, const Matrix<B>& a, const Matrix<B>& b, const Target<B>& c, int64_t cols) noexcept {
  constexpr int W = B::size;
  B sum[R][V];
  unroll<R * V>([&](auto i) __attribute__((always_inline)) { sum[i / V][i % V] = B(0); });
  // Rows of A are reached from every fourth: one pointer and R multiples of a.row would need R registers.
  const Value<B>*pa[(R + 3) / 4], *pb = b.p;
  unroll<(R + 3) / 4>([&](auto g) __attribute__((always_inline)) { pa[g] = a.p + 4 * g * a.row; });
  for (int r = 0; r < R; ++r) {  // where the sums will go
    for (int v = 0; v < V * W; v += 64 / int(sizeof(Value<B>))) __builtin_prefetch(c.p + r * c.row + v, 1);
  }
  for (int64_t p = 0; p < k; ++p, pb += b.row) {
    B row[V];
    unroll<V>([&](auto v) __attribute__((always_inline)) { row[v] = B::load_unaligned(pb + v * W); });
    unroll<R>([&](auto r) __attribute__((always_inline)) {
      const B element(pa[r / 4][r % 4 * a.row]);
      unroll<V>([&](auto v)
                    __attribute__((always_inline)) { sum[r][v] = fused(element, row[v], sum[r][v]); });
    });
    unroll<(R + 3) / 4>([&](auto g) __attribute__((always_inline)) {
      pa[g] += a.col;
      asm("" : "+r"(pa[g]));  // or g++ would undo it
    });
  }
  if (cols == V * W) {
    unroll<R * V>([&](auto i) __attribute__((always_inline)) {
      c.put(Full<B>{}, i / V, i % V * W, sum[i / V][i % V]);
    });
  } else {
    B copy[R * V];  // of sum, whose address must not be taken: it would leave the registers
    unroll<R * V>([&](auto i) __attribute__((always_inline)) { copy[i] = sum[i / V][i % V]; });
    put_edge<B, V>(c, copy, R, cols);
  }
}

// ---- transposes. Of registers a and b seen as rows of blocks of H lanes, `upper` takes the even blocks of
// a and b in turn, `lower` the odd ones: the 2 x 2 transpose of blocks.

template <int H, class B>
HEED_INLINE B upper(const B& a, const B& b) noexcept {
  return [&]<int... L>(std::integer_sequence<int, L...>) __attribute__((always_inline)) {
    return B(__builtin_shufflevector(a.data, b.data, ((L & H) == 0 ? L : L - H + int(B::size))...));
  }
  (std::make_integer_sequence<int, int(B::size)>{});
}

template <int H, class B>
HEED_INLINE B lower(const B& a, const B& b) noexcept {
  return [&]<int... L>(std::integer_sequence<int, L...>) __attribute__((always_inline)) {
    return B(__builtin_shufflevector(a.data, b.data, ((L & H) == 0 ? L + H : L + int(B::size))...));
  }
  (std::make_integer_sequence<int, int(B::size)>{});
}

// Transposes W registers of W lanes: halves, then quarters, ...
template <class B, int H = int(B::size) / 2>
HEED_INLINE void transpose(B* x) noexcept {
  if constexpr (H > 0) {
    unroll<int(B::size)>([&](auto r) __attribute__((always_inline)) {
      if constexpr ((r & H) == 0) {
        const B a = x[r], b = x[r + H];
        x[r] = upper<H>(a, b);
        x[r + H] = lower<H>(a, b);
      }
    });
    transpose<B, H / 2>(x);
  }
}

// The sums of W registers, each in its lane: adds where a transpose would only move.
template <class B, int H = int(B::size) / 2>
HEED_INLINE B sums(B* x) noexcept {
  if constexpr (H > 0) {
    unroll<H>([&](auto r) __attribute__((always_inline)) {
      x[r] = upper<H>(x[r], x[r + H]) + lower<H>(x[r], x[r + H]);
    });
    return sums<B, H / 2>(x);
  } else {
    return x[0];
  }
}

// As many independent sums as hide the latency of an addition, and at least the lanes of a register.
template <class B>
inline constexpr int kDots = B::size > 8 ? int(B::size) : 8;

// C (R, C) = A (R, k) B^T (k, C), both contiguous along k, where registers lie along k too; R C = kDots.
// For products with so few rows that B, used once or twice, is not worth packing.
// The last C - cols columns repeat column cols - 1 and are not stored.
template <class B, int R>
void dot_tile(int64_t k, Matrix<B> a, Matrix<B> b, Value<B>* c, int64_t c_row, int64_t c_col, Value<B> alpha,
              bool accumulate, int64_t cols) noexcept {
  constexpr int N = kDots<B>, C = N / R, W = B::size;
  const Value<B>* column[C];
  unroll<C>([&](auto j)
                __attribute__((always_inline)) { column[j] = b.p + (j < cols ? j : cols - 1) * b.col; });
  B sum[N];
  unroll<N>([&](auto i) __attribute__((always_inline)) { sum[i] = B(0); });
  sweep<B>(
      k, [&](auto io, int64_t p) __attribute__((always_inline)) {
        B x[R];
        unroll<R>([&](auto r) __attribute__((always_inline)) { x[r] = io.load(a.p + r * a.row + p); });
        unroll<C>([&](auto j) __attribute__((always_inline)) {
          const B y = io.load(column[j] + p);
          unroll<R>([&](auto r)
                        __attribute__((always_inline)) { sum[r * C + j] = fused(x[r], y, sum[r * C + j]); });
        });
      });
  Value<B> total[N];
  unroll<N / W>([&](auto i) __attribute__((always_inline)) {
    (B(alpha) * sums(sum + i * W)).store_unaligned(total + i * W);
  });
  unroll<N>([&](auto i) __attribute__((always_inline)) {
    constexpr int r = i / C, j = i % C;
    if (j >= cols) return;
    Value<B>& out = c[r * c_row + j * c_col];
    out = accumulate ? out + total[i] : total[i];
  });
}

}  // namespace heed::kernels
