#pragma once

#include <vector>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "bench/support/numbers.hpp"
#include "bench/support/sizes.hpp"
#include "bench/workloads/workloads.hpp"
#include "layers/models/recurrent.hpp"
#include "optim/adam.hpp"

// A, B: training an encoder-decoder with additive attention on one batch.

namespace bench {

using namespace heed;

inline Ids tokens(uint64_t stream, int64_t rows, int64_t time, int64_t vocabulary) {
  Ids ids({rows, time});
  for (int64_t i = 0; i < ids.size(); ++i)
    ids.values()[size_t(i)] = token(stream, uint64_t(i), int32_t(vocabulary));
  return ids;
}

struct TranslationTraining {
  TranslationTraining(const Translation& size, Rng rng)
      : model({.source_vocabulary = size.vocabulary,
               .target_vocabulary = size.vocabulary,
               .embed = size.embed,
               .hidden = size.hidden,
               .order = DecoderOrder::bahdanau},
              rng),
        source(tokens(1, size.batch, size.source, size.vocabulary)),
        input(tokens(2, size.batch, size.target, size.vocabulary)),
        output(tokens(3, size.batch, size.target, size.vocabulary)),
        lengths(size_t(size.batch), int32_t(size.source)),
        adam(parameters(model), {.lr = adam_lr}) {
    begin_all(model, 1);
  }

  // The loss, whose gradients it leaves in the parameters.
  double gradients() {
    adam.zero_grad();
    const Tensor loss = cross_entropy(model(source, lengths, input, {.train = true}).logits, output);
    backward(loss);
    return loss.item();
  }
  double step() {
    const double loss = gradients();
    adam.step();
    return loss;
  }

  RecurrentSeq2Seq model;
  Ids source, input, output;
  std::vector<int32_t> lengths;
  Adam adam;
};

}  // namespace bench
