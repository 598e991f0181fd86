#pragma once

#include <cstdint>
#include <span>

namespace heed {

// A counter-based generator: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2,
// 3"). The n-th number is a pure function of (key, n), so streams split without overlap and the state is two
// numbers that one can save. Integers and uniforms are identical on every machine, normals to an ulp.
// Nothing in heed draws from a global generator: whoever needs randomness is handed an Rng.
class Rng {
 public:
  struct State {
    uint64_t key = 0;
    uint64_t counter = 0;
    friend bool operator==(const State&, const State&) = default;
  };

  explicit Rng(uint64_t seed = 0) : state_{seed, 0} {}
  explicit Rng(State state) : state_(state) {}

  // 32 random bits.
  uint32_t bits();
  // Leaves the next n times 32 bits to a kernel, which makes them from the state that this returns.
  State leave(int64_t n);
  // Uniform in [0, 1), from 53 bits.
  double uniform();
  // Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // Uniform integer in [0, n), without bias; throws unless n > 0.
  int64_t integer(int64_t n);
  // Standard normal (Box and Muller 1958).
  double normal();

  // An independent generator for a purpose (`rng.split(1)` for weights, `rng.split(2)` for data ...). Depends
  // on the key and `stream` alone, not on how many numbers were drawn.
  [[nodiscard]] Rng split(uint64_t stream) const;

  [[nodiscard]] State state() const { return state_; }

 private:
  State state_;
};

// Fisher and Yates' shuffle of 0..n-1 or any list.
void shuffle(std::span<int32_t> list, Rng& rng);

}  // namespace heed
