// A, B, C: a step of training an encoder-decoder with additive attention, and a Transformer language model.

#include <cmath>
#include <memory>

#include "bench/peers/torch/torch.hpp"
#include "bench/support/sizes.hpp"

namespace bench {

namespace {

namespace nn = torch::nn;
namespace F = torch::nn::functional;
using torch::Tensor;

Tensor tokens(int stream, int64_t rows, int64_t time, int64_t vocabulary) {
  Tensor ids = torch::empty({rows, time}, torch::kLong);
  for (int64_t i = 0; i < ids.numel(); ++i)
    ids.data_ptr<int64_t>()[i] = token(uint64_t(stream), uint64_t(i), int32_t(vocabulary));
  return ids;
}

nn::Linear matrix(int64_t in, int64_t out) { return nn::Linear(nn::LinearOptions(in, out).bias(false)); }

struct TranslatorImpl : nn::Module {
  explicit TranslatorImpl(const Translation& size)
      : source_embedding(size.vocabulary, size.embed),
        target_embedding(size.vocabulary, size.embed),
        encoder(nn::GRUOptions(size.embed, size.hidden / 2).bidirectional(true).batch_first(true)),
        decoder(size.embed + size.hidden, size.hidden),
        bridge(size.hidden, size.hidden),
        query(matrix(size.hidden, size.hidden)),
        key(matrix(size.hidden, size.hidden)),
        v(matrix(size.hidden, 1)),
        attentional(2 * size.hidden, size.hidden),
        output(size.hidden, size.vocabulary) {
    register_module("source_embedding", source_embedding);
    register_module("target_embedding", target_embedding);
    register_module("encoder", encoder);
    register_module("decoder", decoder);
    register_module("bridge", bridge);
    register_module("query", query);
    register_module("key", key);
    register_module("v", v);
    register_module("attentional", attentional);
    register_module("output", output);
  }

  // source (B, S), target (B, T) -> logits (B, T, V)
  Tensor forward(const Tensor& source, const Tensor& target) {
    const auto [memory, last] = encoder(source_embedding(source));  // (B, S, H), (2, B, H/2)
    const Tensor keys = key(memory);
    const Tensor embedded = target_embedding(target);
    Tensor h = torch::tanh(bridge(torch::cat({last[0], last[1]}, 1)));
    std::vector<Tensor> states;
    for (const Tensor& y : embedded.unbind(1)) {
      const Tensor scores = v(torch::tanh(query(h).unsqueeze(1) + keys)).squeeze(2);         // (B, S)
      const Tensor context = torch::bmm(scores.softmax(1).unsqueeze(1), memory).squeeze(1);  // (B, H)
      h = decoder(torch::cat({y, context}, 1), h);
      states.push_back(torch::cat({context, h}, 1));
    }
    return output(torch::tanh(attentional(torch::stack(states, 1))));
  }

  nn::Embedding source_embedding, target_embedding;
  nn::GRU encoder;
  nn::GRUCell decoder;
  nn::Linear bridge, query, key, v, attentional, output;
};
TORCH_MODULE(Translator);

struct BlockImpl : nn::Module {
  explicit BlockImpl(const LanguageModel& size)
      : heads(size.heads),
        in(matrix(size.size, 3 * size.size)),
        out(matrix(size.size, size.size)),
        linear1(matrix(size.size, 4 * size.size)),
        linear2(matrix(4 * size.size, size.size)) {
    register_module("in", in);
    register_module("out", out);
    register_module("linear1", linear1);
    register_module("linear2", linear2);
    norm1 = register_parameter("norm1", torch::ones({size.size}));
    norm2 = register_parameter("norm2", torch::ones({size.size}));
  }

  // x (B, T, D), hidden (T, T): where a query may not look
  Tensor forward(Tensor x, const Tensor& hidden) {
    const int64_t batch = x.size(0), time = x.size(1), width = x.size(2) / heads;
    const auto parts =
        in(norm(x, norm1)).view({batch, time, 3, heads, width}).permute({2, 0, 3, 1, 4}).unbind(0);
    const Tensor q = parts[0] / std::sqrt(double(width));
    const Tensor scores = torch::matmul(q, parts[1].transpose(2, 3)).masked_fill(hidden, -INFINITY);
    const Tensor seen = torch::matmul(scores.softmax(3), parts[2]);  // (B, heads, T, width)
    x = x + out(seen.transpose(1, 2).reshape(x.sizes()));
    return x + linear2(F::gelu(linear1(norm(x, norm2))));
  }

  static Tensor norm(const Tensor& x, const Tensor& weight) {
    return torch::layer_norm(x, {x.size(2)}, weight, {}, 1e-5);
  }

  int64_t heads;
  nn::Linear in, out, linear1, linear2;
  Tensor norm1, norm2;
};
TORCH_MODULE(Block);

struct WriterImpl : nn::Module {
  explicit WriterImpl(const LanguageModel& size)
      : embedding(size.vocabulary, size.size),
        positions(size.block, size.size),
        hidden(torch::ones({size.block, size.block}, torch::kBool).triu(1)) {
    register_module("embedding", embedding);
    register_module("positions", positions);
    for (int64_t i = 0; i < size.layers; ++i)
      blocks.push_back(register_module("block" + std::to_string(i), Block(size)));
    last = register_parameter("norm", torch::ones({size.size}));
  }

  // text (B, T) -> logits (B, T, V)
  Tensor forward(const Tensor& text) {
    Tensor x = embedding(text) + positions->weight;
    for (Block& block : blocks) x = block(x, hidden);
    return F::linear(BlockImpl::norm(x, last), embedding->weight);
  }

  nn::Embedding embedding, positions;
  std::vector<Block> blocks;
  Tensor hidden, last;
};
TORCH_MODULE(Writer);

// One step after another on the same batch. `least_rank`: of the parameters that get heed's numbers.
template <class Model, class Optimizer>
struct Training {
  Training(Model m, Optimizer o, int64_t least_rank)
      : model(std::move(m)), optimizer(std::move(o)), parameters(model->parameters()) {
    const torch::NoGradGuard no_grad;
    uint64_t number = 0;
    for (Tensor& p : parameters) {
      if (p.dim() >= least_rank) begin(p.data_ptr<float>(), p.numel(), p.size(-1), number++);
    }
  }

  template <class... Inputs>
  double step(const Tensor& targets, const Inputs&... inputs) {
    // none, not zeros: saves filling and adding (zero_grad(set_to_none) came to C++ later)
    for (Tensor& p : parameters) p.mutable_grad().reset();
    const Tensor logits = model(inputs...);
    const Tensor loss = F::cross_entropy(logits.flatten(0, 1), targets.flatten());
    loss.backward();
    optimizer.step();
    return loss.template item<double>();
  }

  Model model;
  Optimizer optimizer;
  std::vector<Tensor> parameters;
};

template <class Training, class... Inputs>
Workload measured(Training training, double flop, const Tensor& targets, const Inputs&... inputs) {
  const auto shared = std::make_shared<Training>(std::move(training));
  Workload work{.run = [=] { shared->step(targets, inputs...); }, .flop = flop};
  for (int i = 0; i < checked_steps; ++i) work.check = shared->step(targets, inputs...);
  for (const Tensor& p : shared->parameters) work.parameters += double(p.numel());
  return work;
}

Workload translate(const Translation& size) {
  Translator model(size);
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(adam_lr));
  return measured(Training<Translator, torch::optim::Adam>(model, std::move(adam), 1), size.flop(),
                  tokens(3, size.batch, size.target, size.vocabulary),
                  tokens(1, size.batch, size.source, size.vocabulary),
                  tokens(2, size.batch, size.target, size.vocabulary));
}

Workload write() {
  const LanguageModel size;
  Writer model(size);
  torch::optim::AdamW adam(model->parameters(),
                           torch::optim::AdamWOptions(adam_lr).weight_decay(size.weight_decay));
  return measured(Training<Writer, torch::optim::AdamW>(model, std::move(adam), 2), size.flop(),
                  tokens(2, size.batch, size.block, size.vocabulary),
                  tokens(1, size.batch, size.block, size.vocabulary));
}

}  // namespace

void add_models(std::vector<Named>& list) {
  for (const Translation& size : translations)
    list.push_back({size.name, [size] { return translate(size); }});
  list.push_back({"C", write});
}

}  // namespace bench
