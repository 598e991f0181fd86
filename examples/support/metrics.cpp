#include "examples/support/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "autograd/error.hpp"

namespace heed::examples {

namespace {

std::map<Tokens, int64_t> count_ngrams(const Tokens& text, size_t n) {
  std::map<Tokens, int64_t> counts;
  for (size_t i = 0; i + n <= text.size(); ++i)
    ++counts[Tokens(text.begin() + int64_t(i), text.begin() + int64_t(i + n))];
  return counts;
}

// How many of the output's n-grams the reference has, each counted at most as often as there.
int64_t shared_ngrams(const Tokens& output, const Tokens& reference, size_t n) {
  const auto wanted = count_ngrams(reference, n);
  int64_t shared = 0;
  for (const auto& [ngram, count] : count_ngrams(output, n)) {
    const auto found = wanted.find(ngram);
    if (found != wanted.end()) shared += std::min(count, found->second);
  }
  return shared;
}

int64_t equal_positions(const Tokens& a, const Tokens& b) {
  int64_t equal = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) equal += a[i] == b[i];
  return equal;
}

void check(const char* metric, const std::vector<Tokens>& outputs, const std::vector<Tokens>& references) {
  if (outputs.size() != references.size())
    fail("{}: {} outputs for {} references", metric, outputs.size(), references.size());
  if (outputs.empty()) fail("{}: there is nothing to score", metric);
}

}  // namespace

int64_t edit_distance(std::span<const int32_t> a, std::span<const int32_t> b) {
  // row[j]: the distance between the part of a that was read so far and the first j of b.
  std::vector<int64_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    int64_t diagonal = row[0];  // of the row above
    row[0] = int64_t(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int64_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

double bleu(const std::vector<Tokens>& outputs, const std::vector<Tokens>& references) {
  check("bleu", outputs, references);
  constexpr size_t order = 4;
  double log_precision = 0;
  for (size_t n = 1; n <= order; ++n) {
    int64_t shared = 0, total = 0;
    for (size_t i = 0; i < outputs.size(); ++i) {
      shared += shared_ngrams(outputs[i], references[i], n);
      total += std::max<int64_t>(0, int64_t(outputs[i].size()) - int64_t(n) + 1);
    }
    if (shared == 0) return 0;
    log_precision += std::log(double(shared) / double(total)) / double(order);
  }
  double c = 0, r = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    c += double(outputs[i].size());
    r += double(references[i].size());
  }
  return std::exp(log_precision + std::min(0.0, 1 - r / c));
}

Scores score(const std::vector<Tokens>& outputs, const std::vector<Tokens>& references) {
  check("score", outputs, references);
  int64_t exact = 0, equal = 0, positions = 0, edits = 0, length = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    exact += outputs[i] == references[i];
    equal += equal_positions(outputs[i], references[i]);
    positions += int64_t(std::max(outputs[i].size(), references[i].size()));
    edits += edit_distance(outputs[i], references[i]);
    length += int64_t(references[i].size());
  }
  return {.sequence_accuracy = double(exact) / double(outputs.size()),
          .token_accuracy = double(equal) / double(std::max<int64_t>(positions, 1)),
          .token_error_rate = double(edits) / double(std::max<int64_t>(length, 1)),
          .bleu = bleu(outputs, references)};
}

}  // namespace heed::examples
