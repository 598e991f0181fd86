#include "layers/conv_stack.hpp"

#include <cmath>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/glu.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {

GatedConv::GatedConv(int64_t size, const Conv1d::Options& options, real dropout, Rng& rng)
    : conv(size, 2 * size, options, rng), dropout(dropout) {
  const auto inputs = static_cast<real>(options.width * size);
  conv.weight = normal_init(conv.weight.shape(), std::sqrt(4 * (1 - dropout) / inputs), rng);
  if (options.bias) conv.bias = constant_init(conv.bias.shape(), 0);
}

Tensor GatedConv::operator()(const Tensor& x, const Pass& pass) const { return glu(conv(dropout(x, pass))); }

Tensor GatedConv::extend(const Tensor& x, Tensor& past, const Pass& pass) const {
  return glu(conv.extend(dropout(x, pass), past));
}

Tensor halved_sum(const Tensor& a, const Tensor& b) { return scale(a + b, std::sqrt(real(0.5))); }

ConvStack::ConvStack(const Options& options, Rng& rng) : size_(options.size) {
  if (options.size < 1 || options.layers < 1 || options.dilations.empty()) {
    fail("ConvStack: size {}, layers {}, {} dilations: wants at least 1 of each", options.size,
         options.layers, options.dilations.size());
  }
  for (int64_t i = 0; i < options.layers; ++i) {
    const int64_t dilation = options.dilations[static_cast<size_t>(i) % options.dilations.size()];
    layers.emplace_back(
        options.size,
        Conv1d::Options{.width = options.width, .padding = options.padding, .dilation = dilation},
        options.dropout, rng);
  }
}

Tensor ConvStack::operator()(const Tensor& x, const Mask& mask, const Pass& pass) const {
  Tensor y = x;
  for (const GatedConv& layer : layers) y = halved_sum(y, layer(hide_slots(y, mask), pass));
  return y;
}

int64_t ConvStack::reach() const {
  int64_t steps = 1;
  for (const GatedConv& layer : layers) steps += layer.conv.reach() - 1;
  return steps;
}

void ConvStack::visit(const Visitor& visitor) const {
  for (size_t i = 0; i < layers.size(); ++i) visitor("layers." + std::to_string(i), layers[i]);
}

}  // namespace heed::inline HEED_PRECISION
