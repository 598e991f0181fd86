// F by Eigen: array expressions, a row at a time, so that what a row needs stays in the nearest cache.

#include <Eigen/Core>
#include <memory>

#include "bench/support/protocol.hpp"
#include "bench/support/sizes.hpp"

namespace bench {

namespace {

using Matrix = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Row = Eigen::Array<float, 1, Eigen::Dynamic>;

Matrix filled(int64_t m, int64_t n, uint64_t stream, float scale) {
  Matrix x(m, n);
  fill(x.data(), x.size(), stream, scale);
  return x;
}

struct Data {
  Matrix x, y, dy, dx;
  Row mean = Row(rows), rstd = Row(rows), gamma = Row::Ones(columns), beta = Row::Zero(columns),
      dgamma = Row::Zero(columns), dbeta = Row::Zero(columns);
};

void softmax(Data& d) {
  for (Eigen::Index r = 0; r < d.x.rows(); ++r) {
    d.y.row(r) = (d.x.row(r) - d.x.row(r).maxCoeff()).exp();
    d.y.row(r) *= 1 / d.y.row(r).sum();
  }
}

void softmax_backward(Data& d) {
  for (Eigen::Index r = 0; r < d.x.rows(); ++r)
    d.dx.row(r) = d.y.row(r) * (d.dy.row(r) - (d.y.row(r) * d.dy.row(r)).sum());
}

void layer_norm(Data& d) {
  for (Eigen::Index r = 0; r < d.x.rows(); ++r) {
    const auto x = d.x.row(r);
    d.mean[r] = x.mean();
    d.rstd[r] = 1 / std::sqrt((x - d.mean[r]).square().mean() + 1e-5F);
    d.y.row(r) = (x - d.mean[r]) * d.rstd[r] * d.gamma + d.beta;
  }
}

void layer_norm_backward(Data& d) {
  d.dgamma.setZero();
  d.dbeta.setZero();
  Row h(columns), dh(columns);
  for (Eigen::Index r = 0; r < d.x.rows(); ++r) {
    const auto dy = d.dy.row(r);
    h = (d.x.row(r) - d.mean[r]) * d.rstd[r];
    dh = dy * d.gamma;
    d.dgamma += dy * h;
    d.dbeta += dy;
    d.dx.row(r) = d.rstd[r] * (dh - dh.mean() - h * (dh * h).mean());
  }
}

void tanh(Data& d) { d.y = d.x.tanh(); }
void exp(Data& d) { d.y = d.x.exp(); }

using Function = void (*)(Data&);

Workload measured(int64_t m, int64_t n, double bytes, Function f, Matrix Data::*result,
                  Function before = nullptr) {
  const auto data = std::make_shared<Data>();
  data->x = filled(m, n, 1, row_scale);
  data->dy = filled(m, n, 2, 1);
  data->y = data->dx = Matrix::Zero(m, n);
  if (before != nullptr) before(*data);
  Workload work{.run = [=] { f(*data); }, .bytes = bytes};
  work.run();
  const Matrix& out = (*data).*result;
  work.check = digest(out.data(), out.size());
  return work;
}

Workload map(Function f) { return measured(1, elements, 2 * element_bytes, f, &Data::y); }
Workload forward(Function f) { return measured(rows, columns, 2 * row_bytes, f, &Data::y); }
Workload backward(Function f, Function before) {
  return measured(rows, columns, 3 * row_bytes, f, &Data::dx, before);
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const std::string version = std::to_string(EIGEN_WORLD_VERSION) + "." +
                              std::to_string(EIGEN_MAJOR_VERSION) + "." + std::to_string(EIGEN_MINOR_VERSION);
  return serve(argc, argv,
               {"Eigen " + version + " (" + Eigen::SimdInstructionSetsInUse() + ")",
                [](int /*threads*/) {},  // such expressions use one
                {{"F-softmax", [] { return forward(softmax); }},
                 {"F-tanh", [] { return map(bench::tanh); }},
                 {"F-exp", [] { return map(bench::exp); }},
                 {"F-layer-norm", [] { return forward(layer_norm); }},
                 {"F-softmax-backward", [] { return backward(softmax_backward, softmax); }},
                 {"F-layer-norm-backward", [] { return backward(layer_norm_backward, layer_norm); }}}});
}
