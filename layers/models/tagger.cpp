#include "layers/models/tagger.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

std::unique_ptr<Stack> checked(const char* who, std::unique_ptr<Stack> stack) {
  if (!stack) fail("{}: wants a stack", who);
  return stack;
}

}  // namespace

Tagger::Tagger(int64_t vocabulary, int64_t tags, std::unique_ptr<Stack> layers, Rng& rng)
    : stack(checked("Tagger", std::move(layers))),
      embedding(vocabulary, stack->size(), rng),
      output(stack->size(), tags, rng) {}

Tensor Tagger::operator()(const Ids& tokens, std::span<const int32_t> lengths, const Pass& pass) const {
  check_batch("Tagger", tokens, lengths);
  return output((*stack)(embedding(tokens), Mask::of_lengths(lengths), pass));
}

void Tagger::visit(const Visitor& visitor) const {
  visitor("embedding", embedding);
  visitor("stack", *stack);
  visitor("output", output);
}

Classifier::Classifier(int64_t vocabulary, int64_t classes, std::unique_ptr<Stack> layers, Rng& rng)
    : stack(checked("Classifier", std::move(layers))),
      embedding(vocabulary, stack->size(), rng),
      output(stack->size(), classes, rng) {}

Tensor Classifier::operator()(const Ids& tokens, std::span<const int32_t> lengths, const Pass& pass) const {
  check_batch("Classifier", tokens, lengths);
  const Mask mask = Mask::of_lengths(lengths);
  const Tensor states = (*stack)(embedding(tokens), mask, pass);                           // (B, T, D)
  const Tensor share = softmax(Tensor::zeros({states.size(0), 1, states.size(1)}), mask);  // 1 / length
  return output(select(matmul(share, states), 1, 0));
}

void Classifier::visit(const Visitor& visitor) const {
  visitor("embedding", embedding);
  visitor("stack", *stack);
  visitor("output", output);
}

}  // namespace heed::inline HEED_PRECISION
