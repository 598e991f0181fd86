#include "layers/models/intra_attention.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/place.hpp"

namespace heed::inline HEED_PRECISION {

namespace {

IntraAttention::Options checked(const IntraAttention::Options& o) {
  check_place("IntraAttention", o.scorer, o.normalizer, {.grows = true});
  return o;
}

}  // namespace

IntraAttention::IntraAttention(const Options& options, Rng& rng)
    : cell(Cell::lstm, checked(options).input, options.hidden, rng),
      scorer(make_scorer(options.scorer,
                         {.query = options.input + options.hidden,
                          .key = options.hidden,
                          .hidden = options.hidden,
                          .slots = options.slots},
                         rng)),
      normalizer(make_normalizer(options.normalizer,
                                 {.query = options.input + options.hidden, .hidden = options.hidden}, rng)) {}

IntraAttention::State IntraAttention::start(int64_t batch) const { return {{}, cell.start(batch)}; }

Tensor IntraAttention::step(const Tensor& x, State& state, Tensor* weights, const Pass& pass) const {
  if (x.rank() != 2) fail("IntraAttention: one step takes (B, I), not {}", x.shape().text());
  if (state.past.slots() > 0) {
    const Tensor query = concat({x, hidden_part(cell.cell, state.context)}, 1);  // x_t | h~_(t-1)
    Past before{.steps = state.past.slots()};  // all that goes with a memory that grows
    const Attended seen = attend(query, state.past, *scorer, *normalizer, pass, &before);
    state.context = seen.context;
    if (weights != nullptr) *weights = seen.weights;
  }
  const Tensor next = cell(x, state.context);  // h_t | c_t
  Tensor h = hidden_part(cell.cell, next);
  const auto slot = [](const Tensor& s) { return s.reshape({s.size(0), 1, s.size(1)}); };
  state.past.append(scorer->prepare(slot(h), slot(next)));
  return h;
}

IntraAttention::Result IntraAttention::operator()(const Tensor& x, const Pass& pass) const {
  if (x.rank() != 3 || x.size(1) < 1) fail("IntraAttention: input is {}, wants (B, T, I)", x.shape().text());
  const int64_t steps = x.size(1);
  State state = start(x.size(0));
  TensorList outputs, rows;
  for (int64_t t = 0; t < steps; ++t) {
    Tensor weights;
    outputs.push_back(step(select(x, 1, t), state, &weights, pass));
    rows.push_back(weights.defined() ? pad(weights, 1, 0, steps - t) : Tensor::zeros({x.size(0), steps}));
  }
  return {stack(outputs, 1), stack(rows, 1)};
}

void IntraAttention::visit(const Visitor& visitor) const {
  visitor("cell", cell);
  visitor("scorer", *scorer);
  visitor("normalizer", *normalizer);
}

}  // namespace heed::inline HEED_PRECISION
