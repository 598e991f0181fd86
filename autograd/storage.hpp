#pragma once

#include <cstdint>
#include <utility>

#include "autograd/pool.hpp"
#include "autograd/real.hpp"

namespace heed::inline HEED_PRECISION {

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

}  // namespace heed::inline HEED_PRECISION
