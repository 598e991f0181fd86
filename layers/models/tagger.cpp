#include "layers/models/tagger.hpp"

#include "autograd/error.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

std::unique_ptr<Stack> checked(std::unique_ptr<Stack> stack) {
  if (!stack) fail("Tagger: wants a stack");
  return stack;
}

}  // namespace

Tagger::Tagger(int64_t vocabulary, int64_t tags, std::unique_ptr<Stack> layers, Rng& rng)
    : stack(checked(std::move(layers))),
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

}  // namespace heed::inline HEED_PRECISION
