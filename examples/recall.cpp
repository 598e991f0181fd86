// Answers questions from a memory of facts, key -> value or key -> other key -> value.
// One hop reads one fact: it answers the questions that one fact answers, and guesses at the others. The
// table compares one, two and three hops of three memory networks, trained on memories of 2 to 6 items, on
// such memories and on larger ones; and the same network without attention, which reads the mean of the
// memory.
//
//   ./dev run recall [--size 64] [--no-contrast] [--seed 7] ...

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <utility>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/attention_options.hpp"
#include "examples/support/fit.hpp"
#include "examples/support/recall.hpp"
#include "examples/support/share.hpp"
#include "examples/support/streams.hpp"
#include "examples/support/verdict.hpp"
#include "layers/models/memory_network.hpp"

using namespace heed;
using namespace heed::examples;

namespace {

constexpr Lengths usual{.shortest = 2, .longest = 6}, more{.shortest = 12, .longest = 12};
constexpr double threshold = 0.99;

// One of the networks behind one face.
struct Network {
  std::unique_ptr<Module> module;
  std::function<Answer(const Facts&, const Pass&)> answer;  // logits (B, values)
};

Network key_value(int64_t size, int64_t hops, const AttentionChoice* attention, Rng& rng) {
  KeyValueNetwork::Options options{
      .vocabulary = recall_words, .size = size, .hops = hops, .attention = attention != nullptr};
  if (attention != nullptr) options.scorer = attention->scorer, options.normalizer = attention->normalizer;
  auto net = std::make_unique<KeyValueNetwork>(options, rng);
  const auto answer = [net = net.get()](const Facts& f, const Pass& pass) {
    return (*net)(f.keys, f.values, f.lengths, f.question, recall_candidates(), pass);
  };
  return {std::move(net), answer};
}

// A fact is a sentence of two words; of the logits over all words those of the values count.
Network end_to_end(int64_t size, int64_t hops, MemoryNetwork::Tying tying, const AttentionChoice& attention,
                   Rng& rng) {
  auto net = std::make_unique<MemoryNetwork>(MemoryNetwork::Options{.vocabulary = recall_words,
                                                                    .size = size,
                                                                    .hops = hops,
                                                                    .tying = tying,
                                                                    .scorer = attention.scorer,
                                                                    .normalizer = attention.normalizer},
                                             rng);
  const auto answer = [net = net.get()](const Facts& f, const Pass& pass) {
    const Answer all = (*net)(f.sentences(), f.lengths, f.question, pass);
    return Answer{slice(all.logits, 1, 1 + recall_keys, recall_words), all.weights};
  };
  return {std::move(net), answer};
}

struct Row {
  const char* name;
  const char* what;
  Network (*make)(int64_t size, int64_t hops, const AttentionChoice& attention, Rng& rng);
  bool contrast;
};
using Tying = MemoryNetwork::Tying;
const Row rows[] = {
    {"key_value", "key-value network (Miller)",
     [](int64_t size, int64_t hops, const auto& attention, Rng& rng) {
       return key_value(size, hops, &attention, rng);
     },
     false},
    {"adjacent", "MemN2N, adjacent (Sukhbaatar)",
     [](int64_t size, int64_t hops, const auto& attention, Rng& rng) {
       return end_to_end(size, hops, Tying::adjacent, attention, rng);
     },
     false},
    {"layerwise", "MemN2N, layerwise",
     [](int64_t size, int64_t hops, const auto& attention, Rng& rng) {
       return end_to_end(size, hops, Tying::layerwise, attention, rng);
     },
     false},
    {"mean", "key-value without attention",
     [](int64_t size, int64_t hops, const auto& /*attention*/, Rng& rng) {
       return key_value(size, hops, nullptr, rng);
     },
     true},
};

// Shares of right answers to questions that one fact answers, and two.
struct Accuracy {
  double one, two;
};

Accuracy measure(const Network& network, Lengths items, Rng rng) {
  const NoGrad no_grad;
  const Share own = own_share(2000);
  const Facts unseen = draw_facts(2000, items, rng).select(own.rows);
  const Ids best = argmax(network.answer(unseen, {}).logits);
  double right[2] = {0, 0}, asked[2] = {0, 0};
  for (int64_t b = 0; b < best.size(); ++b) {
    const auto kind = size_t(unseen.steps[size_t(b)] - 1);
    ++asked[kind];
    right[kind] += best[b] == unseen.answer[b];
  }
  const auto share = [&](int kind) {
    return sum_over_ranks(right[kind], own) / sum_over_ranks(asked[kind], own);
  };
  return {share(0), share(1)};
}

// What each hop looked at, for one question that takes two.
void print_map(const Network& network, Rng rng) {
  const NoGrad no_grad;
  Facts facts = draw_facts(1, {4, 4}, rng);
  while (facts.steps[0] != 2) facts = draw_facts(1, {4, 4}, rng);
  const auto name = [](int32_t word) {
    return word <= recall_keys ? fmt::format("k{}", word) : fmt::format("v{}", word - recall_keys);
  };
  const Answer answer = network.answer(facts, {});  // weights (1, K, S)
  fmt::print("\n{} -> {}?  What each hop looks at:\n", name(facts.question[0]),
             name(int32_t(1 + recall_keys) + argmax(answer.logits)[0]));
  for (int64_t s = 0; s < facts.keys.size(); ++s) {
    fmt::print("  {:>3} -> {:<3}", name(facts.keys[s]), name(facts.values[s]));
    for (int64_t hop = 0; hop < answer.weights.size(1); ++hop)
      fmt::print("  {:4.2f}", answer.weights.data()[hop * facts.keys.size() + s]);
    fmt::print("\n");
  }
}

// A network, trained.
Network learn(const Row& row, int64_t hops, int64_t size, const AttentionChoice& attention,
              const FitSettings& settings, Fitted& fitted) {
  Rng weights = draw_from(Stream::weights, settings.seed);
  Rng batches = draw_from(Stream::batches, settings.seed), chance = draw_own(Stream::dropout, settings.seed);
  Network network = row.make(size, hops, attention, weights);
  fitted = fit(*network.module, settings, [&] {
    const Share own = own_share(settings.batch);
    const Facts facts = draw_facts(settings.batch, usual, batches).select(own.rows);
    return Found(cross_entropy(network.answer(facts, {.train = true, .rng = &chance}).logits, facts.answer),
                 count_of(facts.answer, -1, own));
  });
  return network;
}

// Measures and prints one row; true if all questions on the usual memories are answered.
bool print_row(const Row& row, int64_t hops, const Network& network, const Fitted& fitted, const Rng& unseen,
               Json& json) {
  const Accuracy few = measure(network, usual, unseen), many = measure(network, more, unseen);
  fmt::print("{:<30}{:>7}{:>9.1f}%{:>7.1f}%{:>9.1f}%{:>7.1f}%{:>9.1f}\n", row.what, hops, 100 * few.one,
             100 * few.two, 100 * many.one, 100 * many.two, fitted.seconds);
  std::fflush(stdout);
  const std::string at = fmt::format("/{}/{}", row.name, hops);
  json.set(at + "/losses", fitted.losses);
  json.set(at + "/one", few.one);
  json.set(at + "/two", few.two);
  json.set(at + "/one_of_12", many.one);
  json.set(at + "/two_of_12", many.two);
  return few.one >= threshold && few.two >= threshold;
}

int run(int argc, char** argv) {
  CommandLine line("recall", "Answers questions from a memory of facts, in one, two or three hops.");
  int64_t size = 64;
  AttentionChoice attention{.scorer = "dot"};
  FitSettings settings{.steps = 6000, .batch = 64, .lr = 1e-2};
  bool no_contrast = false;
  line.group("the models");
  line.integer("--size", size, "features of an embedded word", 1, 1 << 12);
  add_attention(line, attention);
  line.toggle("--no-contrast", no_contrast, "not the network without attention");
  add_fit_options(line, settings);
  if (!line.parse(argc, argv)) return 0;
  apply(settings);

  Rng unused;
  rows[0].make(size, 1, attention, unused);  // refuses, before anything is trained, what it refuses

  Json json;
  bool enough = true;
  const Rng unseen = draw_from(Stream::data, settings.seed);
  Network shown;
  fmt::print("recall: {} keys, {} values; trained on memories of {} to {} items\n\n", recall_keys,
             recall_values, usual.shortest, usual.longest);
  fmt::print("{:<37}{:>18}{:>18}{:>9}\n{:<30}{:>7}{:>10}{:>8}{:>10}{:>8}\n", "right answers, to questions of",
             "2 to 6 items", "12 items", "seconds", "", "hops", "one fact", "two", "one fact", "two");
  for (const Row& row : rows) {
    if (row.contrast && no_contrast) continue;
    for (int64_t hops = row.contrast ? 2 : 1; hops <= (row.contrast ? 2 : 3); ++hops) {
      Fitted fitted;
      Network network = learn(row, hops, size, attention, settings, fitted);
      const bool right = print_row(row, hops, network, fitted, unseen, json);
      if (!row.contrast && hops >= 2) enough = enough && right;
      if (&row == rows && hops == 2) shown = std::move(network);
    }
  }
  print_map(shown, unseen);
  write_settings(json, settings);
  write_settings(json, attention);
  json.set("/settings/size", size);
  json.set("/threshold", threshold);
  const std::string why =
      fmt::format("two and three hops, of 2 to 6 items; the threshold is {:.0f}%", 100 * threshold);
  return conclude("recall", {enough, why}, json, settings.json);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("recall", [=] { return run(argc, argv); });
}
