#include <doctest/doctest.h>

#include "autograd/kernels/kernels.hpp"

namespace heed::kernels {

TEST_CASE("a table is chosen, found by its name, and complete") {
  const Table<float>& f = table<float>();
  const Table<double>& d = table<double>();
  CHECK(table_of<float>(f.arch) == &f);
  CHECK(table_of<double>(d.arch) == &d);
  CHECK(table_of<float>("abacus") == nullptr);
  CHECK(table_of<double>("abacus") == nullptr);
}

}  // namespace heed::kernels
