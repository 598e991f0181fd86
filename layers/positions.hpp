#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "autograd/ops.hpp"
#include "layers/module.hpp"

namespace heed::inline HEED_PRECISION {

// How self-attention learns where its tokens stand; without, it treats them as a set. A kind of positions
// acts in one of two places: once on the inputs of a stack of blocks, or in every self-attention, on its
// queries and keys or on its scores. What it has no part in it leaves as it is.
struct Positions : Module {
  static constexpr bool on_inputs = false;

  // x (B, T, D), tokens that stand at first, first + 1, ...: what a stack of blocks begins with.
  [[nodiscard]] virtual Tensor place(const Tensor& x, int64_t /*first*/) const { return x; }
  // Queries or keys (B, T, H E) of such tokens, before their product.
  [[nodiscard]] virtual Tensor turn(const Tensor& x, int64_t /*heads*/, int64_t /*first*/) const { return x; }
  // What scores and values know of distance: sets key_offsets, value_offsets or slopes.
  virtual void relate(DotAttention& /*how*/) const {}
  void visit(const Visitor& /*visitor*/) const override {}  // by default: no parameters
};

// What positions are made from; each reads what it needs.
struct PositionSizes {
  int64_t size;          // D, of the tokens
  int64_t heads = 1;     // H, and the features of one
  int64_t width = 0;     // E
  int64_t longest = 64;  // tokens of the longest sequence, of learned positions
  int64_t reach = 16;    // R, of relative positions: beyond it a distance counts as R
};

// One of the list in positions/all.hpp.
struct KnownPositions {
  const char* name;
  const char* formula;
  bool on_inputs;
  std::unique_ptr<Positions> (*make)(const PositionSizes& sizes, Rng& rng);
};
std::span<const KnownPositions> known_positions();

// By name; null for "none", and for those that act in the other place. Throws `no positions "x"; there are
// none, sinusoidal, ...`, and what the positions themselves throw.
std::unique_ptr<Positions> make_positions(std::string_view name, bool on_inputs, const PositionSizes& sizes,
                                          Rng& rng);

}  // namespace heed::inline HEED_PRECISION
