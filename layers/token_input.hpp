#pragma once

#include "layers/dropout.hpp"
#include "layers/embedding.hpp"
#include "layers/positions.hpp"

namespace heed::inline HEED_PRECISION {

// What a stack of blocks begins with: dropout(positions(factor embedding(token))), (B, T) -> (B, T, D).
// Parameters `embedding`, and `positions` where they have some and act on inputs.
struct TokenInput : Module {
  struct Options {
    std::string positions = "sinusoidal";  // one of known_positions(); those in attention do nothing here
    int64_t longest = 64;                  // of learned positions
    real factor = 1;                       // of the embeddings; sqrt(D) in Vaswani et al. 2017, section 3.4
    real stddev = 1;                       // with which they begin: N(0, stddev^2)
    real dropout = 0;
  };
  TokenInput(int64_t vocabulary, int64_t size, const Options& options, Rng& rng);

  // The tokens stand at first, first + 1, ...
  Tensor operator()(const Ids& tokens, int64_t first, const Pass& pass) const;
  void visit(const Visitor& visitor) const override;

  Embedding embedding;
  std::unique_ptr<Positions> positions;  // null: none
  Dropout dropout;
  real factor;
};

}  // namespace heed::inline HEED_PRECISION
