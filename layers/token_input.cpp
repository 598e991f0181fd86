#include "layers/token_input.hpp"

#include "autograd/ops.hpp"

namespace heed::inline HEED_PRECISION {

TokenInput::TokenInput(int64_t vocabulary, int64_t size, const Options& options, Rng& rng)
    : embedding(vocabulary, size, rng, options.stddev),
      positions(make_positions(options.positions, true, {.size = size, .longest = options.longest}, rng)),
      dropout(options.dropout),
      factor(options.factor) {}

Tensor TokenInput::operator()(const Ids& tokens, int64_t first, const Pass& pass) const {
  Tensor x = embedding(tokens);
  if (factor != 1) x = scale(x, factor);
  return dropout(positions ? positions->place(x, first) : x, pass);
}

void TokenInput::visit(const Visitor& visitor) const {
  visitor("embedding", embedding);
  if (positions) visitor("positions", *positions);
}

}  // namespace heed::inline HEED_PRECISION
