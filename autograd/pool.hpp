#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

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

// 64-byte aligned memory, recycled by size class, thread-local. Under the
// sanitizers nothing is recycled, so that they see every use after free. Throws Error when there is no more.
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

}  // namespace heed
