#include "layers/models/decode.hpp"

#include <algorithm>

#include "autograd/graph.hpp"
#include "layers/models/tokens.hpp"
#include "layers/models/writing.hpp"

namespace heed::inline HEED_PRECISION {

Limits seq2seq_limits(std::span<const int32_t> lengths, int64_t max_length) {
  return {.max_length = max_length,
          .end = tokens::eos,
          .never = {tokens::pad, tokens::bos},
          .lengths = {lengths.begin(), lengths.end()}};
}

std::vector<Decoded> greedy(const Autoregressive& model, DecoderState state, const Ids& previous,
                            const Limits& limits) {
  const auto likeliest = [](size_t /*answer*/, std::span<const real> log_p) {
    return static_cast<int32_t>(std::ranges::max_element(log_p) - log_p.begin());
  };
  return write("greedy", model, std::move(state), previous, limits, likeliest);
}

std::vector<Decoded> greedy(const Seq2Seq& model, const Ids& source, std::span<const int32_t> lengths,
                            int64_t max_length) {
  const NoGrad no_grad;
  return greedy(model, model.start(source, lengths), bos_of(source), seq2seq_limits(lengths, max_length));
}

}  // namespace heed::inline HEED_PRECISION
