#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "autograd/real.hpp"

namespace heed {

// Live memory of this thread's pool. In the steady state of a training loop `requests` stands still: every
// block that is asked for is one that was given back.
struct MemoryStats {
  int64_t live_bytes = 0;    // in use now
  int64_t peak_bytes = 0;    // the most that were in use at once
  int64_t pooled_bytes = 0;  // given back, kept for reuse
  int64_t requests = 0;      // blocks that were asked of the system
};
MemoryStats memory_stats();
void reset_peak();    // peak_bytes starts again from live_bytes
void release_pool();  // gives the pooled blocks back to the system

// 64-byte aligned memory, recycled by size class (four classes per power of two), thread-local. Under the
// sanitizers nothing is recycled, so that they see every use after free.
void* pool_allocate(size_t bytes);
void pool_free(void* block, size_t bytes) noexcept;

// std's containers on the pool: PoolVector<int32_t>.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>& /*other*/) noexcept {}  // NOLINT(google-explicit-constructor)
  T* allocate(size_t n) { return static_cast<T*>(pool_allocate(n * sizeof(T))); }
  void deallocate(T* block, size_t n) noexcept { pool_free(block, n * sizeof(T)); }
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};
template <class T>
using PoolVector = std::vector<T, PoolAllocator<T>>;

inline namespace HEED_PRECISION {

// A reference-counted array of reals on the pool. Counts are not atomic: a buffer belongs to one thread.
// Every write access bumps `version`, by which backward notices that a saved value was overwritten.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(int64_t size);  // uninitialised
  static Buffer zeros(int64_t size);
  Buffer(const Buffer& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) ++block_->references;
  }
  Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Buffer() {
    if (block_ != nullptr && --block_->references == 0) free_block();
  }

  explicit operator bool() const { return block_ != nullptr; }
  [[nodiscard]] int64_t size() const { return block_->size; }
  [[nodiscard]] const real* data() const { return block_->elements(); }
  [[nodiscard]] real* mutable_data() {
    ++block_->version;
    return block_->elements();
  }
  [[nodiscard]] uint32_t version() const { return block_->version; }

 private:
  struct alignas(64) Block {
    int64_t size;
    uint32_t references;
    uint32_t version;
    real* elements() { return reinterpret_cast<real*>(this + 1); }
  };
  void free_block() noexcept;
  Block* block_ = nullptr;
};

}  // namespace HEED_PRECISION

}  // namespace heed
