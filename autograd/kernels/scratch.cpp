#include "autograd/kernels/scratch.hpp"

#include <cstdio>
#include <cstdlib>

namespace heed::kernels {

namespace {

struct Block {
  void* p = nullptr;
  std::size_t size = 0;

  ~Block() { std::free(p); }
};

thread_local Block blocks[3];

}  // namespace

void* scratch(Scratch slot, std::size_t bytes) noexcept {
  Block& block = blocks[static_cast<int>(slot)];
  if (bytes > block.size) {
    std::free(block.p);
    block.size = (bytes + 4095) / 4096 * 4096;
    block.p = std::aligned_alloc(64, block.size);
    if (block.p == nullptr) {
      std::fprintf(stderr, "heed: out of memory for %zu bytes of scratch\n", block.size);
      std::abort();
    }
  }
  return block.p;
}

}  // namespace heed::kernels
