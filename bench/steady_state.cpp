// Steady state: after 10 training steps of fixed shapes, 100 more ask the system for no memory at all.

#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "layers/models/recurrent.hpp"
#include "layers/models/transformer.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"

// Every request is counted on its way to the C library, operator new's too.
namespace {
std::atomic<long> requests = 0;
}

extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t n, size_t bytes);
void* __libc_realloc(void* block, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
  ++requests;
  return __libc_malloc(bytes);
}
void* calloc(size_t n, size_t bytes) {
  ++requests;
  return __libc_calloc(n, bytes);
}
void* realloc(void* block, size_t bytes) {
  ++requests;
  return __libc_realloc(block, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  ++requests;
  return __libc_memalign(alignment, bytes);
}
void* memalign(size_t alignment, size_t bytes) {
  ++requests;
  return __libc_memalign(alignment, bytes);
}
}

void* operator new(size_t bytes) {
  ++requests;
  if (void* block = __libc_malloc(bytes)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t /*bytes*/) noexcept { std::free(block); }

namespace {

using namespace heed;

struct Batch {
  Ids source, input, target;
  std::vector<int32_t> lengths;
};

Batch fixed_batch() {
  constexpr int64_t rows = 16;
  constexpr int64_t time = 12;
  Rng rng(1);
  Batch batch{Ids({rows, time}), Ids({rows, time}), Ids({rows, time}), {}};
  for (Ids* ids : {&batch.source, &batch.input, &batch.target}) {
    for (int32_t& id : ids->values()) id = 4 + static_cast<int32_t>(rng.integer(12));
  }
  for (int64_t b = 0; b < rows; ++b) batch.lengths.push_back(static_cast<int32_t>(time - b % 5));
  return batch;
}

// How often 100 steps asked for memory, after 10 that filled the pools.
long requests_of(Seq2Seq& model) {
  const Batch batch = fixed_batch();
  Adam adam(parameters(model), {.lr = 1e-3});
  Rng rng(2);
  long before = 0;
  for (int step = 0; step < 110; ++step) {
    if (step == 10) before = requests;
    adam.zero_grad();
    backward(cross_entropy(
        model(batch.source, batch.lengths, batch.input, {.train = true, .rng = &rng}).logits, batch.target));
    clip_grad_norm(adam.parameters(), 1);
    adam.step();
  }
  return requests - before;
}

}  // namespace

int main() {
  struct Named {
    std::string name;
    std::unique_ptr<Seq2Seq> model;
  };
  std::vector<Named> models;
  Rng rng(3);
  for (const auto& [name, order] :
       {std::pair{"luong", DecoderOrder::luong}, std::pair{"input feeding", DecoderOrder::input_feeding},
        std::pair{"bahdanau", DecoderOrder::bahdanau}}) {
    for (const Cell cell : {Cell::gru, Cell::lstm}) {
      const RecurrentSeq2Seq::Options options{.source_vocabulary = 16,
                                              .target_vocabulary = 16,
                                              .cell = cell,
                                              .order = order,
                                              .dropout = real(0.1)};
      models.push_back({fmt::format("{}, {}", cell == Cell::gru ? "GRU" : "LSTM", name),
                        std::make_unique<RecurrentSeq2Seq>(options, rng)});
    }
  }
  models.push_back(
      {"Transformer", std::make_unique<TransformerSeq2Seq>(
                          TransformerSeq2Seq::Options{
                              .source_vocabulary = 16, .target_vocabulary = 16, .dropout = real(0.1)},
                          rng)});
  long total = 0;
  for (const auto& [name, model] : models) {
    const long n = requests_of(*model);
    total += n;
    fmt::print("{:<22} {} requests in 100 steps\n", name, n);
  }
  return total == 0 ? 0 : 1;
}
