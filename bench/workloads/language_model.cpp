// C: one step of training a Transformer language model.

#include <memory>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "bench/support/numbers.hpp"
#include "bench/support/sizes.hpp"
#include "bench/workloads/workloads.hpp"
#include "layers/models/transformer_lm.hpp"
#include "optim/adam.hpp"

namespace bench {

using namespace heed;

namespace {

struct Training {
  Training(const LanguageModel& size, Rng rng)
      : model({.vocabulary = size.vocabulary,
               .size = size.size,
               .layers = size.layers,
               .heads = size.heads,
               .bias = false,
               .longest = size.block},
              rng),
        text({size.batch, size.block}),
        next(text.shape()),
        adam(parameters(model), {.lr = adam_lr, .weight_decay = size.weight_decay}) {
    begin_all(model, 2);  // norms stay 1
    for (int64_t i = 0; i < text.size(); ++i) {
      text.values()[size_t(i)] = token(1, uint64_t(i), int32_t(size.vocabulary));
      next.values()[size_t(i)] = token(2, uint64_t(i), int32_t(size.vocabulary));
    }
  }

  double step() {
    adam.zero_grad();
    const Tensor loss = cross_entropy(model(text, {.train = true}), next);
    backward(loss);
    adam.step();
    return loss.item();
  }

  TransformerLM model;
  Ids text, next;
  AdamW adam;
};

}  // namespace

void add_language_model(Workloads& list) {
  list.push_back({"C", [] { return trained<Training>(LanguageModel()); }});
}

}  // namespace bench
