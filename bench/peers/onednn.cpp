// F and G by oneDNN: primitives made once, executed again and again.

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "bench/support/protocol.hpp"
#include "bench/support/sizes.hpp"

extern "C" void omp_set_num_threads(int threads);

namespace bench {

namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}
dnnl::stream& stream() {
  static dnnl::stream stream(cpu());
  return stream;
}

memory::desc dense(const memory::dims& shape) {
  const auto tag = shape.size() == 1   ? memory::format_tag::a
                   : shape.size() == 2 ? memory::format_tag::ab
                                       : memory::format_tag::abc;
  return {shape, memory::data_type::f32, tag};
}

memory filled(const memory::dims& shape, uint64_t number, float scale = 1) {
  memory m(dense(shape), cpu());
  fill(static_cast<float*>(m.get_data_handle()), int64_t(m.get_desc().get_size() / 4), number, scale);
  return m;
}
memory all_of(float value, const memory::dims& shape) {
  memory m(dense(shape), cpu());
  const size_t n = m.get_desc().get_size() / 4;
  std::fill_n(static_cast<float*>(m.get_data_handle()), n, value);
  return m;
}

using Arguments = std::unordered_map<int, memory>;

// Of a primitive and its arguments, the digest being that of `result`.
Workload measured(const dnnl::primitive& primitive, const Arguments& arguments, int result, double flop,
                  double bytes) {
  Workload work{.run =
                    [=] {
                      primitive.execute(stream(), arguments);
                      stream().wait();
                    },
                .flop = flop,
                .bytes = bytes};
  work.run();
  const memory& out = arguments.at(result);
  work.check =
      digest(static_cast<const float*>(out.get_data_handle()), int64_t(out.get_desc().get_size() / 4));
  return work;
}

const memory::dims matrix{rows, columns};

Workload map(algorithm f) {
  const memory::dims shape{elements};
  const dnnl::eltwise_forward::desc desc(prop_kind::forward_inference, f, dense(shape), 0, 0);
  return measured(dnnl::eltwise_forward({desc, cpu()}),
                  {{DNNL_ARG_SRC, filled(shape, 1, row_scale)}, {DNNL_ARG_DST, all_of(0, shape)}},
                  DNNL_ARG_DST, 0, 2 * element_bytes);
}

struct Softmax {
  dnnl::softmax_forward::primitive_desc desc{{prop_kind::forward_training, dense(matrix), 1}, cpu()};
  Arguments arguments{{DNNL_ARG_SRC, filled(matrix, 1, row_scale)}, {DNNL_ARG_DST, all_of(0, matrix)}};

  Workload forward() {
    return measured(dnnl::softmax_forward(desc), arguments, DNNL_ARG_DST, 0, 2 * row_bytes);
  }
  Workload backward() {
    forward();
    const dnnl::softmax_backward::desc back(dense(matrix), dense(matrix), 1);
    return measured(dnnl::softmax_backward({back, cpu(), desc}),
                    {{DNNL_ARG_DST, arguments.at(DNNL_ARG_DST)},
                     {DNNL_ARG_DIFF_DST, filled(matrix, 2)},
                     {DNNL_ARG_DIFF_SRC, all_of(0, matrix)}},
                    DNNL_ARG_DIFF_SRC, 0, 3 * row_bytes);
  }
};

struct LayerNorm {
  dnnl::normalization_flags flags =
      dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
  dnnl::layer_normalization_forward::primitive_desc desc{
      {prop_kind::forward_training, dense(matrix), 1e-5F, flags}, cpu()};
  Arguments arguments{{DNNL_ARG_SRC, filled(matrix, 1, row_scale)}, {DNNL_ARG_DST, all_of(0, matrix)},
                      {DNNL_ARG_MEAN, all_of(0, {rows})},           {DNNL_ARG_VARIANCE, all_of(0, {rows})},
                      {DNNL_ARG_SCALE, all_of(1, {columns})},       {DNNL_ARG_SHIFT, all_of(0, {columns})}};

  Workload forward() {
    return measured(dnnl::layer_normalization_forward(desc), arguments, DNNL_ARG_DST, 0, 2 * row_bytes);
  }
  Workload backward() {
    forward();
    const dnnl::layer_normalization_backward::desc back(prop_kind::backward, dense(matrix), dense(matrix),
                                                        1e-5F, flags);
    Arguments all = arguments;
    all.insert({{DNNL_ARG_DIFF_DST, filled(matrix, 2)},
                {DNNL_ARG_DIFF_SRC, all_of(0, matrix)},
                {DNNL_ARG_DIFF_SCALE, all_of(0, {columns})},
                {DNNL_ARG_DIFF_SHIFT, all_of(0, {columns})}});
    return measured(dnnl::layer_normalization_backward({back, cpu(), desc}), all, DNNL_ARG_DIFF_SRC, 0,
                    3 * row_bytes);
  }
};

Workload by_primitive(const Product& p) {
  const auto shape = [&](int64_t m, int64_t n) {
    return p.count > 1 ? memory::dims{p.count, m, n} : memory::dims{m, n};
  };
  const memory::dims a = shape(p.m, p.k), b = shape(p.k, p.n), c = shape(p.m, p.n);
  return measured(
      dnnl::matmul({{dense(a), dense(b), dense(c)}, cpu()}),
      {{DNNL_ARG_SRC, filled(a, 1)}, {DNNL_ARG_WEIGHTS, filled(b, 2)}, {DNNL_ARG_DST, all_of(0, c)}},
      DNNL_ARG_DST, p.flop(), 0);
}

Workload by_sgemm(const Product& p) {
  const auto all = std::make_shared<Matrices>(p);
  Workload work{.run =
                    [p, all] {
                      for (int64_t i = 0; i < p.count; ++i)
                        dnnl_sgemm('N', 'N', p.m, p.n, p.k, 1, all->a_of(i), p.k, all->b_of(i), p.n, 0,
                                   all->c_of(i), p.n);
                    },
                .flop = p.flop()};
  work.run();
  work.check = all->digest();
  return work;
}

// The two take turns at being the faster, by the shape and the processor.
Workload multiply(const Product& p) {
  Workload ways[] = {by_primitive(p), by_sgemm(p)};
  double least[] = {1e300, 1e300};
  for (int round = 0; round < 20; ++round)
    for (int i : {0, 1})
      least[i] = std::min(least[i], detail::milliseconds(ways[i].run, 1 + long(1e7 / p.flop())));
  return ways[least[1] < least[0]];
}

std::string name() {
  const dnnl_version_t* v = dnnl_version();
  return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." +
         std::to_string(v->patch);
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  Engine engine{name(),
                omp_set_num_threads,
                {{"F-softmax", [] { return Softmax().forward(); }},
                 {"F-tanh", [] { return map(dnnl::algorithm::eltwise_tanh); }},
                 {"F-exp", [] { return map(dnnl::algorithm::eltwise_exp); }},
                 {"F-layer-norm", [] { return LayerNorm().forward(); }},
                 {"F-softmax-backward", [] { return Softmax().backward(); }},
                 {"F-layer-norm-backward", [] { return LayerNorm().backward(); }}}};
  for (const Product& p : products()) engine.workloads.push_back({p.name, [p] { return multiply(p); }});
  return serve(argc, argv, engine);
}
