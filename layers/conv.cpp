#include "layers/conv.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {

Conv1d::Conv1d(int64_t in, int64_t out, const Options& options, Rng& rng) : options(options) {
  if (in < 1 || out < 1 || options.width < 1 || options.dilation < 1) {
    fail("Conv1d: sizes in {}, out {}, width {}, dilation {} must be at least 1", in, out, options.width,
         options.dilation);
  }
  weight = fan_in_uniform({out, in, options.width}, in * options.width, rng);
  if (options.bias) bias = fan_in_uniform({out}, in * options.width, rng);
}

// windows puts the features of one step side by side, the weight the steps of one feature.
Tensor Conv1d::apply(const Tensor& windows) const {
  const int64_t out = weight.size(0);
  return linear(windows, permute(weight, {0, 2, 1}).reshape({out, windows.size(2)}), bias);
}

Tensor Conv1d::operator()(const Tensor& x) const {
  if (x.rank() != 3 || x.size(2) != weight.size(1)) {
    fail("Conv1d: input is {}, wants (B, T, {})", x.shape().text(), weight.size(1));
  }
  const int64_t before = options.padding == Padding::causal ? reach() - 1 : (reach() - 1) / 2;
  return apply(windows(x, options.width, options.dilation, before));
}

Tensor Conv1d::extend(const Tensor& x, Tensor& past) const {
  if (options.padding != Padding::causal) fail("Conv1d: only a causal one goes piece by piece");
  const Tensor all = concat({past, x}, 1);
  const int64_t steps = x.size(1);
  past = slice(all, 1, steps, all.size(1));
  // Window t of `all` begins at step t and ends where step t of x stands.
  return apply(slice(windows(all, options.width, options.dilation, 0), 1, 0, steps));
}

Tensor Conv1d::start(int64_t batch) const { return Tensor::zeros({batch, reach() - 1, weight.size(1)}); }

void Conv1d::visit(const Visitor& visitor) const {
  visitor("weight", weight);
  visitor("bias", bias);
}

Tensor hide_slots(const Tensor& x, const Mask& mask) {
  if (mask.is_causal()) fail("hide_slots: the mask is causal; wants one that is the same for every query");
  if (mask.everything()) return x;
  const int64_t batch = x.size(0), slots = x.size(1);
  mask.check("hide_slots", batch, slots);
  Tensor seen = Tensor::zeros({batch, slots, 1});
  bool all = true;
  for (int64_t b = 0; b < batch; ++b) {
    const uint8_t* bytes = mask.bytes(b, slots);
    for (int64_t s = 0; s < slots; ++s) {
      const bool see = s < mask.visible(b, 0, slots) && (bytes == nullptr || bytes[s] != 0);
      seen.mutable_data()[b * slots + s] = see ? 1 : 0;
      all = all && see;
    }
  }
  return all ? x : x * seen;
}

}  // namespace heed::inline HEED_PRECISION
