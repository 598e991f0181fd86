#pragma once

#include <cstddef>

namespace heed::kernels {

// At least `bytes` of 64-byte aligned memory that belongs to this thread until its next call with the same
// slot. Grows to the largest request and is kept: in the steady state nobody asks the system for memory.
enum class Scratch { left, right, turned };  // of a matrix product: packed operands, the result transposed
void* scratch(Scratch slot, std::size_t bytes) noexcept;

}  // namespace heed::kernels
