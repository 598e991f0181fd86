#include "layers/models/recurrent_lm.hpp"

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "layers/place.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

int64_t count_of_parts(const RecurrentLM::Options& o) {
  switch (o.look) {
    case LookBack::nothing:
    case LookBack::states:
    case LookBack::outputs:
    case LookBack::intra:
      return 1;
    case LookBack::key_value:
      return 2;
    case LookBack::key_value_predict:
      return 3;
    case LookBack::ngram:
      return o.ngram - 1;
  }
  fail("RecurrentLM: {} is no way to look back", static_cast<int>(o.look));
}

// Whether it attends to a memory of parts of its states.
bool looks(LookBack look) {
  return look == LookBack::states || look == LookBack::outputs || look == LookBack::key_value ||
         look == LookBack::key_value_predict;
}

RecurrentLM::Options checked(const RecurrentLM::Options& o) {
  if (o.embed < 1 || o.hidden < 1 || o.window < 0) {
    fail("RecurrentLM: embed {} and hidden {} must be at least 1, window {} at least 0", o.embed, o.hidden,
         o.window);
  }
  if (o.ngram < 2) fail("RecurrentLM: ngram {} must be at least 2", o.ngram);
  if (o.hidden % count_of_parts(o) != 0) {
    fail("RecurrentLM: hidden {} cannot be cut into {} equal parts", o.hidden, count_of_parts(o));
  }
  if (!looks(o.look)) return o;
  check_place("RecurrentLM", o.scorer, o.normalizer, {.grows = true});
  if (o.window > 0 && reads_window(o.normalizer))
    fail("RecurrentLM: {} has a window of its own; the model's, {}, must be 0", o.normalizer, o.window);
  return o;
}

// x (B, T, D) -> (B T, L, D): for each step the `window` steps before it, zeros where there are none.
Tensor windows(const Tensor& x, int64_t window) {
  const int64_t steps = x.size(1);
  const Tensor padded = pad(x, 1, window, 0);
  TensorList shifted;
  for (int64_t l = 0; l < window; ++l) shifted.push_back(slice(padded, 1, l, l + steps));
  return stack(shifted, 2).reshape({x.size(0) * steps, window, x.size(2)});
}

// Which slots of windows() exist.
Mask windows_mask(int64_t batch, int64_t steps, int64_t window) {
  std::vector<uint8_t> bytes;
  for (int64_t row = 0; row < batch * steps; ++row) {
    for (int64_t l = 0; l < window; ++l) bytes.push_back(row % steps - window + l >= 0 ? 1 : 0);
  }
  return Mask::of_bytes(batch * steps, window, bytes);
}

// The last `window` slots of a past of no more: those that there have not been yet are hidden, so that a slot
// stands where it stands in windows(). All of it if window = 0.
Memory last_of(const Memory& past, int64_t window) {
  const int64_t missing = window - past.slots();
  if (window == 0 || missing == 0) return past;
  std::vector<uint8_t> bytes;
  for (int64_t i = 0; i < past.batch() * window; ++i) bytes.push_back(i % window >= missing ? 1 : 0);
  return {pad(past.keys, 1, missing, 0), pad(past.values, 1, missing, 0),
          Mask::of_bytes(past.batch(), window, bytes)};
}

// x (B, T, D) as it was `by` steps before, zeros before the beginning.
Tensor delayed(const Tensor& x, int64_t by) { return by == 0 ? x : slice(pad(x, 1, by, 0), 1, 0, x.size(1)); }

Tensor as_slot(const Tensor& x) { return x.reshape({x.size(0), 1, x.size(1)}); }

}  // namespace

int64_t RecurrentLM::part_size() const { return options_.hidden / count_of_parts(options_); }

bool RecurrentLM::attends() const { return looks(options_.look); }

RecurrentLM::RecurrentLM(const Options& options, Rng& rng)
    : options_(checked(options)), embedding_(options.vocabulary, options.embed, rng) {
  const int64_t size = part_size();
  const Linear::Options plain{.bias = false};
  if (options.look == LookBack::intra) {
    intra_.emplace(IntraAttention::Options{.input = options.embed,
                                           .hidden = options.hidden,
                                           .scorer = options.scorer,
                                           .normalizer = options.normalizer,
                                           .slots = options.slots},
                   rng);
  } else {
    lstm_.emplace(Cell::lstm, options.embed, options.hidden, Recurrent::Options{}, rng);
  }
  if (attends()) {
    scorer_ = make_scorer(options.scorer,
                          {.query = size, .key = size, .hidden = size, .slots = options.slots}, rng);
    normalizer_ = make_normalizer(options.normalizer, {.query = size, .hidden = size}, rng);
    context_.emplace(size, size, rng, plain);
    predict_.emplace(size, size, rng, plain);
  }
  if (options.look == LookBack::ngram) ngram_.emplace(options.hidden, size, rng, plain);
  const bool whole = options.look == LookBack::nothing || options.look == LookBack::intra;
  output_.emplace(whole ? options.hidden : size, options.vocabulary, rng);
}

RecurrentLM::Parts RecurrentLM::part(const Tensor& h) const {
  const auto cut = [&](int64_t i) { return slice(h, -1, i * part_size(), (i + 1) * part_size()); };
  switch (options_.look) {
    case LookBack::key_value:
      return {cut(0), cut(1), cut(1)};
    case LookBack::key_value_predict:
      return {cut(0), cut(1), cut(2)};
    default:
      return {h, h, h};
  }
}

Tensor RecurrentLM::combine(const Tensor& context, const Tensor& predict) const {
  return tanh((*context_)(context) + (*predict_)(predict));
}

// A memory for each query: the L steps before it.
Attended RecurrentLM::look_at_window(const Tensor& query, const Memory& past, const Pass& pass) const {
  const int64_t batch = query.size(0);
  const int64_t steps = query.size(1);
  const Memory memory{windows(past.keys, options_.window), windows(past.values, options_.window),
                      windows_mask(batch, steps, options_.window)};
  const Attended seen =
      attend(query.reshape({batch * steps, query.size(2)}), memory, *scorer_, *normalizer_, pass);
  const auto unfold = [&](const Tensor& x) { return x.reshape({batch, steps, x.size(1)}); };
  return {unfold(seen.context), unfold(seen.weights), unfold(seen.probabilities)};
}

Prediction RecurrentLM::operator()(const Ids& tokens, const Pass& pass) const {
  check_batch("RecurrentLM", tokens);
  const Tensor x = embedding_(tokens);  // (B, T, embed)
  if (intra_) {
    const auto [output, weights] = (*intra_)(x, pass);
    return {(*output_)(output), weights};
  }
  const Tensor h = (*lstm_)(x).output;  // (B, T, H)
  if (options_.look == LookBack::nothing) return {(*output_)(h), {}};
  if (options_.look == LookBack::ngram) {
    TensorList parts;
    for (int64_t i = 0; i + 1 < options_.ngram; ++i) {
      parts.push_back(delayed(slice(h, 2, i * part_size(), (i + 1) * part_size()), i));
    }
    return {(*output_)(tanh((*ngram_)(concat(parts, 2)))), {}};
  }
  if (options_.look == LookBack::outputs) {
    const auto [output, weights] = look_in_turn(h, pass);
    return {(*output_)(output), weights};
  }
  const auto [key, value, predict] = part(h);
  const Memory past = scorer_->prepare(key, value, Mask().causal(-1));  // query t sees the slots before t
  const Attended seen =
      options_.window > 0 ? look_at_window(key, past, pass) : attend(key, past, *scorer_, *normalizer_, pass);
  return {(*output_)(combine(seen.context, predict)), seen.weights};
}

DecoderState RecurrentLM::start(int64_t batch) const {
  DecoderState state;
  if (intra_) {
    IntraAttention::State first = intra_->start(batch);
    state.memories.push_back(first.past);
    state.tensors.push_back(first.context);
    return state;
  }
  state.tensors = lstm_->start(batch);
  if (attends()) state.memories.emplace_back();
  if (options_.look == LookBack::ngram) {
    for (int64_t i = 0; i + 2 < options_.ngram; ++i) {
      state.tensors.push_back(Tensor::zeros({batch, options_.hidden}));
    }
  }
  return state;
}

RecurrentLM::Look RecurrentLM::look_step(DecoderState& state, const Tensor& h, const Pass& pass) const {
  const auto [key, value, predict] = part(h);
  Memory& past = state.memories[0];
  Attended seen{.context = Tensor::zeros(value.shape()), .weights = {}, .probabilities = {}};
  Past before{.steps = state.steps};  // all that goes with a memory that grows
  if (past.slots() > 0)
    seen = attend(key, last_of(past, options_.window), *scorer_, *normalizer_, pass, &before);
  const Tensor output = combine(seen.context, predict);
  const bool of_outputs = options_.look == LookBack::outputs;
  past.append(scorer_->prepare(as_slot(of_outputs ? output : key), as_slot(of_outputs ? output : value)));
  const int64_t over = past.slots() - options_.window;
  if (options_.window > 0 && over > 0) {
    past = {slice(past.keys, 1, over, past.slots()), slice(past.values, 1, over, past.slots())};
  }
  ++state.steps;
  return {output, seen.weights};
}

RecurrentLM::Look RecurrentLM::look_in_turn(const Tensor& h, const Pass& pass) const {
  const int64_t steps = h.size(1), width = options_.window > 0 ? options_.window : steps;
  DecoderState state = start(h.size(0));
  TensorList outputs, rows;
  for (int64_t t = 0; t < steps; ++t) {
    const auto [output, weights] = look_step(state, select(h, 1, t), pass);
    outputs.push_back(output);
    rows.push_back(weights.defined() ? pad(weights, 1, 0, width - weights.size(1))
                                     : Tensor::zeros({h.size(0), width}));
  }
  return {stack(outputs, 1), stack(rows, 1)};
}

Prediction RecurrentLM::step(DecoderState& state, const Ids& token) const {
  const Tensor x = embedding_(token);  // (B, embed)
  if (intra_) {
    ++state.steps;
    IntraAttention::State before{state.memories[0], state.tensors[0]};
    Tensor weights;
    const Tensor h = intra_->step(x, before, &weights);
    state.memories[0] = before.past;
    state.tensors[0] = before.context;
    return {(*output_)(h), weights};
  }
  Recurrent::States states{state.tensors[0]};
  const Tensor h = lstm_->step(x, states);
  state.tensors[0] = states[0];
  if (attends()) {
    const auto [output, weights] = look_step(state, h, {});
    return {(*output_)(output), weights};
  }
  ++state.steps;
  if (options_.look == LookBack::nothing) return {(*output_)(h), {}};
  state.tensors.insert(state.tensors.begin() + 1, h);
  TensorList parts;
  for (int64_t i = 0; i + 1 < options_.ngram; ++i) {
    parts.push_back(
        slice(state.tensors[static_cast<size_t>(i) + 1], 1, i * part_size(), (i + 1) * part_size()));
  }
  state.tensors.pop_back();
  return {(*output_)(tanh((*ngram_)(concat(parts, 1)))), {}};
}

void RecurrentLM::visit(const Visitor& visitor) const {
  visitor("embedding", embedding_);
  const auto tell = [&](const char* name, const auto& layer) {
    if (layer) visitor(name, *layer);
  };
  tell("lstm", lstm_);
  tell("intra", intra_);
  tell("scorer", scorer_);
  tell("normalizer", normalizer_);
  tell("context", context_);
  tell("predict", predict_);
  tell("ngram", ngram_);
  tell("output", output_);
}

}  // namespace heed::inline HEED_PRECISION
