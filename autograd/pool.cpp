#include "autograd/pool.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>
#include <utility>

#include "autograd/error.hpp"

namespace heed {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool recycle = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool recycle = false;
#else
constexpr bool recycle = true;
#endif
#else
constexpr bool recycle = true;
#endif

// Four classes per power of two, rounded up to the alignment: from 256 bytes on less than 20% of a block is
// waste (below, less than 64 bytes).
struct SizeClass {
  size_t index;
  size_t bytes;
};
SizeClass size_class(size_t bytes) {
  const size_t last = std::max<size_t>(bytes, 64) - 1;
  const auto shift = static_cast<size_t>(std::bit_width(last)) - 3;
  const size_t quarter = last >> shift;  // 4 to 7
  const size_t rounded = (quarter + 1) << shift;
  return {shift * 4 + (quarter - 4), (rounded + 63) / 64 * 64};
}

struct FreeBlock {
  FreeBlock* next;
};

// Plain data, so that it outlives every destructor of its thread.
struct Pool {
  FreeBlock* free[256];
  MemoryStats stats;
  bool closed;  // the thread is ending: give back at once
};
constinit thread_local Pool pool{};

void* request(size_t bytes) {
  ++pool.stats.requests;
  constexpr size_t address_space = size_t{1}
                                   << 47;  // asked for more, a sanitizer's allocator ends the program
  void* block = bytes < address_space ? std::aligned_alloc(64, bytes) : nullptr;
  if (block == nullptr) fail("memory: the system has no {} bytes more", bytes);
  return block;
}

struct PoolCloser {
  ~PoolCloser() {
    release_pool();
    pool.closed = true;
  }
};

}  // namespace

void* pool_allocate(size_t bytes) {
  const auto [index, rounded] = size_class(bytes);
  MemoryStats& stats = pool.stats;
  FreeBlock* pooled = pool.free[index];
  void* block = pooled != nullptr ? pooled : request(rounded);  // which may throw: nothing is counted yet
  if (pooled != nullptr) {
    pool.free[index] = pooled->next;
    stats.pooled_bytes -= static_cast<int64_t>(rounded);
  }
  stats.live_bytes += static_cast<int64_t>(rounded);
  stats.peak_bytes = std::max(stats.peak_bytes, stats.live_bytes);
  return block;
}

void pool_free(void* block, size_t bytes) noexcept {
  const auto [index, rounded] = size_class(bytes);
  pool.stats.live_bytes -= static_cast<int64_t>(rounded);
  if (!recycle || pool.closed) {
    std::free(block);
    return;
  }
  thread_local const PoolCloser closer;  // made when the first block is given back
  pool.free[index] = ::new (block) FreeBlock{pool.free[index]};
  pool.stats.pooled_bytes += static_cast<int64_t>(rounded);
}

MemoryStats memory_stats() { return pool.stats; }

void reset_peak() { pool.stats.peak_bytes = pool.stats.live_bytes; }

void release_pool() {
  for (FreeBlock*& list : pool.free) {
    while (list != nullptr) std::free(std::exchange(list, list->next));
  }
  pool.stats.pooled_bytes = 0;
}

}  // namespace heed
