// The ranks, by MPI (the Message Passing Interface, version 3). The only file that calls it.
#include "optim/distributed.hpp"

#define OMPI_SKIP_MPICXX 1  // the C interface alone
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "autograd/error.hpp"

namespace heed::distributed {

namespace {

// FNV-1a (Fowler, Noll, Vo 1991), 64 bits; begins with `hash`.
uint64_t digest(std::string_view content, uint64_t hash = 0xcbf29ce484222325U) {
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

std::string content_of(const char* path) {  // empty where there is no such file
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr size_t piece = size_t{4} << 20;  // bytes

template <class T>
void sum_pieces(std::span<T> x, MPI_Datatype type) {
  if (size() == 1) return;
  for (size_t i = 0; i < x.size(); i += piece / sizeof(T)) {
    const int n = static_cast<int>(std::min(piece / sizeof(T), x.size() - i));
    MPI_Allreduce(MPI_IN_PLACE, x.data() + i, n, type, MPI_SUM, MPI_COMM_WORLD);
  }
}

int of_world(int (*ask)(MPI_Comm, int*), int otherwise) noexcept {
  int ready = 0, over = 0, answer = otherwise;
  MPI_Initialized(&ready);
  MPI_Finalized(&over);
  if (ready != 0 && over == 0) ask(MPI_COMM_WORLD, &answer);
  return answer;
}

}  // namespace

World::World() {
  int threads = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &threads);
}

World::~World() { MPI_Finalize(); }

void same_program() {
  if (size() == 1) return;
  agree("the program, or its build,", content_of("/proc/self/exe"));
  const std::string line = content_of("/proc/self/cmdline");  // each argument ends with '\0'
  const std::string arguments = line.substr(std::min(line.find('\0') + 1, line.size()));
  std::string told = arguments.empty() ? "(no arguments)" : arguments.substr(0, arguments.size() - 1);
  std::ranges::replace(told, '\0', ' ');
  agree("the command line, " + told + ",", arguments);
}

int rank() noexcept { return of_world(MPI_Comm_rank, 0); }
int size() noexcept { return of_world(MPI_Comm_size, 1); }

bool launched() noexcept {  // by Open MPI's mpirun, by others'
  return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv("PMI_SIZE") != nullptr;
}

int processors() {
  cpu_set_t own;
  CPU_ZERO(&own);
  sched_getaffinity(0, sizeof own, &own);  // where it fails, none is known: 1 is returned
  if (size() == 1) return std::max(1, CPU_COUNT(&own));
  std::vector<int> sharers(CPU_SETSIZE);  // of each processor: the ranks of this machine that may use it
  for (int i = 0; i < CPU_SETSIZE; ++i) sharers[static_cast<size_t>(i)] = CPU_ISSET(i, &own) ? 1 : 0;
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank(), MPI_INFO_NULL, &machine);
  MPI_Allreduce(MPI_IN_PLACE, sharers.data(), CPU_SETSIZE, MPI_INT, MPI_SUM, machine);
  MPI_Comm_free(&machine);
  double part = 1e-9;  // so that three thirds are 1
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &own)) part += 1.0 / sharers[static_cast<size_t>(i)];
  return std::max(1, static_cast<int>(part));
}

void all_reduce(std::span<float> x) { sum_pieces(x, MPI_FLOAT); }
void all_reduce(std::span<double> x) { sum_pieces(x, MPI_DOUBLE); }

void broadcast(std::span<std::byte> x) {
  if (size() == 1) return;
  for (size_t i = 0; i < x.size(); i += piece)
    MPI_Bcast(x.data() + i, static_cast<int>(std::min(piece, x.size() - i)), MPI_BYTE, 0, MPI_COMM_WORLD);
}

std::vector<int32_t> all_gather(std::span<const int32_t> own) {
  if (size() == 1) return {own.begin(), own.end()};
  const auto n = static_cast<int>(own.size());
  std::vector<int> counts(static_cast<size_t>(size())), begins(counts.size());
  MPI_Allgather(&n, 1, MPI_INT, counts.data(), 1, MPI_INT, MPI_COMM_WORLD);
  int64_t total = 0;
  for (size_t r = 0; r < counts.size(); ++r) {
    begins[r] = static_cast<int>(total);
    total += counts[r];
    if (total > INT_MAX) fail("all_gather: more than {} numbers", INT_MAX);
  }
  std::vector<int32_t> all(static_cast<size_t>(total));
  MPI_Allgatherv(own.data(), n, MPI_INT32_T, all.data(), counts.data(), begins.data(), MPI_INT32_T,
                 MPI_COMM_WORLD);
  return all;
}

void agree(const std::string& what, std::string_view content) {
  if (size() == 1) return;
  const uint64_t own = digest(content, digest(what));
  uint64_t first = own;
  broadcast(std::as_writable_bytes(std::span(&first, 1)));
  int odd = own == first ? size() : rank();  // the first rank that differs
  MPI_Allreduce(MPI_IN_PLACE, &odd, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  if (odd == size()) return;
  std::string told = what;
  auto length = static_cast<int>(told.size());
  MPI_Bcast(&length, 1, MPI_INT, odd, MPI_COMM_WORLD);
  told.resize(static_cast<size_t>(length));
  MPI_Bcast(told.data(), length, MPI_CHAR, odd, MPI_COMM_WORLD);
  throw Disagreement(fmt::format("rank {}: {} differs from that of rank 0", odd, told));
}

void abort(int status) noexcept {
  if (size() > 1) MPI_Abort(MPI_COMM_WORLD, status);
  std::exit(status);
}

}  // namespace heed::distributed
