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
#include "examples/support/inside.hpp"
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

// da_r / dscore_s, a row for each weight r: one backward per row.
Tensor jacobian(const Normalizer& normalizer, const Tensor& scores, const Moment& moment) {
  std::vector<real> rows;
  for (int64_t r = 0; r < scores.size(2); ++r) {
    Tensor x = leaf(scores);
    backward(sum(select(normalizer(x, {}, moment).weights, 2, r)));
    const Tensor g = x.grad().defined() ? x.grad() : zeros_like(x);
    rows.insert(rows.end(), g.values().begin(), g.values().end());
  }
  return Tensor::from({scores.size(2), scores.size(2)}, rows);
}

// The step, forward. What backward will tell is kept.
struct Step {
  Tensor query, keys, values, state;  // leaves: q and the state that enters the output are told apart
  Tensor scores, weights, context, logits, loss;
};

Step forward(const Tiny& tiny, const Tiny::States& states, int64_t t, int32_t symbol, Moment& moment) {
  Step s;
  s.query = leaf(slice(states.decoder, 1, t, t + 1));  // (1, 1, H)
  moment.query = s.query;
  s.state = leaf(s.query);
  s.keys = leaf(states.encoder);  // (1, S, H)
  s.values = leaf(states.encoder);
  s.scores = (*tiny.scorer)(s.query, tiny.scorer->prepare(s.keys, s.values));
  if (s.scores.needs_grad()) s.scores.retain_grad();
  s.weights = (*tiny.normalizer)(s.scores, {}, moment).weights;
  s.context = matmul(s.weights, s.values);
  s.context.retain_grad();
  s.logits = tiny.logits(s.context, s.state);
  s.logits.retain_grad();
  s.loss = cross_entropy(s.logits, Ids({1, 1}, {symbol}));
  return s;
}

void show_forward(Page& page, const Tiny& tiny, const Step& s, const Asked& asked, int32_t symbol) {
  heading("what attention is given");
  page.show("query q", "s_t, the decoder's state", s.query);
  page.show("keys k_s", "the encoder's states, a row per slot", s.keys);
  page.show("values v_s", "the same here", s.values);
  heading(fmt::format("F, the scorer {}", asked.scorer));
  for (const NamedParameter& p : named_parameters(*tiny.scorer))
    page.show("scorer." + p.name, "parameter", p.tensor);
  for (const Named& step : inside(*tiny.scorer, s.query, s.keys))
    page.show(step.name, step.formula, step.value);
  page.show("score_s", formula_of(known_scorers(), asked.scorer), s.scores);
  heading(fmt::format("the normalizer {}", asked.normalizer));
  for (const NamedParameter& p : named_parameters(*tiny.normalizer))
    page.show("normalizer." + p.name, "parameter", p.tensor);
  page.show("weight_s", formula_of(known_normalizers(), asked.normalizer), s.weights);
  heading("the weighted average");
  page.show("weight_s v_s", "", transpose(s.weights) * s.values);
  page.show("context c", "sum_s weight_s v_s", s.context);
  heading("what the model makes of it");
  page.show("W", "parameter, (V, 2 D)", tiny.output.weight);
  page.show("b", "parameter", tiny.output.bias);
  page.show("logits", "W [c; s_t] + b", s.logits);
  page.show("p", "softmax(logits)", softmax(s.logits));
  page.show("loss", fmt::format("-log p_{}", symbol), s.loss);
}

// A parameter's gradient, if this step gives it one.
void show_gradients(Page& page, const std::string& prefix, const Module& module) {
  for (const NamedParameter& p : named_parameters(module)) {
    if (p.tensor.grad().defined()) page.show("dL/d " + prefix + p.name, "", p.tensor.grad());
  }
}

void show_backward(Page& page, const Tiny& tiny, const Step& s, const Moment& moment) {
  heading("and back: dL of each, L the loss");
  page.show("dL/d logits", "p - 1 at the right symbol", s.logits.grad());
  page.show("dL/d W", "dL/d logits [c; s_t]^T", tiny.output.weight.grad());
  page.show("dL/d b", "dL/d logits", tiny.output.bias.grad());
  page.show("dL/d s_t", "the right half of W^T dL/d logits", s.state.grad());
  page.show("dL/d c", "the left half of it", s.context.grad());
  page.show("dL/d v_s", "weight_s dL/d c", s.values.grad());
  const Tensor of_weights = matmul(s.context.grad(), s.values.detach(), {.b = true});
  page.show("dL/d weight_s", "dL/d c . v_s", of_weights);
  page.show("d weight_r / d score_s", "a row for each r",
            jacobian(*tiny.normalizer, s.scores.detach(), moment));
  if (!s.scores.grad().defined()) {
    fmt::print("A choice has no gradient: nothing flows back to the scores.\n");
    return;
  }
  page.show("dL/d score_s", "sum_r dL/d weight_r  d weight_r / d score_s", s.scores.grad());
  show_gradients(page, "normalizer.", *tiny.normalizer);
  if (s.query.grad().defined()) page.show("dL/d q", "sum_s dL/d score_s  d score_s / d q", s.query.grad());
  if (s.keys.grad().defined()) page.show("dL/d k_s", "dL/d score_s  d score_s / d k_s", s.keys.grad());
  show_gradients(page, "scorer.", *tiny.scorer);
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

  Moment moment;
  Tiny::States states;
  {
    const NoGrad no_grad;
    states = tiny.run(source);
    if (t > 0) {
      attend(slice(states.decoder, 1, 0, t), tiny.scorer->prepare(states.encoder, states.encoder),
             *tiny.scorer, *tiny.normalizer, {}, &moment.past);
    }
  }
  const Step step = forward(tiny, states, t, symbol, moment);
  Page page;
  show_forward(page, tiny, step, asked, symbol);
  backward(step.loss);
  moment.query = moment.query.detach();
  show_backward(page, tiny, step, moment);
  if (!asked.json.empty()) page.json.write(asked.json);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("explain", [=] { return run(argc, argv); });
}
