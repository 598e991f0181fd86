#include "layers/embedding.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/init.hpp"

namespace heed::inline HEED_PRECISION {

Embedding::Embedding(int64_t vocabulary, int64_t size, Rng& rng, real stddev) {
  if (vocabulary < 1 || size < 1) {
    fail("Embedding: sizes vocabulary {}, features {} must be at least 1", vocabulary, size);
  }
  weight = normal_init({vocabulary, size}, stddev, rng);
}

Tensor Embedding::operator()(const Ids& ids) const { return embedding(weight, ids); }

}  // namespace heed::inline HEED_PRECISION
