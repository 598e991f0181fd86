#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

// Where the time of a run goes. From start_profile to stop_profile every moment of this thread is charged to
// one row: an op's forward ("tanh"), its backward ("tanh backward"), a part that is no op but has a Timed
// ("Adam"), or "outside ops". So the rows add up to the whole, and nothing counts twice.
//
//   start_profile();
//   train();
//   fmt::print("{}", profile().table());
//   stop_profile();
//
// An op's clock starts where it checks its arguments and stops where it is recorded, whether or not somebody
// wants its gradient; an op that is made of others has no row of its own. The row "backward" is the walk
// through the graph: the queue, and what it frees. While no profile is taken, all that it costs is that an op
// looks at a flag, where its clock would start and where it would stop, and a product at another; while one
// is, about 150 ns for an op, and as much for its backward.

namespace heed {

struct ProfileRow {
  std::string name;
  int64_t calls = 0;   // 0: nothing that is called
  double seconds = 0;  // on the wall, while this thread was in it
  double flops = 0;    // of its matrix products, 2 m n k each, on whatever thread; nothing else is counted
  // What it has to move at the least. Forward: its inputs and its output, once each. Backward: their
  // gradients, where they are wanted. What an op saves, reads twice or sets to zero comes on top.
  double bytes = 0;
};

// What the machine can do in a second, on so many threads: flops of multiply-adds that touch registers alone,
// bytes of y += a x over arrays that no cache holds (64 MB together).
struct Peak {
  int threads = 1;
  double flops = 0, bytes = 0;
};

struct Profile {
  std::vector<ProfileRow> rows;  // the longest first
  double seconds = 0;            // of all rows
  double on_processor = 0;       // the part of them in which this thread ran: far less on a busy machine
  std::string precision;         // what the ops computed in: float, double; empty without any
  Peak one, all;                 // in that precision, of one thread; of as many as kernels may use

  // flops or, where there are none, bytes per second, as a share of `all`. Above 1: out of caches. 0:
  // neither.
  [[nodiscard]] double of_peak(const ProfileRow& row) const;
  // As text: a heading with the sum and the peaks, and a line for each row.
  [[nodiscard]] std::string table() const;
};

// Begins anew. Gemms are counted for the whole process: start it before other threads compute, and one at a
// time.
void start_profile();
// What has been found so far. The first call measures the peaks, 100 to 300 ms that count nowhere.
Profile profile();
void stop_profile();

// Charges what happens while it lives, except ops, to a row of this name (which has to outlive it).
class Timed {
 public:
  explicit Timed(const char* name);
  ~Timed();
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;
  // Adds to what the row has to move.
  void moves(int64_t bytes) const;

 private:
  const char *name_ = nullptr, *around_ = nullptr;  // null: no profile was taken when it began
};

// What a profile has to know of `real`.
struct Precision {
  const char* name;
  int64_t bytes;                 // of one number
  Peak (*measure)(int threads);  // takes 50 to 150 ms
};

// What the engine tells a profile; its functions are only to be called while `on`.
struct Profiling {
  inline static constinit thread_local bool on = false;
  static void begin();  // an op, or the backward of one
  // Its end: how many numbers it had to move.
  static void end(const char* op, bool backward, int64_t numbers, const Precision& precision);
  // Products count their multiplications and additions here, on whatever thread, while `counting`.
  inline static std::atomic<int64_t> flops{0};
  inline static std::atomic<bool> counting{false};
};

}  // namespace heed
