#pragma once

#include <memory>

#include "layers/embedding.hpp"
#include "layers/linear.hpp"
#include "layers/models/seq2seq.hpp"
#include "layers/stack.hpp"

namespace heed::inline HEED_PRECISION {

// A label for every token: embedding, any stack of layers, one linear map (as Collobert & Weston 2008, whose
// stack is a convolution): logits = W stack(embedded tokens) + b. What a label can depend on is the stack's
// matter, and so are positions. Parameters: `embedding.`, `stack.`, `output.`. Init: embeddings N(0, 1), the
// rest as its layers.
struct Tagger : Module {
  Tagger(int64_t vocabulary, int64_t tags, std::unique_ptr<Stack> stack, Rng& rng);  // throws without a stack

  // tokens (B, T), lengths (B) their true ones -> logits (B, T, tags); beyond a row's end they mean nothing.
  Tensor operator()(const Ids& tokens, std::span<const int32_t> lengths, const Pass& pass) const;
  void visit(const Visitor& visitor) const override;

  std::unique_ptr<Stack> stack;
  Embedding embedding;
  Linear output;
};

// A label for the whole sequence: the stack's outputs averaged over the tokens that there are (attention with
// equal scores), one linear map: logits = W mean_t stack(embedded tokens)_t + b. Parameters and init:
// Tagger's.
struct Classifier : Module {
  Classifier(int64_t vocabulary, int64_t classes, std::unique_ptr<Stack> stack, Rng& rng);

  // tokens (B, T), lengths (B) -> logits (B, classes).
  Tensor operator()(const Ids& tokens, std::span<const int32_t> lengths, const Pass& pass) const;
  void visit(const Visitor& visitor) const override;

  std::unique_ptr<Stack> stack;
  Embedding embedding;
  Linear output;
};

}  // namespace heed::inline HEED_PRECISION
