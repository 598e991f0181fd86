#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/tensor.hpp"

// Data-parallel training: N processes ("ranks") hold the same parameters, each computes the gradients of its
// own rows of every batch, and the sums of these gradients move all of them alike: synchronous SGD (Chen et
// al. 2016; Goyal et al. 2017, section 3). Whoever sends and receives is MPI, which only distributed.cpp
// calls. Built without it (-Dmpi=disabled), and without mpirun, there is one rank, which sends nothing.
//
//   int main() {
//     const distributed::World world;
//     try {
//       ...                                       // model, adam, data: the same seeds on every rank
//       DataParallel ranks(parameters(model));
//       Rng dropout = Rng(seed).split(distributed::rank());
//       for (...) {
//         // of the batch that all ranks draw: rows rank(), rank() + size(), ...
//         adam.zero_grad();
//         const Tensor mean = ...;                // this rank's loss, the mean over its `count` tokens
//         const double share = ranks.shares({double(count)}).front();
//         backward(scale(mean, real(share)));     // so that sums over ranks are means over the whole batch
//         ranks.sum_gradients();
//         clip_grad_norm(adam.parameters(), 1);
//         adam.step();                            // the same on every rank
//       }
//       ranks.check();
//     } catch (const std::exception& error) {     // others wait for this rank: it has to end them
//       std::fprintf(stderr, "%s\n", error.what());
//       distributed::abort(1);
//     }
//   }
//
// Every call but rank, size, is_root and abort is collective, World's constructor and destructor too: all
// ranks make it, in the same order, a rank whose batch has no row for it included. A rank that dies is
// noticed by mpirun, which ends the others.

namespace heed::distributed {

// Joins the others, for as long as it lives; one per process, and the first to touch MPI there.
class World {
 public:
  World();
  ~World();  // NOLINT(performance-trivially-destructible): with MPI it is not
  World(const World&) = delete;
  World& operator=(const World&) = delete;
};

int rank() noexcept;                                    // 0 .. size() - 1; 0 while there is no World
int size() noexcept;                                    // 1 while there is no World
inline bool is_root() noexcept { return rank() == 0; }  // who prints, reports and saves

bool launched() noexcept;  // whether mpirun started this process, with others or alone

// The processors that are this rank's, at least 1: of those that several ranks of a machine may run on, an
// equal part.
int processors();

// Sums over ranks, in place. The same bits on all ranks; and, as Open MPI computes them, in every run of as
// many on the same machines.
void all_reduce(std::span<float> x);
void all_reduce(std::span<double> x);
// Rank 0's bytes become everybody's.
void broadcast(std::span<std::byte> x);
// The lists of all ranks, one behind the other. Throws on more than 2^31 - 1 numbers.
std::vector<int32_t> all_gather(std::span<const int32_t> own);

// What all ranks throw where one differs from the others: `rank 1: WHAT differs from that of rank 0`. No
// Error, so that who is prepared for those does not go on.
class Disagreement : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws Disagreement, on every rank, unless all have the same `content`. WHAT is the text of the first one
// that differs.
void agree(const std::string& what, std::string_view content);
// The same of the file that each rank runs, its program and build, and of its arguments. Built without MPI:
// throws Error where mpirun started more than one process.
void same_program();

// Ends all ranks with `status`, whatever they are doing. Without others, this process.
[[noreturn]] void abort(int status) noexcept;

}  // namespace heed::distributed

namespace heed::inline HEED_PRECISION {

// The parameters of one model on all ranks. (What PyTorch calls DistributedDataParallel.)
class DataParallel {
 public:
  // Gives rank 0's numbers to all. Throws where kernels are of different architectures: they would round
  // differently, and parameters drift apart.
  explicit DataParallel(const TensorList& parameters);

  // Of each count the part that is this rank's: count / sum over ranks of count; 1 where that sum is 0.
  [[nodiscard]] static std::vector<double> shares(std::initializer_list<double> counts);
  // Every rank's gradients become the sums over ranks. A parameter without a gradient counts as 0, and stays
  // without where no rank has one. Sent in pieces of at most 4 MiB.
  void sum_gradients();
  // Throws unless all ranks have the same parameters, bit for bit.
  void check() const;

 private:
  TensorList parameters_;
  std::vector<real> flat_;  // all gradients, and for each parameter how many ranks have one
};

}  // namespace heed::inline HEED_PRECISION
