#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autograd/ids.hpp"
#include "layers/embedding.hpp"
#include "layers/linear.hpp"
#include "layers/normalizers.hpp"
#include "layers/scorers.hpp"

// Networks that answer a question from a memory of facts, in several hops: what one look at the memory brings
// becomes part of the query of the next. Letters: B batch, S facts, J words of a fact, D features, K hops,
// V vocabulary. The word tokens::pad fills up facts and questions and counts for nothing.
//
// The papers score by dot and average by softmax; any scorer and normalizer, the same for all hops, may stand
// there that does not go by the place of a fact, of which there is none to count on, and has a gradient: the
// constructors throw on the others, and on sizes below 1.

namespace heed::inline HEED_PRECISION {

struct Answer {
  Tensor logits;   // (B, V), or (B, C) over candidates
  Tensor weights;  // (B, K, S): what each hop looked at
};

// MemN2N (Sukhbaatar et al. 2015). With x_i the facts and q the question, each a bag of words:
//   u_1 = B q,   keys m_i = A_k x_i + T^A_k(i),   values c_i = C_k x_i + T^C_k(i)      (sections 2.1, 4.1)
//   p = softmax(u_k . m_i),   o_k = sum_i p_i c_i                                        (eq. 1 and 2)
//   u_(k+1) = u_k + o_k, layerwise H u_k + o_k;   logits = W u_(K+1)                     (eq. 3; section 2.2)
// Memory: the facts, embedded anew for every hop. T is a learned row for each age, i = 0 the last fact; none
// if slots = 0. Init: everything N(0, 0.1^2), as in section 4.2.
// Beyond the paper: layerwise, H also stands before W, which the paper leaves open.
struct MemoryNetwork : Module {
  enum class Tying {
    adjacent,   // A_(k+1) = C_k, B = A_1, W = C_K: K + 1 tables, `embeddings.0` to `embeddings.K`
    layerwise,  // A_k = A, C_k = C: `embeddings.0`, `embeddings.1`; and B, `question`; `H`; `W`
  };
  enum class Words {
    bag,        // the sum of a fact's word vectors
    positions,  // weighted by l_kj = (1 - j/J) - (k/D)(1 - 2j/J) for word j of J, feature k of D
                // (section 4.1)
  };
  struct Options {
    int64_t vocabulary = 0;
    int64_t size = 32;  // D
    int64_t hops = 3;   // K
    int64_t slots = 0;  // of the temporal encoding: the most facts that there will be; 0: without
    Tying tying = Tying::adjacent;
    Words words = Words::positions;
    bool attention = true;  // false, for contrast: every hop reads the mean of the memory
    std::string scorer = "dot";
    std::string normalizer = "softmax";
  };
  MemoryNetwork(const Options& options, Rng& rng);

  // facts (B, S, J), of which a row has `lengths` (B), each in [0, S]; question (B, Q words) -> logits (B,
  // V).
  Answer operator()(const Ids& facts, std::span<const int32_t> lengths, const Ids& question,
                    const Pass& pass = {}) const;
  void visit(const Visitor& visitor) const override;

 private:
  Options options_;
  std::unique_ptr<Scorer> scorer_;
  std::unique_ptr<Normalizer> normalizer_;
  std::vector<Embedding> embeddings_, times_;
  std::unique_ptr<Embedding> question_;  // of layerwise tying, as H and W
  std::unique_ptr<Linear> h_, w_;
};

// Key-value memory network (Miller et al. 2016, section 3.1), whose facts are addressed by one side and read
// by another. With bags of words k_i, v_i, x and candidates y_c:
//   q_1 = A x,   p = softmax(q_j . A k_i),   o = sum_i p_i A v_i,   q_(j+1) = R_j (q_j + o)
//   logits_c = q_(K+1) . B y_c
// Memory: built once for all hops; keys and values share A, as words do that are the value of one fact and
// the key of the next. Init: A, B N(0, 0.1^2), R_j as Linear. Beyond the paper: without key hashing, which
// narrows a large memory down beforehand; the paper's o is added to q, here to the q_j of that hop.
struct KeyValueNetwork : Module {
  struct Options {
    int64_t vocabulary = 0;
    int64_t size = 32;      // D
    int64_t hops = 2;       // K
    bool tied = true;       // B = A (section 3.1)
    bool attention = true;  // false, for contrast: every hop reads the mean of the memory
    std::string scorer = "dot";
    std::string normalizer = "softmax";
  };
  KeyValueNetwork(const Options& options, Rng& rng);

  // keys (B, S, J) and values (B, S, J'), of which a row has `lengths` (B); question (B, Q words); candidates
  // (C, Y words) -> logits (B, C).
  Answer operator()(const Ids& keys, const Ids& values, std::span<const int32_t> lengths, const Ids& question,
                    const Ids& candidates, const Pass& pass = {}) const;
  void visit(const Visitor& visitor) const override;

 private:
  Options options_;
  std::unique_ptr<Scorer> scorer_;
  std::unique_ptr<Normalizer> normalizer_;
  Embedding a_;
  std::unique_ptr<Embedding> b_;  // unless tied
  std::vector<Linear> r_;
};

}  // namespace heed::inline HEED_PRECISION
