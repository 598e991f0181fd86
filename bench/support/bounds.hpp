#pragma once

#include <string>
#include <vector>

// What the machine can do at most, to hold measurements against.

namespace bench {

// Multiplies and adds in registers alone, for some 10 us, with the widest instructions of an architecture of
// heed's kernels ("sse2", "avx2", "avx512", "neon64"). Returns how many operations that were.
double multiply_add(const std::string& architecture);

// The triad of STREAM (McCalpin 1995), a = b + s c, over arrays far larger than any cache.
class Triad {
 public:
  Triad();
  void run(int threads);
  [[nodiscard]] double bytes() const { return 12.0 * double(a_.size()); }

 private:
  std::vector<float> a_, b_, c_;
};

}  // namespace bench
