#pragma once

#include "autograd/kernels/math.hpp"

// The gates of one row of a recurrent step. Backward quotes the lines of the forward that it inverts; of a
// gate s = sigmoid(a) it stores da = s (1 - s) ds, of t = tanh(a) da = (1 - t^2) dt.

namespace heed::kernels {

template <class B>
HEED_KERNEL void gru(const Value<B>* gi, const Value<B>* gh, const Value<B>* h, Value<B>* h_next,
                     Value<B>* saved, int64_t n) noexcept {
  sweep<B>(n, [&](auto io, int64_t i) {
    const B r = math::sigmoid(io.load(gi + i) + io.load(gh + i));
    const B z = math::sigmoid(io.load(gi + n + i) + io.load(gh + n + i));
    const B gh_n = io.load(gh + 2 * n + i);
    const B c = math::tanh(fused(r, gh_n, io.load(gi + 2 * n + i)));
    io.store(h_next + i, fused(z, io.load(h + i) - c, c));  // (1 - z) c + z h
    io.store(saved + i, r);
    io.store(saved + n + i, z);
    io.store(saved + 2 * n + i, c);
    io.store(saved + 3 * n + i, gh_n);
  });
}

// y_i = v, or y_i += v
template <class B, class IO>
HEED_INLINE void store_sum(IO io, bool add, Value<B>* y, const B& v) noexcept {
  io.store(y, add ? io.load(y) + v : v);
}

template <class B>
HEED_KERNEL void gru_backward(const Value<B>* saved, const Value<B>* h, bool add, Value<B>* dgi,
                              Value<B>* dgh, Value<B>* dh, int64_t n) noexcept {
  sweep<B>(n, [&](auto io, int64_t i) {
    const B r = io.load(saved + i), z = io.load(saved + n + i), c = io.load(saved + 2 * n + i);
    const B d = io.load(dh + i);
    // h' = (1 - z) c + z h
    const B dz = d * (io.load(h + i) - c) * z * (B(1) - z);
    const B dc = d * (B(1) - z) * (B(1) - c * c);
    // c = tanh(gi_n + r gh_n)
    const B dr = dc * io.load(saved + 3 * n + i) * r * (B(1) - r);
    io.store(dh + i, d * z);
    store_sum(io, add, dgi + i, dr);
    io.store(dgh + i, dr);
    store_sum(io, add, dgi + n + i, dz);
    io.store(dgh + n + i, dz);
    store_sum(io, add, dgi + 2 * n + i, dc);
    io.store(dgh + 2 * n + i, dc * r);
  });
}

template <class B>
HEED_KERNEL void lstm(const Value<B>* gi, const Value<B>* gh, const Value<B>* c, Value<B>* h_next,
                      Value<B>* c_next, Value<B>* saved, int64_t n) noexcept {
  sweep<B>(n, [&](auto io, int64_t j) {
    const B i = math::sigmoid(io.load(gi + j) + io.load(gh + j));
    const B f = math::sigmoid(io.load(gi + n + j) + io.load(gh + n + j));
    const B g = math::tanh(io.load(gi + 2 * n + j) + io.load(gh + 2 * n + j));
    const B o = math::sigmoid(io.load(gi + 3 * n + j) + io.load(gh + 3 * n + j));
    const B next = fused(f, io.load(c + j), i * g), t = math::tanh(next);
    io.store(c_next + j, next);
    io.store(h_next + j, o * t);
    io.store(saved + j, i);
    io.store(saved + n + j, f);
    io.store(saved + 2 * n + j, g);
    io.store(saved + 3 * n + j, o);
    io.store(saved + 4 * n + j, t);
  });
}

template <class B>
HEED_KERNEL void lstm_backward(const Value<B>* saved, const Value<B>* c, bool add, Value<B>* dgi,
                               Value<B>* dgh, Value<B>* dh, Value<B>* dc, int64_t n) noexcept {
  sweep<B>(n, [&](auto io, int64_t j) {
    const B i = io.load(saved + j), f = io.load(saved + n + j), g = io.load(saved + 2 * n + j);
    const B o = io.load(saved + 3 * n + j), t = io.load(saved + 4 * n + j);
    const B d = io.load(dh + j);
    // h' = o tanh(c'): c' is reached from h' and from the next step's cell
    const B total = io.load(dc + j) + d * o * (B(1) - t * t);
    // c' = f c + i g
    io.store(dc + j, total * f);
    io.store(dh + j, B(0));
    const B gates[4] = {total * g * i * (B(1) - i), total * io.load(c + j) * f * (B(1) - f),
                        total * i * (B(1) - g * g), d * t * o * (B(1) - o)};
    for (int k = 0; k < 4; ++k) {
      store_sum(io, add, dgi + k * n + j, gates[k]);
      io.store(dgh + k * n + j, gates[k]);
    }
  });
}

}  // namespace heed::kernels
