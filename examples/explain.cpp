// Prints every number of one step of attention, and of the gradient on its way back.
// The model is trained, and small enough to check by hand.
//
//   ./dev run explain [--scorer bilinear] [--normalizer sparsemax] [--source 2,0,3] [--step 2] [--json F]

#include <fmt/format.h>

#include <span>
#include <string>
#include <vector>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/command_line.hpp"
#include "examples/support/json.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/tiny.hpp"
#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

void heading(const std::string& text) { fmt::print("\n---- {}\n", text); }

// Prints groups of numbers, each under its name, and notes them for --json.
class Page {
 public:
  // (1, S, N) and (S, N) print S rows, all else one. Each name once.
  void show(const std::string& name, const std::string& formula, const Tensor& x) {
    const int64_t width = x.rank() == 0 ? 1 : x.size(-1);
    const int64_t rows = width == 0 ? 0 : x.size() / width;
    std::string line = fmt::format("{} ({}{})", name, rows > 1 ? fmt::format("{}, ", rows) : "", width);
    fmt::print("{}{}{}\n", line, formula.empty() ? "" : "  =  ", formula);
    for (int64_t r = 0; r < rows; ++r) {
      fmt::print("   ");
      for (int64_t i = 0; i < width; ++i) {
        fmt::print(" {:10.6f}", x.data()[r * width + i]);
        json.set(fmt::format("{}/{}", pointer_part(name), r * width + i), double(x.data()[r * width + i]));
      }
      fmt::print("\n");
    }
  }

  Json json;
};

struct Asked {
  std::string scorer = "additive", normalizer = "softmax", source = "2,0,3", json;
  int64_t step = 2, steps = 300, seed = 1;
};

bool parse(Asked& asked, int argc, char** argv) {
  CommandLine line("explain", "Prints every number of one step of attention, forward and backward.");
  std::vector<std::string> scorers, normalizers;
  std::string formulas = "F", ways = "from scores to weights";
  for (const KnownScorer& s : known_scorers()) {
    scorers.emplace_back(s.name);
    formulas += fmt::format("\n  {:<14} {}", s.name, s.formula);
  }
  for (const KnownNormalizer& n : known_normalizers()) {
    normalizers.emplace_back(n.name);
    ways += fmt::format("\n  {:<14} {}", n.name, n.formula);
  }
  line.choice("--scorer", asked.scorer, formulas, scorers);
  line.choice("--normalizer", asked.normalizer, ways, normalizers);
  line.text("--source", asked.source, "three symbols of 0 to 3, with commas between");
  line.integer("--step", asked.step, "which of the three symbols the decoder is about to write", 1, 3);
  line.integer("--steps", asked.steps, "training steps before", 0);
  line.integer("--seed", asked.seed, "of all random numbers", 0, CommandLine::any);
  line.text("--json", asked.json, "write all numbers to this file");
  return line.parse(argc, argv);
}

template <class Known>
const char* formula_of(std::span<const Known> list, const std::string& name) {
  for (const Known& known : list) {
    if (name == known.name) return known.formula;
  }
  return "";
}

Ids symbols_of(const std::string& text) {
  std::vector<int32_t> values;
  for (size_t i = 0; i < text.size(); i += 2) {
    const bool good = text[i] >= '0' && text[i] < char('0' + Tiny::symbols) &&
                      (i + 1 == text.size() || (text[i + 1] == ',' && i + 2 < text.size()));
    if (!good) fail("--source {}: expected three symbols of 0 to 3, as in 2,0,3", text);
    values.push_back(text[i] - '0');
  }
  if (values.size() != Tiny::slots)
    fail("--source {}: expected three symbols, found {}", text, values.size());
  return {{1, Tiny::slots}, values};
}

Tensor leaf(const Tensor& x) {
  Tensor copy = x.clone();
  return copy.requires_grad();
}

// d weight_r / d score_s, or d probability_r / d score_s, a row for each r: one backward per row.
Tensor jacobian(const Normalizer& normalizer, const Tensor& scores, const Moment& moment,
                Tensor Weights::*of) {
  std::vector<real> rows;
  for (int64_t r = 0; r < scores.size(2); ++r) {
    Tensor x = leaf(scores);
    const Tensor y = sum(select(normalizer(x, {}, moment).*of, 2, r));
    if (y.needs_grad()) backward(y);
    const Tensor g = x.grad().defined() ? x.grad() : zeros_like(x);
    rows.insert(rows.end(), g.values().begin(), g.values().end());
  }
  return Tensor::from({scores.size(2), scores.size(2)}, rows);
}

// The step, forward. What backward will tell is kept.
struct Step {
  // Leaves, the same state thrice: what it does to the scores, to the normalizer and to the output is told
  // apart.
  Tensor query, asked, state;
  Tensor keys, values;                                           // leaves
  Tensor scores, weights, probabilities, context, logits, loss;  // probabilities: of those that choose
  Inside scorer, normalizer;
  Tensor by_score, probability_by_score;  // Jacobians of weights and probabilities

  // Whether the weights are a choice, made by the probabilities.
  [[nodiscard]] bool chosen() const { return probabilities.data() != weights.data(); }
};

Tensor kept(Tensor x) {
  if (x.needs_grad()) x.retain_grad();
  return x;
}

Step forward(const Tiny& tiny, const Tiny::States& states, int64_t t, int32_t symbol, const Past& past) {
  Past before = past;
  if (past.weights.defined()) before.weights = leaf(past.weights);
  Step s;
  s.query = leaf(slice(states.decoder, 1, t, t + 1));  // (1, 1, H)
  s.asked = leaf(s.query);
  s.state = leaf(s.query);
  s.keys = leaf(states.encoder);  // (1, S, H)
  s.values = leaf(states.encoder);
  const Memory memory = tiny.scorer->prepare(s.keys, s.values);
  const Moment moment{.query = s.asked, .past = past};
  s.scores = kept((*tiny.scorer)(s.query, memory));
  const Weights made = (*tiny.normalizer)(s.scores, {}, moment);
  s.weights = kept(made.weights);
  s.probabilities = kept(made.probabilities);
  s.context = kept(matmul(s.weights, s.values));
  s.logits = kept(tiny.logits(s.context, s.state));
  s.loss = cross_entropy(s.logits, Ids({1, 1}, {symbol}));
  // What is inside stands on leaves of its own: its gradients are not added to those above.
  s.scorer = tiny.scorer->inside(leaf(s.query), tiny.scorer->prepare(leaf(s.keys), s.values));
  s.normalizer = tiny.normalizer->inside(leaf(s.scores), {.query = leaf(s.query), .past = before});
  for (const Inside& steps : {s.scorer, s.normalizer})
    for (const Inner& step : steps) kept(step.value);
  return s;
}

// Sends dL/d of the result back through the steps that led to it.
void backward_inside(const Inside& steps, const Tensor& gradient) {
  if (steps.empty() || !gradient.defined() || !steps.back().value.needs_grad()) return;
  const Tensor& result = steps.back().value;
  backward(sum(result * gradient.reshape(result.shape())));
}

// The step, with all that backward tells of what is inside.
Step forward_and_inside(const Tiny& tiny, const Tiny::States& states, int64_t t, int32_t symbol,
                        const Past& past) {
  Step s = forward(tiny, states, t, symbol, past);
  backward(s.loss);
  backward_inside(s.normalizer, s.probabilities.grad());
  backward_inside(s.scorer, s.scores.grad());
  const Tensor scores = s.scores.detach();
  const Moment moment{.query = s.query.detach(), .past = past};
  s.by_score = jacobian(*tiny.normalizer, scores, moment, &Weights::weights);
  s.probability_by_score = jacobian(*tiny.normalizer, scores, moment, &Weights::probabilities);
  return s;
}

void show_parameters(Page& page, const std::string& prefix, const Module& module) {
  for (const NamedParameter& p : named_parameters(module)) page.show(prefix + p.name, "parameter", p.tensor);
}

// The steps but the last, whose numbers are the result; that is shown as the library computed it.
void show_inside(Page& page, const Inside& steps, const std::string& result, const char* formula,
                 const Tensor& x) {
  for (size_t i = 0; i + 1 < steps.size(); ++i) page.show(steps[i].name, steps[i].formula, steps[i].value);
  page.show(result, steps.empty() ? formula : steps.back().formula, x);
}

void show_forward(Page& page, const Tiny& tiny, const Step& s, const Asked& asked, int32_t symbol) {
  const char* scoring = formula_of(known_scorers(), asked.scorer);
  const char* weighing = formula_of(known_normalizers(), asked.normalizer);
  heading("what attention is given");
  page.show("query q", "s_t, the decoder's state", s.query);
  page.show("keys k_s", "the encoder's states, a row per slot", s.keys);
  page.show("values v_s", "the same here", s.values);
  heading(fmt::format("F, the scorer {}: {}", asked.scorer, scoring));
  show_parameters(page, "scorer.", *tiny.scorer);
  show_inside(page, s.scorer, "score_s", scoring, s.scores);
  heading(fmt::format("the normalizer {}: {}", asked.normalizer, weighing));
  if (reads_temperature(asked.normalizer)) fmt::print("(scores are divided by a temperature, 1 here)\n");
  if (reads_window(asked.normalizer)) fmt::print("(D = {})\n", Tiny::window);
  show_parameters(page, "normalizer.", *tiny.normalizer);
  show_inside(page, s.normalizer, s.chosen() ? "probability_s" : "weight_s", weighing, s.probabilities);
  if (s.chosen()) page.show("weight_s", "the choice", s.weights);
  heading("the weighted average");
  page.show("weight_s v_s", "", transpose(s.weights) * s.values);
  page.show("context c", "sum_s weight_s v_s", s.context);
  heading("what the model makes of it");
  page.show("W", "parameter, (V, 2 D)", tiny.output.weight);
  page.show("b", "parameter", tiny.output.bias);
  page.show("logits", "W [c; s_t] + b", s.logits);
  page.show("p(y)", "softmax(logits)", softmax(s.logits));
  page.show("loss", fmt::format("-log p({})", symbol), s.loss);
}

// What is there of the gradient of x.
void show_gradient(Page& page, const std::string& name, const std::string& formula, const Tensor& x) {
  if (x.grad().defined()) page.show("dL/d " + name, formula, x.grad());
}

void show_gradients(Page& page, const std::string& prefix, const Module& module) {
  for (const NamedParameter& p : named_parameters(module)) show_gradient(page, prefix + p.name, "", p.tensor);
}

// Of the steps but the last, from the last to the first.
void show_gradients(Page& page, const Inside& steps) {
  for (size_t i = steps.size(); i-- > 1;) show_gradient(page, steps[i - 1].name, "", steps[i - 1].value);
}

void show_normalizer_backward(Page& page, const Tiny& tiny, const Step& s, const Step& first) {
  page.show("dL/d weight_s", "dL/d c . v_s", matmul(s.context.grad(), s.values.detach(), {.b = true}));
  page.show("d weight_r / d score_s", "a row for each r", first.by_score);
  if (s.chosen()) {
    page.show("d probability_r / d score_s", "a row for each r", first.probability_by_score);
    show_gradient(page, "probability_s", "dL/d weight_s, as if it were the weight", s.probabilities);
  }
  show_gradients(page, first.normalizer);
  if (!s.weights.needs_grad()) {
    fmt::print(
        "A choice has no gradient: nothing flows back to the scores, nor to what they come from.\n"
        "In training they learn by the probabilities.\n");
    return;
  }
  show_gradient(page, "score_s", "sum_r dL/d weight_r  d weight_r / d score_s", s.scores);
  show_gradients(page, "normalizer.", *tiny.normalizer);
}

// `first` is the same step once more, with the derivatives of what is inside.
void show_backward(Page& page, const Tiny& tiny, const Step& s, const Step& first) {
  heading("and back: dL of each, L the loss");
  page.show("dL/d logits", "p(y) - 1 at the right symbol", s.logits.grad());
  page.show("dL/d W", "dL/d logits [c; s_t]^T", tiny.output.weight.grad());
  page.show("dL/d b", "dL/d logits", tiny.output.bias.grad());
  page.show("dL/d s_t", "the right half of W^T dL/d logits", s.state.grad());
  page.show("dL/d c", "the left half of it", s.context.grad());
  page.show("dL/d v_s", "weight_s dL/d c", s.values.grad());
  show_normalizer_backward(page, tiny, s, first);
  show_gradients(page, first.scorer);
  const char* by_scores = "sum_s dL/d score_s  d score_s / d q";
  if (s.query.grad().defined() && s.asked.grad().defined()) {
    page.show("dL/d q by the scores", by_scores, s.query.grad());
    page.show("dL/d q by the normalizer", "the query enters there too", s.asked.grad());
    page.show("dL/d q", "the sum of the two", s.query.grad() + s.asked.grad());
  } else {
    show_gradient(page, "q", by_scores, s.query);
  }
  show_gradient(page, "k_s", "dL/d score_s  d score_s / d k_s", s.keys);
  show_gradients(page, "scorer.", *tiny.scorer);
}

// What the queries before the step t have seen.
Past past_of(const Tiny& tiny, const Tiny::States& states, int64_t t) {
  const NoGrad no_grad;
  Past past;
  if (t == 0) return past;
  attend(slice(states.decoder, 1, 0, t), tiny.scorer->prepare(states.encoder, states.encoder), *tiny.scorer,
         *tiny.normalizer, {}, &past);
  return past;
}

int run(int argc, char** argv) {
  Asked asked;
  if (!parse(asked, argc, argv)) return 0;
  const Ids source = symbols_of(asked.source);
  Rng rng = draw_from(Stream::weights, asked.seed);
  const Tiny tiny(asked.scorer, asked.normalizer, rng);
  const double right = train(tiny, asked.steps, asked.seed);
  zero_grad(tiny);
  const int64_t t = asked.step - 1;
  const int32_t symbol = source[t];
  fmt::print(
      "A model of {} parameters that learns to copy 3 symbols; after {} steps it gets {:.1f}% of them "
      "right.\n"
      "Here it reads {} and is about to write symbol {}, which is {}.\n"
      "Letters: S = 3 slots s, features of queries, keys, values and hidden layers 3, V = 4 symbols.\n",
      parameter_count(tiny), asked.steps, 100 * right, asked.source, asked.step, symbol);

  Tiny::States states;
  {
    const NoGrad no_grad;
    states = tiny.run(source);
  }
  const Past past = past_of(tiny, states, t);
  // Twice, for the derivatives of what is inside take backwards of their own, which add to the parameters.
  const Step first = forward_and_inside(tiny, states, t, symbol, past);
  zero_grad(tiny);
  const Step step = forward(tiny, states, t, symbol, past);
  Page page;
  show_forward(page, tiny, step, asked, symbol);
  backward(step.loss);
  show_backward(page, tiny, step, first);
  if (!asked.json.empty()) page.json.write(asked.json);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("explain", [=] { return run(argc, argv); });
}
