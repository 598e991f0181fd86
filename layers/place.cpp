#include "layers/place.hpp"

#include "autograd/error.hpp"
#include "layers/known.hpp"
#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"

namespace heed::inline HEED_PRECISION {

void check_place(const char* who, std::string_view scorer, std::string_view normalizer, const Place& place) {
  const KnownScorer& s = find_known(known_scorers(), "scorer", scorer);
  const KnownNormalizer& n = find_known(known_normalizers(), "normalizer", normalizer);
  if (!place.order && !s.laws.permutation)
    fail("{}: {} goes by where a slot stands, and these slots have no order", who, scorer);
  if (!place.order && !n.laws.permutation)
    fail("{}: {} goes by where a slot stands, and these slots have no order", who, normalizer);
  if (place.grows && walks(normalizer))
    fail("{}: {} never turns back and has left a memory before it grows", who, normalizer);
  if (!place.reward && wants_reward(normalizer))
    fail("{}: {} has no gradient, and nobody rewards its choices here; take straight_through or gumbel", who,
         normalizer);
  if (place.answer && !n.laws.positive)
    fail(
        "{}: {} gives weights of 0, and here the weights are the answer, whose logarithm is the loss; take "
        "softmax or monotonic",
        who, normalizer);
}

}  // namespace heed::inline HEED_PRECISION
