#include "autograd/storage.hpp"

#include <cstring>
#include <new>

namespace heed::inline HEED_PRECISION {

Buffer::Buffer(int64_t size) {
  void* memory = pool_allocate(sizeof(Block) + static_cast<size_t>(size) * sizeof(real));
  block_ = ::new (memory) Block{size, 1, 0};
}

Buffer Buffer::zeros(int64_t size) {
  Buffer buffer(size);
  std::memset(buffer.block_->elements(), 0, static_cast<size_t>(size) * sizeof(real));
  return buffer;
}

void Buffer::free_block() noexcept {
  pool_free(block_, sizeof(Block) + static_cast<size_t>(block_->size) * sizeof(real));
}

}  // namespace heed::inline HEED_PRECISION
