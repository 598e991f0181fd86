#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "autograd/error.hpp"
#include "layers/feed_forward.hpp"
#include "layers/norm.hpp"

// Options whose values have names.

namespace heed::examples {

// The names of an option's values: what it offers, and what a saved model may hold.
template <class Value>
struct Named {
  const char* name;
  Value value;
};

template <class Value, size_t N>
std::vector<std::string> names_of(const Named<Value> (&table)[N]) {
  std::vector<std::string> names;
  for (const Named<Value>& entry : table) names.emplace_back(entry.name);
  return names;
}

template <class Value, size_t N>
Value value_of(const char* flag, const Named<Value> (&table)[N], const std::string& name) {
  for (const Named<Value>& entry : table)
    if (name == entry.name) return entry.value;
  fail("{} {}: expected one of {}", flag, name, fmt::join(names_of(table), ", "));
}

// Of every block of self-attention.
inline constexpr Named<Activation> activations[] = {{"relu", Activation::relu},
                                                    {"gelu", Activation::gelu},
                                                    {"silu", Activation::silu},
                                                    {"swiglu", Activation::swiglu}};
inline constexpr Named<NormKind> norms[] = {{"layer", NormKind::layer}, {"rms", NormKind::rms}};

// Throws unless heads share the features, key-value heads (0: as many) the heads, and rotary positions find
// pairs; `size_flag` is how the features are asked for.
inline void check_heads(const char* size_flag, int64_t size, int64_t heads, int64_t kv_heads,
                        const std::string& positions) {
  if (size % heads != 0)
    fail("{} {} cannot be shared by --heads {}: {} is not a multiple of {}", size_flag, size, heads, size,
         heads);
  if (kv_heads > 0 && heads % kv_heads != 0)
    fail("--heads {} cannot share --kv-heads {}: {} is not a multiple of {}", heads, kv_heads, heads,
         kv_heads);
  const int64_t width = size / heads;
  if (positions == "rotary" && width % 2 != 0)
    fail("--positions rotary: the {} features of a head, {} {} by --heads {}, are odd", width, size_flag,
         size, heads);
}

}  // namespace heed::examples
