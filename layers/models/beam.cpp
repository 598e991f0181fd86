#include "layers/models/beam.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/error.hpp"
#include "autograd/graph.hpp"
#include "layers/models/writing.hpp"

namespace heed::inline HEED_PRECISION {
namespace {

// A token that was written after another: hypotheses that begin alike share their beginning.
struct Node {
  int32_t before;  // the node of the token before it; -1: it is the first
  int32_t token;
  size_t step, row;  // where its weights stand: this row of this step's
};

// A hypothesis that goes on, or one that may come of it: `parent` is its place in the beam before.
struct Hypothesis {
  int32_t node = -1;  // its last token; -1: none yet
  double log_p = 0;
  bool greedy = false;  // all its tokens were the likeliest
  int32_t token = -1;
  size_t parent = 0;
};

struct Finished {
  int32_t node;  // its last token but the end
  double log_p, score;
  bool ended;
};

// All that is known of one row of the batch.
struct Beam {
  std::vector<Hypothesis> live;
  std::vector<Finished> best;  // falling by score, at most n_best
};

// Puts x behind all that are not worse; beyond `most` the last falls out. The order is `Key`'s, falling.
template <class Item, class Key>
void insert(std::vector<Item>& list, const Item& x, int64_t most, Key key) {
  const bool full = static_cast<int64_t>(list.size()) == most;
  if (full && !(list.back().*key < x.*key)) return;
  list.insert(std::ranges::upper_bound(list, x.*key, std::ranges::greater(), key), x);
  if (full) list.pop_back();
}

class Search {
 public:
  Search(const Autoregressive& model, DecoderState state, const Ids& previous, const Limits& limits,
         const BeamOptions& options)
      : writing_("beam_search", model, std::move(state), previous, limits),
        limits_(limits),
        options_(options),
        beams_(static_cast<size_t>(previous.size()), Beam{{Hypothesis{.greedy = true}}, {}}) {}

  std::vector<std::vector<Decoded>> run(const Ids& previous) {
    std::vector<int32_t> fed(previous.values().begin(), previous.values().end());
    while (!fed.empty()) {
      const Writing::Next next = writing_.step(fed);
      looked_.push_back(next.weights);
      std::vector<int32_t> rows;
      fed.clear();
      size_t first = 0;  // the beam's first row in the batch
      for (size_t b = 0; b < beams_.size(); ++b) {
        const size_t count = beams_[b].live.size();
        if (count > 0) advance(b, first, next);
        for (const Hypothesis& h : beams_[b].live) {
          rows.push_back(static_cast<int32_t>(first + h.parent));
          fed.push_back(h.token);
        }
        first += count;
      }
      if (!fed.empty()) writing_.keep(rows);
    }
    std::vector<std::vector<Decoded>> answers(beams_.size());
    for (size_t b = 0; b < beams_.size(); ++b) {
      for (const Finished& finished : beams_[b].best) answers[b].push_back(answer(finished));
    }
    return answers;
  }

 private:
  // The likeliest continuations, falling; greedy's at the end if it is not among them.
  [[nodiscard]] std::vector<Hypothesis> continuations(const std::vector<Hypothesis>& live, size_t first,
                                                      const Writing::Next& next) const {
    std::vector<Hypothesis> chosen;
    Hypothesis greedy;
    for (size_t i = 0; i < live.size(); ++i) {
      const std::span<const real> log_p = writing_.row(next, first + i);
      const auto likeliest = static_cast<size_t>(std::ranges::max_element(log_p) - log_p.begin());
      for (size_t v = 0; v < log_p.size(); ++v) {
        if (log_p[v] == -std::numeric_limits<real>::infinity()) continue;
        const Hypothesis one{.node = live[i].node,
                             .log_p = live[i].log_p + log_p[v],
                             .greedy = live[i].greedy && v == likeliest,
                             .token = static_cast<int32_t>(v),
                             .parent = i};
        if (one.greedy) greedy = one;
        insert(chosen, one, options_.width, &Hypothesis::log_p);
      }
    }
    if (greedy.greedy && std::ranges::none_of(chosen, &Hypothesis::greedy)) chosen.push_back(greedy);
    return chosen;
  }

  // One step of beam b, whose hypotheses are the rows `first`, ... of the batch.
  void advance(size_t b, size_t first, const Writing::Next& next) {
    Beam& beam = beams_[b];
    const std::vector<Hypothesis> chosen = continuations(beam.live, first, next);
    beam.live.clear();
    double highest = -std::numeric_limits<double>::infinity();
    for (Hypothesis h : chosen) {
      if (h.token == limits_.end) {
        finish(b, h, true);
        continue;
      }
      nodes_.push_back({h.node, h.token, looked_.size() - 1, first + h.parent});
      h.node = static_cast<int32_t>(nodes_.size()) - 1;
      if (writing_.steps() == limits_.max_length) {
        finish(b, h, false);
        continue;
      }
      highest = std::max(highest, h.log_p);
      beam.live.push_back(h);
    }
    const bool full = static_cast<int64_t>(beam.best.size()) == options_.n_best;
    if (full && highest / length_penalty(limits_.max_length) <= beam.best.back().score) beam.live.clear();
    if (beam.live.empty() && beam.best.empty()) {
      fail("beam_search: no token has a probability at step {} of row {}", writing_.steps(), b);
    }
  }

  void finish(size_t b, const Hypothesis& h, bool ended) {
    const double score = h.log_p / length_penalty(writing_.steps()) + coverage_penalty(b, h.node);
    insert(beams_[b].best, Finished{h.node, h.log_p, score, ended}, options_.n_best, &Finished::score);
  }

  [[nodiscard]] double length_penalty(int64_t length) const {
    return std::pow(static_cast<double>(5 + length) / 6, options_.length_penalty);
  }

  [[nodiscard]] double coverage_penalty(size_t b, int32_t node) const {
    if (options_.coverage_penalty == 0 || writing_.slots() < 0) return 0;
    std::vector<double> totals(static_cast<size_t>(limits_.lengths[b]));
    for (; node >= 0; node = at(node).before) {
      const std::span<const real> w = weights(at(node));
      for (size_t j = 0; j < totals.size(); ++j) totals[j] += w[j];
    }
    double sum = 0;
    for (const double total : totals) sum += std::log(std::clamp(total, least_coverage, 1.0));
    return options_.coverage_penalty * sum;
  }

  [[nodiscard]] Decoded answer(const Finished& finished) const {
    Decoded decoded{.tokens = {},
                    .weights = {},
                    .log_probability = finished.log_p,
                    .score = finished.score,
                    .ended = finished.ended};
    std::vector<const Node*> path;
    for (int32_t node = finished.node; node >= 0; node = at(node).before) path.push_back(&at(node));
    std::ranges::reverse(path);
    for (const Node* node : path) decoded.tokens.push_back(node->token);
    if (writing_.slots() < 0) return decoded;
    decoded.weights = Tensor::empty({static_cast<int64_t>(path.size()), writing_.slots()});
    real* to = decoded.weights.mutable_data();
    for (const Node* node : path) to = std::ranges::copy(weights(*node), to).out;
    return decoded;
  }

  [[nodiscard]] const Node& at(int32_t node) const { return nodes_[static_cast<size_t>(node)]; }
  [[nodiscard]] std::span<const real> weights(const Node& node) const {
    const auto slots = static_cast<size_t>(writing_.slots());
    return looked_[node.step].values().subspan(node.row * slots, slots);
  }

  Writing writing_;
  const Limits& limits_;
  const BeamOptions& options_;
  std::vector<Beam> beams_;
  std::vector<Node> nodes_;
  TensorList looked_;  // the weights of each step, (rows, S)
};

}  // namespace

std::vector<std::vector<Decoded>> beam_search(const Autoregressive& model, DecoderState state,
                                              const Ids& previous, const Limits& limits,
                                              const BeamOptions& options) {
  if (options.n_best < 1 || options.n_best > options.width) {
    fail("beam_search: n_best {} is outside [1, width {}]", options.n_best, options.width);
  }
  for (const double penalty : {options.length_penalty, options.coverage_penalty}) {
    if (penalty >= 0 && std::isfinite(penalty)) continue;
    fail("beam_search: length_penalty {} and coverage_penalty {} must be at least 0, and finite",
         options.length_penalty, options.coverage_penalty);
  }
  return Search(model, std::move(state), previous, limits, options).run(previous);
}

std::vector<std::vector<Decoded>> beam_search(const Seq2Seq& model, const Ids& source,
                                              std::span<const int32_t> lengths, int64_t max_length,
                                              const BeamOptions& options) {
  const NoGrad no_grad;
  return beam_search(model, model.start(source, lengths), bos_of(source), seq2seq_limits(lengths, max_length),
                     options);
}

}  // namespace heed::inline HEED_PRECISION
