#include "autograd/profile.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/kernels/parallel.hpp"
#include "autograd/ops.hpp"
#include "tests/support/close.hpp"

namespace heed::tests {

namespace {

Tensor ones(Shape shape) { return Tensor::full(shape, 1).requires_grad(); }

// What a profile of `f` found; a row that it does not have is empty.
template <class F>
Profile profile_of(F f) {
  start_profile();
  f();
  Profile found = profile();
  stop_profile();
  return found;
}
ProfileRow row(const Profile& found, const std::string& name) {
  for (const ProfileRow& row : found.rows)
    if (row.name == name) return row;
  return {};
}

constexpr auto moment = std::chrono::milliseconds(2);

}  // namespace

TEST_CASE("a profile counts each op once, forward and backward, and its rows add up") {
  const Tensor x = ones({5, 7}), w = ones({7, 3});
  const auto begin = std::chrono::steady_clock::now();
  const Profile found = profile_of([&] {
    backward(mean(tanh(matmul(x, w))));
    const NoGrad no_grad;
    argmax(tanh(matmul(x, w)));
  });
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  for (const char* op : {"matmul", "tanh"}) CHECK(row(found, op).calls == 2);
  for (const char* op : {"sum", "scale", "argmax", "backward"}) CHECK(row(found, op).calls == 1);
  for (const char* op : {"matmul", "tanh", "sum", "scale"})
    CHECK(row(found, std::string(op) + " backward").calls == 1);
  CHECK(row(found, "outside ops").calls == 0);
  CHECK(found.rows.size() == 11);  // none for mean, which is sum and scale
  double sum = 0;
  for (const ProfileRow& r : found.rows) {
    CHECK(r.seconds >= 0);
    sum += r.seconds / found.seconds;
  }
  CHECK(close(sum, 1, 1e-12, 0));
  CHECK(found.seconds > 0);
  CHECK(found.seconds <= wall.count());
  CHECK(found.on_processor > 0);
  CHECK(found.on_processor <= found.seconds + 0.01);
  CHECK(found.precision == (sizeof(real) == 8 ? "double" : "float"));
}

TEST_CASE("a product is 2 m n k flops forward, and as many backward for each gradient that is wanted") {
  const Tensor a = ones({5, 7}), b = ones({7, 3}), fixed = Tensor::full({7, 3}, 1);
  const Profile both = profile_of([&] { backward(sum(matmul(a, b))); });
  CHECK(row(both, "matmul").flops == 2 * 5 * 7 * 3);
  CHECK(row(both, "matmul backward").flops == 4 * 5 * 7 * 3);
  CHECK(row(both, "sum").flops == 0);
  const Profile one = profile_of([&] { backward(sum(matmul(a, fixed))); });
  CHECK(row(one, "matmul backward").flops == 2 * 5 * 7 * 3);
}

TEST_CASE("products on other threads are counted") {
  const int before = kernels::threads();
  const Tensor a = ones({16, 64, 64}), b = ones({16, 64, 64});  // threads split the batch
  const Tensor c = ones({256, 256}), d = ones({256, 256});      // gemm splits it
  for (const int threads : {1, 3}) {
    kernels::set_threads(threads);
    const Profile found = profile_of([&] {
      matmul(a, b);
      matmul(c, d);
    });
    CHECK(row(found, "matmul").flops == 16 * 2.0 * 64 * 64 * 64 + 2.0 * 256 * 256 * 256);
    CHECK(found.one.threads == 1);
    CHECK(found.all.threads == threads);
    CHECK(found.one.flops > 1e8);
    CHECK(found.all.bytes > 1e7);
  }
  kernels::set_threads(before);
}

TEST_CASE(
    "bytes are those of inputs, output and wanted gradients; of what is picked, those that are picked") {
  const Tensor x = ones({100, 10});
  const Profile found = profile_of([&] {
    backward(sum(tanh(x)));
    backward(sum(slice(x, 0, 20, 24)));
    backward(sum(embedding(x, Ids({3}, {1, 2, 1}))));
  });
  const auto numbers = [&](const char* name) { return row(found, name).bytes / sizeof(real); };
  CHECK(numbers("tanh") == 2000);
  CHECK(numbers("tanh backward") == 2000);
  CHECK(numbers("slice") == 80);
  CHECK(numbers("slice backward") == 80);
  CHECK(numbers("embedding") == 60);
  CHECK(numbers("sum") == 1000 + 40 + 30 + 3);
}

TEST_CASE("nothing is recorded while no profile is taken") {
  const Tensor x = ones({4, 4});
  const Profile first = profile_of([&] { tanh(x); });
  CHECK_FALSE(Profiling::on);
  tanh(matmul(x, x));
  { const Timed timed("part"); }
  const Profile after = profile();
  CHECK(row(after, "tanh").calls == 1);
  CHECK(row(after, "matmul").calls == 0);
  CHECK(row(after, "part").calls == 0);
  CHECK(after.seconds == first.seconds);
  const Profile second = profile_of([&] { matmul(x, x); });  // begins anew
  CHECK(row(second, "tanh").calls == 0);
  CHECK(row(second, "matmul").flops == 2 * 4 * 4 * 4);
}

TEST_CASE("an op's clock starts with the op: what came before is not its own") {
  const Tensor x = ones({1, 2, 2}), square = ones({2, 2}), vector = ones({2});
  Rng rng(1);
  const std::vector<std::pair<const char*, std::function<void()>>> ops = {
      {"add", [&] { add(x, x); }},
      {"additive_scores", [&] { additive_scores(x, x, vector); }},
      {"concat",
       [&] {
         concat({x, x}, 0);
       }},
      {"cross_entropy",
       [&] {
         cross_entropy(square, Ids({2}, {0, 1}));
       }},
      {"dot_attention", [&] { dot_attention(x, x, x, 1, 1); }},
      {"dropout", [&] { dropout(x, real(0.5), rng); }},
      {"embedding", [&] { embedding(square, Ids({1}, {0})); }},
      {"layer_norm", [&] { layer_norm(x, vector, vector); }},
      {"linear", [&] { linear(x, square, vector); }},
      {"max", [&] { max(x); }},
      {"monotonic",
       [&] {
         monotonic(x, Tensor::zeros({1, 2}));
       }},
      {"mse", [&] { mse(x, x); }},
      {"recurrent",
       [&] {
         recurrent(Cell::rnn, x, Tensor::zeros({1, 2}), square, vector);
       }},
      {"rotary", [&] { rotary(x, 1); }},
      {"softmax", [&] { softmax(x); }},
      {"sparsemax", [&] { sparsemax(x); }},
      {"sum", [&] { sum(x); }},
      {"windows", [&] { windows(x, 2, 1, 1); }},
  };
  for (const auto& op : ops) {
    const std::string name = op.first;
    CAPTURE(name);
    const Profile found = profile_of([&] {
      std::this_thread::sleep_for(moment);
      op.second();
    });
    CHECK(row(found, name).calls == 1);
    CHECK(row(found, "outside ops").seconds >= 0.002);
  }
}

TEST_CASE("a Timed part is charged what no op inside it is charged") {
  const Tensor x = ones({4});
  const Profile found = profile_of([&] {
    const Timed outer("outer");
    {
      const Timed inner("inner");
      inner.moves(64);
      tanh(x);
      std::this_thread::sleep_for(moment);
    }
    std::this_thread::sleep_for(moment);
  });
  CHECK(row(found, "inner").calls == 1);
  CHECK(row(found, "inner").bytes == 64);
  CHECK(row(found, "inner").seconds >= 0.002);
  CHECK(row(found, "outer").seconds >= 0.002);
  CHECK(row(found, "tanh").calls == 1);
}

TEST_CASE("a Timed part may outlive its profile, and begin before it") {
  const Timed before("before");
  start_profile();
  {
    const Timed during("during");
    stop_profile();
  }
  start_profile();
  CHECK(row(profile(), "before").calls == 0);
  CHECK(row(profile(), "during").calls == 0);
  CHECK(row(profile(), "outside ops").calls == 0);
  stop_profile();
}

TEST_CASE("the table says what was measured, in which type, on how many threads, and of which peak") {
  Profile p;
  p.precision = "float";
  p.rows = {
      {"matmul backward", 20, 1.5, 75e9, 1e9}, {"tanh", 10, 0.4, 0, 6e9}, {"outside ops", 0, 0.1, 0, 0}};
  p.seconds = 2;
  p.on_processor = 1.75;
  p.one = {1, 100e9, 25e9};
  p.all = {2, 200e9, 30e9};
  CHECK(close(p.of_peak(p.rows[0]), 0.25, 1e-12, 0));
  CHECK(close(p.of_peak(p.rows[1]), 0.5, 1e-12, 0));
  CHECK(p.of_peak(p.rows[2]) == 0);
  const std::string rows =
      "                                calls   seconds   share            rate  of peak\n"
      "matmul backward                    20     1.500   75.0%    50.0 GFLOP/s      25%\n"
      "tanh                               10     0.400   20.0%    15.0 GB/s         50%\n"
      "outside ops                               0.100    5.0%\n";
  CHECK(p.table() ==
        "profile: 2.00 s (1.75 on the processor) in float on 2 threads, whose peak is 200.0 GFLOP/s in "
        "registers, 30.0 GB/s from "
        "memory (one's: 100.0, 25.0)\n" +
            rows);
  p.precision = "double";
  p.all = p.one;
  CHECK(p.table().starts_with(
      "profile: 2.00 s (1.75 on the processor) in double on 1 thread, whose peak is 100.0 GFLOP/s in "
      "registers, 25.0 GB/s from memory\n"));
}

}  // namespace heed::tests
