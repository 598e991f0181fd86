#include "autograd/storage.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <thread>

#include "autograd/tensor.hpp"

namespace heed::tests {
namespace {

TEST_CASE("blocks are aligned to 64 bytes, whatever their size") {
  for (const int64_t size : {0, 1, 15, 16, 17, 100, 1000, 12345, 1 << 20}) {
    const Buffer buffer(size);
    CHECK(buffer.size() == size);
    CHECK(reinterpret_cast<uintptr_t>(buffer.data()) % 64 == 0);
  }
}

TEST_CASE("a buffer lives as long as its last handle") {
  const auto before = memory_stats().live_bytes;
  {
    Buffer a(1000);
    Buffer b = a;
    const Buffer c = std::move(a);
    CHECK(c.data() == b.data());
    CHECK(memory_stats().live_bytes >= before + static_cast<int64_t>(1000 * sizeof(real)));
    b = Buffer(10);
    CHECK(c.size() == 1000);
  }
  CHECK(memory_stats().live_bytes == before);
}

TEST_CASE("every write access bumps the version") {
  Buffer buffer = Buffer::zeros(3);
  const auto version = buffer.version();
  CHECK(buffer.data()[2] == 0);
  CHECK(buffer.version() == version);
  buffer.mutable_data()[0] = 1;
  CHECK(buffer.version() == version + 1);
}

TEST_CASE("peak counts what was alive at once") {
  reset_peak();
  const auto live = memory_stats().live_bytes;
  { const Buffer a(1 << 16); }
  { const Buffer b(1 << 16); }
  const auto most = memory_stats().peak_bytes - live;
  CHECK(most >= static_cast<int64_t>((1 << 16) * sizeof(real)));
  CHECK(most < static_cast<int64_t>(2 * (1 << 16) * sizeof(real)));
  CHECK(memory_stats().live_bytes == live);
}

TEST_CASE("a block that was given back is the next of its size; released, it is asked for anew") {
  release_pool();
  CHECK(memory_stats().pooled_bytes == 0);
  { const Buffer warm(777); }
  if (memory_stats().pooled_bytes == 0) return;  // sanitizers: nothing is recycled
  const auto requests = memory_stats().requests;
  for (int i = 0; i < 100; ++i) const Buffer again(777);
  CHECK(memory_stats().requests == requests);
  release_pool();
  CHECK(memory_stats().pooled_bytes == 0);
  { const Buffer anew(777); }
  CHECK(memory_stats().requests == requests + 1);
}

TEST_CASE("each thread has a pool of its own") {
  const auto before = memory_stats().live_bytes;
  int64_t live_there = -1;
  std::thread([&] {
    const Buffer buffer(100);
    live_there = memory_stats().live_bytes;
  }).join();
  CHECK(live_there > 0);
  CHECK(memory_stats().live_bytes == before);
}

}  // namespace
}  // namespace heed::tests
