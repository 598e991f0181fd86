// From the start of a process to the end of its first step of training: what a program costs before it works.
// The driver takes the time of the whole process.

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "bench/support/sizes.hpp"
#include "layers/models/recurrent.hpp"
#include "optim/adam.hpp"

using namespace heed;

int main() {
  const bench::Translation& size = bench::translations[0];
  Rng rng(1);
  const RecurrentSeq2Seq model({.source_vocabulary = size.vocabulary,
                                .target_vocabulary = size.vocabulary,
                                .embed = size.embed,
                                .hidden = size.hidden,
                                .order = DecoderOrder::bahdanau},
                               rng);
  Adam adam(parameters(model), {.lr = bench::adam_lr});
  const Ids source({size.batch, size.source}), target({size.batch, size.target});
  const std::vector<int32_t> lengths(size_t(size.batch), int32_t(size.source));
  backward(cross_entropy(model(source, lengths, target, {.train = true}).logits, target));
  adam.step();
}
