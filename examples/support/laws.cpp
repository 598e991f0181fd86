#include "examples/support/laws.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"

namespace heed::examples {
namespace {

constexpr int64_t B = Specimen::B, T = Specimen::T, S = Specimen::S, size = Specimen::size;
// For two ways to compute one thing, relative to the largest element.
constexpr double tolerance = sizeof(real) == 8 ? 1e-12 : 2e-5;

Tensor random(const Shape& shape, Rng& rng) {
  Tensor x = Tensor::empty(shape);
  real* values = x.mutable_data();
  for (int64_t i = 0; i < x.size(); ++i) values[i] = static_cast<real>(rng.uniform(-1, 1));
  return x;
}

// Equal but for rounding; NaN equals nothing.
bool same(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return false;
  double largest = 1;
  for (const real v : b.values()) largest = std::max(largest, std::abs(static_cast<double>(v)));
  for (int64_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]);
    if (!(std::abs(difference) <= tolerance * largest)) return false;
  }
  return true;
}

bool same(const Attended& a, const Attended& b) {
  return same(a.context, b.context) && same(a.weights, b.weights);
}

bool zero(const Tensor& x) {
  return std::all_of(x.values().begin(), x.values().end(), [](real v) { return v == 0; });
}

bool finite(const Tensor& x) {
  return std::all_of(x.values().begin(), x.values().end(), [](real v) { return std::isfinite(v); });
}

Tensor row(const Tensor& x, int64_t b) { return slice(x, 0, b, b + 1); }

// x with its slots (axis 1) in another order, some perhaps twice.
Tensor reorder(const Tensor& x, const std::vector<int64_t>& order) {
  std::vector<Tensor> slots;
  slots.reserve(order.size());
  for (const int64_t s : order) slots.push_back(select(x, 1, s));
  return stack(slots, 1);
}

Tensor reorder_slots(const Tensor& weights, const std::vector<int64_t>& order) {
  return transpose(reorder(transpose(weights), order));
}

// A loss that depends on all that one may depend on, on every element differently.
Tensor loss(const Attended& seen) {
  Rng rng(77);
  Tensor total = Tensor::scalar(0);
  for (const Tensor& x : {seen.context, seen.weights, scale(seen.probabilities, 2)}) {
    total = total + sum(x * random(x.shape(), rng));
  }
  return total;
}

// Hides slots 4 and 5 of row 0, slot 1 of row 1, nothing of row 2.
Mask holes() { return Mask::of_bytes(B, S, {1, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}); }

// The parts of (B, S, ...) that it hides.
bool zero_in_holes(const Tensor& x) {
  return zero(slice(row(x, 0), 1, 4, 6)) && zero(slice(row(x, 1), 1, 1, 2));
}

bool sums_to_one(Specimen& c) {
  bool holds = true;
  for (const Mask& mask : {Mask(), holes(), Mask::of_lengths({6, 1, 3}), Mask().causal()}) {
    const Tensor weights = c.look(mask).weights;
    holds = holds && same(sum(weights, -1), Tensor::full({B, T}, 1));
  }
  return holds;
}

bool is_average(Specimen& c) {
  bool holds = true;
  for (const Mask& mask : {Mask(), holes(), Mask::of_lengths({6, 1, 3}), Mask().causal()}) {
    const Attended seen = c.look(mask);
    for (const real w : seen.weights.values()) holds = holds && w >= 0;
    const Tensor totals = sum(seen.weights, -1);
    for (const real total : totals.values()) holds = holds && total <= 1 + tolerance;
    holds = holds && same(seen.context, matmul(seen.weights, c.values));
  }
  return holds;
}

bool permutes(Specimen& c) {
  const std::vector<int64_t> order{3, 0, 5, 1, 4, 2};
  const Attended seen = c.look();
  const Attended other = c.look(c.query, reorder(c.keys, order), reorder(c.values, order));
  return same(other.context, seen.context) && same(other.weights, reorder_slots(seen.weights, order));
}

bool ignores_masked(Specimen& c) {
  c.keys.requires_grad();
  c.values.requires_grad();
  const Attended seen = c.look(holes());
  backward(loss(seen));
  bool holds = zero_in_holes(transpose(seen.weights)) && zero_in_holes(c.values.grad()) &&
               !zero(row(c.values.grad(), 2));
  const Tensor of_keys = c.keys.grad();  // none, where the scorer does not look at them
  holds = holds && (!of_keys.defined() || zero_in_holes(of_keys));
  for (int64_t i = 4 * size; i < 6 * size; ++i) c.keys.mutable_data()[i] = 50;
  return holds && same(c.look(holes()), seen);
}

bool ignores_appended(Specimen& c) {
  const Attended seen = c.look(c.query, slice(c.keys, 1, 0, 4), slice(c.values, 1, 0, 4));
  bool holds = true;
  for (const Mask& mask : {Mask::of_lengths({4, 4, 4}),
                           Mask::of_bytes(B, S, {1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0})}) {
    const Attended longer = c.look(mask);
    holds = holds && same(longer.context, seen.context) && same(slice(longer.weights, 2, 0, 4), seen.weights);
  }
  return holds;
}

bool survives_nothing(Specimen& c) {
  c.query.requires_grad();
  c.keys.requires_grad();
  const Attended seen = c.look(Mask::of_lengths({0, 6, 2}));
  backward(loss(seen));
  bool holds = zero(row(seen.weights, 0)) && zero(row(seen.context, 0));
  TensorList all = parameters(*c.scorer);
  for (const Tensor& p : parameters(*c.normalizer)) all.push_back(p);
  all.push_back(c.query);
  all.push_back(c.keys);
  for (const Tensor& x : all) holds = holds && (!x.grad().defined() || finite(x.grad()));
  return holds && (!c.query.grad().defined() || zero(row(c.query.grad(), 0)));
}

bool shifts(Specimen& c) {
  const Tensor scores = (*c.scorer)(c.query, c.scorer->prepare(c.keys, c.values));
  const Moment moment{.query = c.query};
  return same((*c.normalizer)(shift(scores, 1), {}, moment).weights,
              (*c.normalizer)(scores, {}, moment).weights);
}

bool shares_equally(Specimen& c) {
  const Attended equal = c.look(c.query, reorder(c.keys, std::vector<int64_t>(S, 3)), c.values);
  return same(equal.weights, Tensor::full({B, T, S}, real(1) / S));
}

bool gives_the_only_value(Specimen& c) {
  const Attended one = c.look(c.query, slice(c.keys, 1, 2, 3), slice(c.values, 1, 2, 3));
  return same(one.weights, Tensor::full({B, T, 1}, 1)) &&
         same(one.context, expand(slice(c.values, 1, 2, 3), {B, T, 2}));
}

bool doubles(Specimen& c) {
  const std::vector<int64_t> twice{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5};
  const Attended seen = c.look();
  const Attended doubled = c.look(c.query, reorder(c.keys, twice), reorder(c.values, twice));
  return same(scale(slice(doubled.weights, 2, 6, 12), 2), seen.weights) &&
         same(doubled.context, seen.context);
}

// Scores apart, but not by so much that a weight of e^-score would be lost to rounding.
bool leaves_none_out(Specimen& c) {
  Tensor scores = Tensor::empty({B, T, S});
  for (int64_t i = 0; i < scores.size(); ++i) scores.mutable_data()[i] = static_cast<real>(i % S);
  const Tensor weights = (*c.normalizer)(scores, {}, {.query = c.query}).weights;
  return std::all_of(weights.values().begin(), weights.values().end(), [](real w) { return w > 0; });
}

// A scorer that has to know the most slots in advance refuses more.
bool takes_any_number(Specimen& c) try {
  Rng rng(12);
  bool holds = true;
  for (const int64_t n : {1, 2, 3, 10, 33, 100, 1000}) {
    const Attended seen = c.look(c.query, random({B, n, size}, rng), random({B, n, 2}, rng));
    holds = holds && seen.weights.shape() == Shape{B, T, n} && finite(seen.weights) && finite(seen.context);
    if (c.laws.sum_to_one) holds = holds && same(sum(seen.weights, -1), Tensor::full({B, T}, 1));
  }
  return holds;
} catch (const Error&) {
  return false;
}

bool takes_rows_alone(Specimen& c) {
  const std::vector<int32_t> lengths{6, 2, 4};
  const Attended all = c.look(Mask::of_lengths(lengths));
  bool holds = true;
  for (int64_t b = 0; b < B; ++b) {
    const Memory memory = c.scorer->prepare(row(c.keys, b), row(c.values, b),
                                            Mask::of_lengths({lengths[static_cast<size_t>(b)]}));
    Past past;
    for (int64_t t = 0; t < T; ++t) {
      const Attended one = attend(row(select(c.query, 1, t), b), memory, *c.scorer, *c.normalizer, {}, &past);
      holds = holds && same(one.context, row(select(all.context, 1, t), b)) &&
              same(one.weights, row(select(all.weights, 1, t), b));
    }
  }
  return holds;
}

constexpr Law laws[] = {
    {"average", "context = sum of weights times values, no weight below 0, no sum above 1", nullptr,
     is_average},
    {"sum to 1", "the weights of a row sum to 1", &Laws::sum_to_one, sums_to_one},
    {"permute", "permuting the memory permutes the weights and leaves the context", &Laws::permutation,
     permutes},
    {"masked", "a masked slot has weight 0, gradient 0, no influence", nullptr, ignores_masked},
    {"appended", "masked slots at the end change nothing", nullptr, ignores_appended},
    {"all masked", "nothing to see: weights 0, context 0, finite gradients", nullptr, survives_nothing},
    {"shift", "one number added to all scores changes nothing", &Laws::shift, shifts},
    {"equal", "n equal keys get 1/n each", &Laws::equal_share, shares_equally},
    {"one slot", "a single slot gives its value", &Laws::sum_to_one, gives_the_only_value},
    {"double", "every slot twice: half the weight for each, the same context", &Laws::doubling, doubles},
    {"positive", "every slot that may be seen gets a weight above 0", &Laws::positive, leaves_none_out},
    {"any n", "the same parameters attend to 1 slot, 1000, and between", &Laws::any_number, takes_any_number},
    {"batch", "a batch is each row alone, its queries one by one", nullptr, takes_rows_alone},
};

Laws both(const Laws& a, const Laws& b) {
  return {.permutation = a.permutation && b.permutation,
          .sum_to_one = a.sum_to_one && b.sum_to_one,
          .equal_share = a.equal_share && b.equal_share,
          .shift = a.shift && b.shift,
          .doubling = a.doubling && b.doubling,
          .positive = a.positive && b.positive,
          .any_number = a.any_number && b.any_number};
}

}  // namespace

std::span<const Law> all_laws() { return laws; }

Specimen specimen(const KnownScorer& s, const KnownNormalizer& n) {
  Rng rng(11);
  Specimen c;
  c.laws = both(s.laws, n.laws);
  c.scorer = s.make({.query = size, .key = size, .hidden = 7, .slots = 2 * S}, rng);
  c.normalizer = n.make({.query = size, .hidden = 3}, rng);
  // Not as monotonic walks begin, which hardly ever stop.
  for (Tensor& p : parameters(*c.normalizer)) p.assign(scale(random(p.shape(), rng), real(0.1)).values());
  c.query = random({B, T, size}, rng);
  c.keys = random({B, S, size}, rng);
  c.values = random({B, S, 2}, rng);
  return c;
}

}  // namespace heed::examples
