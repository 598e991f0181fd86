#pragma once

#include <cstdint>

namespace heed::kernels {

// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): c[0] and c[1] are the
// low and the high half of a block's number, c[2] = c[3] = 0, and become numbers 4 block .. 4 block + 3 of
// the stream `key`. Ten rounds multiply two words by constants, swap, and mix in the key, which a Weyl
// sequence advances between rounds. W: an integer of 64 bits or a register of them; a word is its low half,
// and what stands above has no meaning. multiply(word, m) gives all 64 bits of the product.
template <class W, class Multiply>
[[gnu::always_inline]] inline void philox(W (&c)[4], uint64_t key, Multiply multiply) noexcept {
  auto k0 = static_cast<uint32_t>(key);
  auto k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const W p0 = multiply(c[0], uint64_t{0xD2511F53});
    const W p1 = multiply(c[2], uint64_t{0xCD9E8D57});
    c[0] = (p1 >> 32) ^ c[1] ^ W(uint64_t{k0});
    c[1] = p1;
    c[2] = (p0 >> 32) ^ c[3] ^ W(uint64_t{k1});
    c[3] = p0;
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
}

}  // namespace heed::kernels
