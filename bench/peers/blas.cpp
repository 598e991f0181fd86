// G by whatever BLAS libblas.so.3 is: the driver points LD_LIBRARY_PATH at OpenBLAS's or BLIS's.

#include <cblas.h>
#include <dlfcn.h>

#include <memory>

#include "bench/support/protocol.hpp"
#include "bench/support/sizes.hpp"

namespace bench {

namespace {

Workload multiply(const Product& p) {
  const auto all = std::make_shared<Matrices>(p);
  Workload work{.run =
                    [p, all] {
                      for (int64_t i = 0; i < p.count; ++i) {
                        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, int(p.m), int(p.n), int(p.k),
                                    1, all->a_of(i), int(p.k), all->b_of(i), int(p.n), 0, all->c_of(i),
                                    int(p.n));
                      }
                    },
                .flop = p.flop()};
  work.run();
  work.check = all->digest();
  return work;
}

// What the library that was loaded says of itself, or where it lies.
std::string library() {
  using Text = const char* (*)();
  if (const auto config = reinterpret_cast<Text>(dlsym(RTLD_DEFAULT, "openblas_get_config"))) return config();
  Dl_info info{};
  return dladdr(reinterpret_cast<void*>(cblas_sgemm), &info) != 0 ? info.dli_fname : "unknown";
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  bench::Engine engine{bench::library(), [](int /*threads*/) {}, {}};  // the builds for one thread
  for (const bench::Product& p : bench::products())
    engine.workloads.push_back({p.name, [p] { return bench::multiply(p); }});
  return bench::serve(argc, argv, engine);
}
