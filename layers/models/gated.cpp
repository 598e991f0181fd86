#include "layers/models/gated.hpp"

#include <algorithm>
#include <string>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

constexpr real small = real(0.01);

// 1 for the rows that are longer than t: (B, 1). Undefined when all are.
Tensor still_running(std::span<const int32_t> lengths, int64_t t) {
  if (std::ranges::all_of(lengths, [t](int32_t length) { return t < length; })) return {};
  Tensor running = Tensor::empty({static_cast<int64_t>(lengths.size()), 1});
  std::ranges::transform(lengths, running.mutable_data(),
                         [t](int32_t length) { return t < length ? real(1) : real(0); });
  return running;
}

}  // namespace

void check_sizes(const char* who, std::initializer_list<NamedSize> sizes) {
  if (std::ranges::all_of(sizes, [](const NamedSize& size) { return size.value >= 1; })) return;
  std::string text;
  for (const NamedSize& size : sizes)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", size.name, size.value);
  fail("{}: {} must be at least 1", who, text);
}

Tensor small_normal(const Shape& shape, Rng& rng) { return normal_init(shape, small, rng); }

GatedUnit::GatedUnit(const Options& options, Rng& rng) : options(options) {
  const auto [input, hidden, context, reset] = options;
  if (input < 1 || hidden < 1 || context < 0) {
    fail("GatedUnit: input {}, hidden {}, context {}: wants at least 1, 1, 0", input, hidden, context);
  }
  W = small_normal({3 * hidden, input}, rng);
  U_rz = parameter(
      concat({orthogonal({hidden, hidden}, rng).detach(), orthogonal({hidden, hidden}, rng).detach()}, 0));
  U = orthogonal({hidden, hidden}, rng);
  if (context > 0) C = small_normal({3 * hidden, context}, rng);
  b = constant_init({3 * hidden}, 0);
}

Tensor GatedUnit::read(const Tensor& x) const { return linear(x, W, b); }

Tensor GatedUnit::read_context(const Tensor& c) const { return linear(c, C); }

Tensor GatedUnit::operator()(const Tensor& from_x, const Tensor& from_c, const Tensor& s) const {
  const int64_t H = options.hidden;
  const Tensor sum = from_c.defined() ? from_x + from_c : from_x;        // (B, 3H)
  const Tensor rz = sigmoid(slice(sum, 1, 0, 2 * H) + linear(s, U_rz));  // (B, 2H)
  const Tensor r = slice(rz, 1, 0, H);
  const Tensor z = slice(rz, 1, H, 2 * H);
  Tensor candidate;
  if (options.reset == Reset::state) {
    candidate = tanh(slice(sum, 1, 2 * H, 3 * H) + linear(r * s, U));
  } else {
    Tensor gated = linear(s, U);
    if (from_c.defined()) gated = gated + slice(from_c, 1, 2 * H, 3 * H);
    candidate = tanh(slice(from_x, 1, 2 * H, 3 * H) + r * gated);
  }
  return s + z * (candidate - s);
}

Tensor GatedUnit::run(const Tensor& x, std::span<const int32_t> lengths, bool backward) const {
  const int64_t steps = x.size(1);
  const Tensor from_x = read(x);  // (B, T, 3H)
  Tensor s = Tensor::zeros({x.size(0), options.hidden});
  TensorList states(static_cast<size_t>(steps));
  for (int64_t i = 0; i < steps; ++i) {
    const int64_t t = backward ? steps - 1 - i : i;
    const Tensor next = (*this)(select(from_x, 1, t), {}, s);
    const Tensor running = still_running(lengths, t);
    s = running.defined() ? s + running * (next - s) : next;
    states[static_cast<size_t>(t)] = s;
  }
  return stack(states, 1);
}

void GatedUnit::visit(const Visitor& visitor) const {
  visitor("W", W);
  visitor("U_rz", U_rz);
  visitor("U", U);
  visitor("C", C);
  visitor("b", b);
}

GatedDecoder::GatedDecoder(const Options& options, Rng& rng)
    : options(options),
      embedding(options.vocabulary, options.embed, rng, small),
      cell({.input = options.embed,
            .hidden = options.hidden,
            .context = options.context,
            .reset = options.reset},
           rng) {
  const int64_t pairs = 2 * options.maxout;
  U_o = small_normal({pairs, options.hidden}, rng);
  V_o = small_normal({pairs, options.embed}, rng);
  C_o = small_normal({pairs, options.context}, rng);
  b_o = constant_init({pairs}, 0);
  W_o = small_normal({options.vocabulary, options.maxout}, rng);
  b_y = constant_init({options.vocabulary}, 0);
}

Tensor GatedDecoder::readout(const Tensor& s, const Tensor& y, const Tensor& c) const {
  const Tensor sums = linear(s, U_o, b_o) + linear(y, V_o) + linear(c, C_o);  // (..., 2L)
  const bool one = sums.rank() == 2;
  const Shape pairs =
      one ? Shape{sums.size(0), options.maxout, 2} : Shape{sums.size(0), sums.size(1), options.maxout, 2};
  return linear(max(sums.reshape(pairs), -1), W_o, b_y);
}

void GatedDecoder::visit(const Visitor& visitor) const {
  visitor("embedding", embedding);
  visitor("cell", cell);
  visitor("U_o", U_o);
  visitor("V_o", V_o);
  visitor("C_o", C_o);
  visitor("b_o", b_o);
  visitor("W_o", W_o);
  visitor("b_y", b_y);
}

}  // namespace heed::inline HEED_PRECISION
