#include "examples/support/inside.hpp"

#include <cmath>

#include "autograd/ops.hpp"
#include "layers/scorers/all.hpp"

namespace heed::examples {
namespace {

Tensor columns(const Tensor& weight, int64_t begin, int64_t end) { return slice(weight, 1, begin, end); }

// v . tanh(of_query + of_key), the part of Additive and Concat.
std::vector<Named> network(const char* query, const char* key, const Tensor& of_query, const Tensor& of_keys,
                           const Tensor& v) {
  const Tensor hidden = tanh(of_query + of_keys);
  return {{query, "", of_query},
          {key, "a row per slot, computed once per memory", of_keys},
          {"hidden_s", std::string("tanh(") + query + " + " + key + ")", hidden},
          {"v_i hidden_si", "their sum over i is the score", hidden * v}};
}

Tensor length(const Tensor& x) { return sqrt(sum(x * x, -1, true)); }

}  // namespace

std::vector<Named> inside(const Scorer& scorer, const Tensor& query, const Tensor& keys) {
  if (const auto* s = dynamic_cast<const Additive*>(&scorer)) {
    return network("W q", "U k_s", s->query(query), s->key(keys), s->v);
  }
  if (const auto* s = dynamic_cast<const Concat*>(&scorer)) {
    const int64_t q = s->query_size;
    return network("W_q q", "W_k k_s", linear(query, columns(s->weight, 0, q)),
                   linear(keys, columns(s->weight, q, s->weight.size(1))), s->v);
  }
  if (const auto* s = dynamic_cast<const ConcatLinear*>(&scorer)) {
    const int64_t q = s->query_size;
    return {{"w_q . q", "the same for every slot: softmax does not see it",
             linear(query, columns(s->weight, 0, q))},
            {"w_k . k_s", "", linear(keys, columns(s->weight, q, s->weight.size(1)))}};
  }
  if (const auto* s = dynamic_cast<const Cosine*>(&scorer)) {
    return {{"|q|", "", length(query)},
            {"|k_s|", "", length(keys)},
            {"q . k_s", "", matmul(keys, query, {.b = true})},
            {"cos(q, k_s)", "q . k_s / (|q| |k_s|)",
             matmul(keys / length(keys), query / length(query), {.b = true})},
            {"beta", "softplus(w . q + b)", softplus(s->sharpness(query))}};
  }
  if (const auto* s = dynamic_cast<const Bilinear*>(&scorer)) {
    return {{"W k_s", "a row per slot, computed once per memory", s->key(keys)},
            {"q_i (W k_s)_i", "their sum over i is the score", query * s->key(keys)}};
  }
  if (dynamic_cast<const ScaledDot*>(&scorer) != nullptr) {
    return {{"q_i k_si / sqrt(K)", "their sum over i is the score",
             scale(query * keys, 1 / std::sqrt(static_cast<real>(keys.size(2))))}};
  }
  if (dynamic_cast<const Dot*>(&scorer) != nullptr) {
    return {{"q_i k_si", "their sum over i is the score", query * keys}};
  }
  return {};
}

}  // namespace heed::examples
