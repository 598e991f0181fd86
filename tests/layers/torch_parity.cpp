// Layers against torch.nn's numbers: forward, and the gradient of every input and every parameter.
#include <doctest/doctest.h>

#include "layers/embedding.hpp"
#include "layers/recurrent.hpp"
#include "layers/transformer_block.hpp"
#include "tests/layers/common.hpp"
#include "tests/support/torch_case.hpp"

namespace heed::tests {
namespace {

// torch has h and c apart, each with the layers and directions first: (P, B, H).
Recurrent::States to_states(const std::vector<Tensor>& parts) {
  Recurrent::States states;
  for (int64_t i = 0; i < parts[0].size(0); ++i) {
    TensorList own;
    for (const Tensor& part : parts) own.push_back(select(part, 0, i));
    states.push_back(concat(own, 1));
  }
  return states;
}

// The way back: part number `part` of each state.
Tensor from_states(const Recurrent::States& states, int64_t part, int64_t hidden) {
  TensorList own;
  for (const Tensor& state : states) own.push_back(slice(state, 1, part * hidden, (part + 1) * hidden));
  return stack(own, 0);
}

std::string recurrent_differences(Cell cell, const std::string& name, int64_t layers, bool bidirectional) {
  constexpr int64_t input = 2, hidden = 4;
  const std::string file = cell == Cell::gru ? "gru" : "lstm";
  const std::vector<std::string> parts = cell == Cell::gru ? Names{"h"} : Names{"h", "c"};
  TorchCase torch(file, file + "-" + name);
  Rng rng(1);
  const Recurrent layer(cell, input, hidden, {.layers = layers, .bidirectional = bidirectional}, rng);
  torch.load(layer);
  TorchCase::Named inputs{{"x", torch.leaf("x")}}, outputs;
  Ids lengths;
  Recurrent::States first;
  if (torch.has("lengths")) {
    lengths = torch.ids("lengths");
    std::vector<Tensor> given;
    for (const std::string& part : parts) given.push_back(torch.leaf(part + "_0"));
    for (size_t i = 0; i < parts.size(); ++i) inputs.emplace_back(parts[i] + "_0", given[i]);
    first = to_states(given);
  }
  const auto [output, last] = layer(inputs[0].second, lengths.values(), first);
  outputs.emplace_back("y", output);
  for (size_t i = 0; i < parts.size(); ++i) {
    outputs.emplace_back(parts[i] + "_n", from_states(last, static_cast<int64_t>(i), hidden));
  }
  return torch.differences(layer, inputs, outputs);
}

void check_recurrent(Cell cell) {
  CHECK(recurrent_differences(cell, "forward", 1, false) == "");
  CHECK(recurrent_differences(cell, "forward-lengths", 1, false) == "");
  CHECK(recurrent_differences(cell, "both", 1, true) == "");
  CHECK(recurrent_differences(cell, "both-lengths", 1, true) == "");
  CHECK(recurrent_differences(cell, "deep-lengths", 2, false) == "");
  CHECK(recurrent_differences(cell, "deep-both-lengths", 2, true) == "");
}

// What the case hides: slots beyond a length, or any.
Mask mask_of(TorchCase& torch) {
  if (torch.has("lengths")) return Mask::of_lengths(torch.ids("lengths").values());
  if (!torch.has("seen")) return {};
  const Ids seen = torch.ids("seen");
  const std::vector<uint8_t> bytes(seen.values().begin(), seen.values().end());
  return Mask::of_bytes(seen.shape()[0], seen.shape()[1], bytes);
}

std::string multihead_differences(const std::string& name, bool causal = false) {
  TorchCase torch("multihead", name);
  Rng rng(1);
  const MultiHeadAttention layer(6, 3, rng);
  torch.load(layer);
  const Mask mask = causal ? mask_of(torch).causal() : mask_of(torch);
  TorchCase::Named inputs{{"x", torch.leaf("x")}};
  const Tensor& x = inputs[0].second;
  Tensor y, weights;
  if (torch.has("source")) {
    const Tensor source = torch.leaf("source");
    y = layer(x, layer.prepare(source, mask), &weights);
    inputs.emplace_back("source", source);
  } else {
    y = layer.self(x, mask, &weights);
  }
  const std::string found = torch.difference("weights", weights);
  return found + torch.differences(layer, inputs, {{"y", y}});
}

TEST_CASE("torch's numbers: GRU") { check_recurrent(Cell::gru); }

TEST_CASE("torch's numbers: LSTM") { check_recurrent(Cell::lstm); }

TEST_CASE("torch's numbers: MultiheadAttention") {
  CHECK(multihead_differences("self") == "");
  CHECK(multihead_differences("self-lengths") == "");
  CHECK(multihead_differences("self-causal", true) == "");
  CHECK(multihead_differences("self-causal-lengths", true) == "");
  CHECK(multihead_differences("cross-lengths") == "");
  CHECK(multihead_differences("cross-bytes") == "");
}

TEST_CASE("torch's numbers: TransformerEncoderLayer") {
  for (const bool pre_norm : {true, false}) {
    for (const Activation activation : {Activation::relu, Activation::gelu}) {
      const std::string function = activation == Activation::relu ? "relu" : "gelu";
      const std::string name = (pre_norm ? "pre-" : "post-") + function;
      CAPTURE(name);
      TorchCase torch("encoder_layer", name);
      Rng rng(1);
      const TransformerBlock block(
          6, {.heads = 2, .inner = 7, .activation = activation, .pre_norm = pre_norm}, rng);
      torch.load(block);
      const Tensor x = torch.leaf("x");
      const Tensor y = block(x, mask_of(torch), nullptr, {});
      CHECK(torch.differences(block, {{"x", x}}, {{"y", y}}) == "");
    }
  }
}

TEST_CASE("torch's numbers: LayerNorm, also where the variance is as small as eps") {
  for (const char* name : {"wide", "near-eps"}) {
    CAPTURE(name);
    TorchCase torch("layer_norm", name);
    const LayerNorm layer(7);
    torch.load(layer);
    const Tensor x = torch.leaf("x");
    CHECK(torch.differences(layer, {{"x", x}}, {{"y", layer(x)}}) == "");
  }
}

TEST_CASE("torch's numbers: Embedding, with ids that repeat") {
  TorchCase torch("embedding", "repeated");
  Rng rng(1);
  const Embedding layer(6, 3, rng);
  torch.load(layer);
  const Tensor y = layer(torch.ids("ids"));
  CHECK(torch.differences(layer, {}, {{"y", y}}) == "");
}

}  // namespace
}  // namespace heed::tests
