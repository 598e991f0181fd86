#include "examples/support/text_model.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <utility>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "autograd/kernels/parallel.hpp"
#include "autograd/ops.hpp"
#include "examples/support/known_option.hpp"
#include "examples/support/named.hpp"
#include "examples/support/progress.hpp"
#include "examples/support/settings.hpp"
#include "examples/support/share.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/terminal.hpp"
#include "layers/positions.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"
#include "optim/schedule.hpp"

namespace heed::examples {

namespace {

// nanogpt-cpu is the setting that nanoGPT's README gives for a CPU.
const std::pair<const char*, TextSettings> presets[] = {
    {"quick", {}},
    {"nanogpt-cpu", {.steps = 2000, .every = 500}},
    {"million",
     {.layers = 5,
      .block = 128,
      .positions = "rotary",
      .norm = "rms",
      .activation = "swiglu",
      .batch = 16,
      .steps = 2500,
      .lr = 3e-3,
      .lowest_lr = 1e-4,
      .every = 500}},
};

Schedule make_schedule(const TextSettings& s) {
  if (s.schedule == "inverse-sqrt") return inverse_sqrt(s.lr, std::max<int64_t>(1, s.warmup));
  // The fall begins where the rise ends.
  const int64_t rest = std::max<int64_t>(1, s.steps - s.warmup);
  const Schedule after = s.schedule == "linear"   ? linear_decay(s.lr, rest, s.lowest_lr)
                         : s.schedule == "cosine" ? cosine(s.lr, rest, s.lowest_lr)
                                                  : constant(s.lr);
  return [s, after](int64_t step) {
    if (step < s.warmup) return s.lr * double(step + 1) / double(s.warmup + 1);
    return after(step - s.warmup);
  };
}

double share_of_equal(const Ids& a, const Ids& b) {
  int64_t equal = 0;
  for (int64_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  return double(equal) / double(a.size());
}

// Control symbols would break a line of the report.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

}  // namespace

TextSettings text_preset(const std::string& name) {
  for (const auto& [known, settings] : presets)
    if (name == known) return settings;
  fail("--preset {}: expected one of {}", name, fmt::join(text_presets(), ", "));
}

std::vector<std::string> text_presets() {
  std::vector<std::string> names;
  for (const auto& [name, settings] : presets) names.emplace_back(name);
  return names;
}

void add_text_options(CommandLine& line, TextSettings& s) {
  line.group("the model");
  line.integer("--size", s.size, "features of a symbol", 1, 1 << 14);
  line.integer("--layers", s.layers, "blocks", 1, 100);
  line.integer("--heads", s.heads, "attention heads; they share --size evenly", 1, 1 << 10);
  line.integer("--kv-heads", s.kv_heads, "heads of keys and values; 0: as many as --heads", 0, 1 << 10);
  line.integer("--block", s.block, "symbols that a prediction sees at most", 1, 1 << 16);
  add_known(line, "--positions", s.positions, "how attention knows where a symbol stands", known_positions());
  line.integer("--reach", s.reach, "relative positions: farther distances count as this one", 1, 1 << 16);
  line.choice("--norm", s.norm, "LayerNorm or RMSNorm", names_of(norms));
  line.choice("--activation", s.activation, "of the feed-forward networks", names_of(activations));
  line.toggle("--bias", s.bias, "linear maps and LayerNorms have biases");
  line.toggle("--untied", s.untied, "the output has a matrix of its own, not the embedding's");
  line.number("--dropout", s.dropout, "share of features that training switches off", 0, 0.95);
  line.group("training");
  line.integer("--batch", s.batch, "pieces of --block symbols that are computed at once", 1, 1 << 20);
  line.integer("--accumulate", s.accumulate, "batches whose gradients make one step", 1, 1 << 20);
  line.integer("--steps", s.steps, "training steps", 1);
  line.number("--lr", s.lr, "the highest learning rate (AdamW)", 0, 100);
  line.number("--lowest-lr", s.lowest_lr, "where linear and cosine end", 0, 100);
  line.choice("--schedule", s.schedule, "how the learning rate falls after the warm-up",
              {"cosine", "linear", "inverse-sqrt", "constant"});
  line.integer("--warmup", s.warmup, "steps in which it rises from 0", 0);
  line.number("--weight-decay", s.weight_decay, "of matrices, times the learning rate", 0, 100);
  line.number("--beta2", s.beta2, "of AdamW", 0, 0.999999);
  line.number("--label-smoothing", s.label_smoothing, "share of the target spread over all symbols", 0, 0.9);
  line.integer("--every", s.every, "steps from one look at the validation text to the next", 1);
  line.integer("--seed", s.seed, "of everything random", 0, CommandLine::any);
  line.integer("--threads", s.threads, "0: one per core", 0, 1024);
  line.text("--json", s.json, "write all results to this file");
}

void apply(const CommandLine& line, const TextSettings& s) {
  check_heads("--size", s.size, s.heads, s.kv_heads, s.positions);
  if (line.given("--reach") && s.positions != "relative")
    fail("--reach does not apply to --positions {}", s.positions);
  if (line.given("--lowest-lr") && s.schedule != "cosine" && s.schedule != "linear")
    fail("--lowest-lr does not apply to --schedule {}", s.schedule);
  if (s.lowest_lr > s.lr && (s.schedule == "cosine" || s.schedule == "linear"))
    fail("--lowest-lr {}: expected at most --lr {}", s.lowest_lr, s.lr);
  check_json(s.json);
  if (s.threads > 0) kernels::set_threads(int(s.threads));
}

void write_settings(Json& json, const TextSettings& s) {
  const auto set = [&json](const char* name, const auto& value) {
    json.set(std::string("/settings/") + name, value);
  };
  set("size", s.size);
  set("layers", s.layers);
  set("heads", s.heads);
  set("kv_heads", s.kv_heads);
  set("block", s.block);
  set("positions", s.positions);
  set("reach", s.reach);
  set("norm", s.norm);
  set("activation", s.activation);
  set("bias", s.bias);
  set("untied", s.untied);
  set("dropout", s.dropout);
  set("batch", s.batch);
  set("accumulate", s.accumulate);
  set("steps", s.steps);
  set("lr", s.lr);
  set("lowest_lr", s.lowest_lr);
  set("schedule", s.schedule);
  set("warmup", s.warmup);
  set("weight_decay", s.weight_decay);
  set("beta2", s.beta2);
  set("label_smoothing", s.label_smoothing);
  set("seed", s.seed);
}

TransformerLM make_text_model(const TextSettings& s, int64_t alphabet) {
  Rng rng = draw_from(Stream::weights, s.seed);
  return {{.vocabulary = alphabet,
           .size = s.size,
           .layers = s.layers,
           .heads = s.heads,
           .kv_heads = s.kv_heads,
           .activation = value_of("--activation", activations, s.activation),
           .norm = value_of("--norm", norms, s.norm),
           .bias = s.bias,
           .positions = s.positions,
           .longest = s.block,
           .reach = s.reach,
           .tied = !s.untied,
           .dropout = real(s.dropout)},
          rng};
}

double text_loss(const TransformerLM& model, std::span<const int32_t> text, const TextSettings& s) {
  const NoGrad no_grad;
  const std::vector<TextBatch> all = all_pieces(text, s.batch, s.block);
  double sum[] = {0};
  for (const int32_t i : own_turns(int64_t(all.size()))) {
    const TextBatch& pieces = all[size_t(i)];
    sum[0] += double(cross_entropy(model(pieces.input, {}), pieces.target, {.mean = false}).item());
  }
  distributed::all_reduce(std::span<double>(sum));
  return sum[0] / double(text.size() - 1);
}

std::vector<int32_t> write_on(const TransformerLM& model, std::vector<int32_t> text, int64_t length,
                              int64_t block, const SampleOptions& options, Rng& rng) {
  const NoGrad no_grad;
  const size_t begin = text.size();
  if (begin == 0) fail("a prompt has at least one symbol");
  while (text.size() < begin + size_t(length)) {
    // What the model sees: what there is of the last block, half of it where it is full.
    const int64_t known = int64_t(text.size());
    const int64_t seen = known < block ? known : std::max<int64_t>(1, block / 2);
    const std::span<const int32_t> context = std::span(text).last(size_t(seen));
    DecoderState state = model.start();
    if (seen > 1) model.extend(state, Ids({1, seen - 1}, context.first(size_t(seen - 1))));
    const int64_t more = std::min(std::max<int64_t>(1, block - seen), int64_t(begin) + length - known);
    const Decoded next =
        sample_answers(model, state, Ids({1}, {context.back()}), {.max_length = more}, options, rng).front();
    text.insert(text.end(), next.tokens.begin(), next.tokens.end());
  }
  return {text.begin() + std::ptrdiff_t(begin), text.end()};
}

TextTraining train_text_model(const TransformerLM& model, std::span<const int32_t> train,
                              std::span<const int32_t> valid, const Alphabet& alphabet, const TextSettings& s,
                              bool quiet) {
  Rng batches = draw_from(Stream::batches, s.seed), dropout = draw_own(Stream::dropout, s.seed);
  Rng samples = draw_from(Stream::data, s.seed);
  const TensorList list = parameters(model);
  AdamW adam(list, {.lr = s.lr, .beta2 = s.beta2, .weight_decay = s.weight_decay, .only_matrices = true});
  DataParallel ranks(list);
  const Share own = own_share(s.batch);
  const double own_symbols = own.counts ? double(own.rows.size()) * double(s.accumulate * s.block) : 0;
  const double share = DataParallel::shares({own_symbols}).front();
  const Schedule schedule = make_schedule(s);
  Progress progress(s.steps, is_terminal(), quiet);
  TextTraining result;
  double looking = 0;  // seconds
  for (int64_t step = 0; step < s.steps; ++step) {
    adam.set_lr(schedule(step));
    adam.zero_grad();
    StepFindings found{.count = own_symbols};
    for (int64_t part = 0; part < s.accumulate; ++part) {
      const TextBatch pieces = random_pieces(train, s.batch, s.block, batches);
      const Ids target = pieces.target.select(own.rows);
      const Tensor logits = model(pieces.input.select(own.rows), {.train = true, .rng = &dropout});
      const Tensor mean = cross_entropy(logits, target, {.label_smoothing = real(s.label_smoothing)});
      found.loss += double(mean.item()) / double(s.accumulate);
      found.right += share_of_equal(argmax(logits), target) / double(s.accumulate);
      backward(weigh(mean, share / double(s.accumulate)));
    }
    ranks.sum_gradients();
    clip_grad_norm(list, 1);
    adam.step();
    progress.step(over_ranks(found, share));
    if ((step + 1) % s.every != 0 && step + 1 != s.steps) continue;
    const double before = progress.seconds();
    progress.finish();
    result.steps.push_back(step + 1);
    result.losses.push_back(text_loss(model, valid, s));
    if (quiet) continue;
    const std::vector<int32_t> written = write_on(model, {train[0]}, 60, s.block, {}, samples);
    fmt::print("step {:>5}  train {:.4f}  validation {}\n       writes: {}\n", step + 1, progress.loss(),
               loss_text(result.losses.back()), one_line(alphabet.text(written)));
    std::fflush(stdout);
    looking += progress.seconds() - before;
  }
  ranks.check();
  result.train_losses = progress.losses();
  result.seconds = progress.seconds() - looking;
  result.tokens_per_second = double(s.steps * s.accumulate * s.batch * s.block) / result.seconds;
  return result;
}

std::string loss_text(double nats) {
  return fmt::format("{:.4f} nats, {:.4f} bits a symbol", nats, nats / std::log(2.0));
}

}  // namespace heed::examples
