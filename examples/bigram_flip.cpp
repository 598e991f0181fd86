// Learns to flip the two symbols of each pair, 3 7 1 5 -> 7 3 5 1, and shows the learned attention.
// The map's weights step forward by one and back by one. RNNsearch (Bahdanau et al. 2014) finds them; the RNN
// Encoder-Decoder, which it grew from, gets the same training in the same run and one vector of the source.
//
//   ./dev run bigram_flip [--no-contrast] [--model rnn] [--seed 7] ...

#include "examples/support/task_program.hpp"

using namespace heed::examples;

int main(int argc, char** argv) {
  const TaskProgram flip{
      .about = "Learns to flip the two symbols of each pair, with attention and without.",
      // The data: pairs of sequences over 16 symbols, and the position that each target symbol comes from.
      .task = bigram_flip_task(16),
      // The model and its training, by --model; an option overrides what stands here.
      .presets =
          {.rnn = {.model = "rnnsearch", .scorer = "bilinear", .hidden = 64, .steps = 2500, .lr = 5e-3},
           .transformer =
               {.model = "transformer", .hidden = 64, .layers = 2, .steps = 1500, .lr = 2e-3, .warmup = 150}},
      // The report says `learned` if this share of unseen sequences is exactly right.
      .threshold = 0.99,
      .contrast = without_attention,
  };
  return run_task(flip, argc, argv);
}
