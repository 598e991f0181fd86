#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/tensor.hpp"

// Data-parallel training: N processes ("ranks") hold the same parameters, each computes the gradients of its
// own rows of every batch, and the sums of these gradients move all of them alike (Dean et al. 2012, without
// a server; Goyal et al. 2017, section 3). Whoever sends and receives is MPI, which only distributed.cpp
// knows. Built without it (-Dmpi=disabled), and without mpirun, there is one rank: nothing is sent, and every
// function here does what is right for one.
//
//   distributed::World world;                                     // first thing in main
//   DataParallel ranks(parameters(model));                        // all begin with rank 0's numbers
//   const double share = ranks.shares({tokens}).front();          // this rank's tokens, of all ranks' tokens
//   backward(scale(mean_of_own_tokens, share));                   // so that sums over ranks are global means
//   ranks.sum_gradients();  clip_grad_norm(...);  adam.step();    // the same on every rank
//
// Every function but rank, size, is_root and abort is collective: all ranks call it, in the same order. A
// rank that cannot go on calls abort; one that dies is noticed by mpirun, which ends the others.

namespace heed::distributed {

// Joins the others, for as long as it lives; one per process.
class World {
 public:
  World();
  ~World();  // NOLINT(performance-trivially-destructible): with MPI it is not
  World(const World&) = delete;
  World& operator=(const World&) = delete;
};

// Throws on a rank that runs another file than rank 0: another program, another build.
void same_program();

int rank() noexcept;  // 0 .. size() - 1
int size() noexcept;
inline bool is_root() noexcept { return rank() == 0; }  // who prints, reports and saves
// The processors that are this rank's, at least 1: of those that several ranks may run on, an equal part.
int processors();

// Sums over ranks, in place; the same bits on every rank and in every run with as many.
void sum(std::span<float> x);
void sum(std::span<double> x);
// Rank 0's bytes become everybody's.
void broadcast(std::span<std::byte> x);
// The lists of all ranks, one behind the other.
std::vector<int32_t> gather(std::span<const int32_t> own);

// Throws `WHAT differs from that of rank 0` on a rank whose content is another than rank 0's. The ranks that
// did not throw go on, until the one that did ends them all.
void agree(const std::string& what, std::string_view content);

// Ends all ranks with `status`, whatever they are doing. Without others, this process.
[[noreturn]] void abort(int status) noexcept;

}  // namespace heed::distributed

namespace heed::inline HEED_PRECISION {

class DataParallel {
 public:
  // Gives rank 0's numbers to all.
  explicit DataParallel(const TensorList& parameters);

  // Of each count the part that is this rank's: count / sum over ranks of count; where that is 0, and
  // alone: 1.
  [[nodiscard]] static std::vector<double> shares(std::initializer_list<double> counts);
  // Every rank's gradients become the sums over ranks. A parameter without a gradient counts as 0, and stays
  // without where no rank has one. Sent in pieces of at most 4 MB.
  void sum_gradients();
  // Throws where a rank's parameters are not bit for bit those of rank 0.
  void check() const;

 private:
  TensorList parameters_;
  std::vector<real> flat_;  // all gradients, and for each parameter how many ranks have one
};

}  // namespace heed::inline HEED_PRECISION
