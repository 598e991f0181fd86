// G: matrix products alone, by heed's kernel.

#include <memory>
#include <vector>

#include "autograd/kernels/kernels.hpp"
#include "bench/support/numbers.hpp"
#include "bench/support/sizes.hpp"
#include "bench/workloads/workloads.hpp"

namespace bench {

namespace {

Workload multiply(const Product& p) {
  const auto all = std::make_shared<Matrices>(p);
  Workload work{.run =
                    [p, all] {
                      for (int64_t i = 0; i < p.count; ++i) {
                        heed::kernels::table<float>().gemm(false, false, p.m, p.n, p.k, 1, all->a_of(i), p.k,
                                                           all->b_of(i), p.n, false, all->c_of(i), p.n);
                      }
                    },
                .flop = p.flop()};
  work.run();
  work.check = all->digest();
  return work;
}

}  // namespace

void add_products(Workloads& list) {
  for (const Product& p : products()) list.push_back({p.name, [p] { return multiply(p); }});
}

}  // namespace bench
