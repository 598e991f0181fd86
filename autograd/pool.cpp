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

// A class for every 64 bytes up to 1024; then four per power of two, where less than 20% of a block is waste.
struct SizeClass {
  size_t index;
  size_t bytes;
};
SizeClass size_class(size_t bytes) {
  if (bytes <= 1024) {
    const size_t lines = (bytes + 63 + size_t{bytes == 0}) / 64;
    return {lines - 1, lines * 64};
  }
  const size_t last = bytes - 1;
  const auto shift = static_cast<size_t>(std::bit_width(last)) - 3;
  const size_t quarter = last >> shift;  // 4 to 7
  return {shift * 4 + (quarter - 4), (quarter + 1) << shift};
}

struct FreeBlock {
  FreeBlock* next;
};

// Plain data, so that it outlives every destructor of its thread.
struct Pool {
  FreeBlock* free[256];
  int64_t live_bytes, peak_bytes, requests;
  int64_t held_bytes;  // live or pooled
  enum { fresh, open, closed } state;
};
constinit thread_local Pool pool{};

struct PoolCloser {
  ~PoolCloser() {
    release_pool();
    pool.state = Pool::closed;
  }
};

void* request(size_t bytes) {
  constexpr size_t address_space = size_t{1}
                                   << 47;  // asked for more, a sanitizer's allocator ends the program
  void* block = bytes < address_space ? std::aligned_alloc(64, bytes) : nullptr;
  ++pool.requests;
  if (block == nullptr) fail("memory: the system has no {} bytes more", bytes);
  pool.held_bytes += static_cast<int64_t>(bytes);
  return block;
}

void give_back(void* block, size_t bytes) noexcept {
  pool.held_bytes -= static_cast<int64_t>(bytes);
  std::free(block);
}

// Whether blocks that are given back are kept: until the thread ends.
bool keeps() noexcept {
  if (!recycle || pool.state == Pool::closed) return false;
  if (pool.state == Pool::fresh) {
    thread_local const PoolCloser closer;
    pool.state = Pool::open;
  }
  return true;
}

}  // namespace

void* pool_allocate(size_t bytes) {
  const auto [index, rounded] = size_class(bytes);
  void* block = pool.free[index];
  if (block != nullptr) {
    pool.free[index] = static_cast<FreeBlock*>(block)->next;
  } else {
    block = request(rounded);  // which may throw: nothing is counted yet
  }
  pool.live_bytes += static_cast<int64_t>(rounded);
  pool.peak_bytes = std::max(pool.peak_bytes, pool.live_bytes);
  return block;
}

void pool_free(void* block, size_t bytes) noexcept {
  const auto [index, rounded] = size_class(bytes);
  pool.live_bytes -= static_cast<int64_t>(rounded);
  if (pool.state != Pool::open && !keeps()) return give_back(block, rounded);
  pool.free[index] = ::new (block) FreeBlock{pool.free[index]};
}

MemoryStats memory_stats() {
  return {pool.live_bytes, pool.peak_bytes, pool.held_bytes - pool.live_bytes, pool.requests};
}

void reset_peak() { pool.peak_bytes = pool.live_bytes; }

void release_pool() {
  pool.held_bytes = pool.live_bytes;
  for (FreeBlock*& list : pool.free) {
    while (list != nullptr) std::free(std::exchange(list, list->next));
  }
}

}  // namespace heed
