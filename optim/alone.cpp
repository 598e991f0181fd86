// What distributed.hpp promises, without MPI: there is one rank.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "autograd/error.hpp"
#include "optim/distributed.hpp"

namespace heed::distributed {

World::World() = default;
World::~World() = default;

namespace {

// What mpirun tells of a process, its "RANK" or the "SIZE" of the world: Open MPI's, MPICH's and others'.
int told(const char* what) noexcept {
  for (const char* name : {"OMPI_COMM_WORLD_", "PMI_"})
    if (const char* text = std::getenv((std::string(name) + what).c_str())) return std::atoi(text);
  return 0;
}

}  // namespace

bool launched() noexcept { return told("SIZE") > 0; }

void same_program() {
  if (told("SIZE") <= 1) return;
  if (told("RANK") > 0) std::this_thread::sleep_for(std::chrono::seconds(1));  // the first one tells it
  fail("mpirun started {} processes, but heed was built without MPI (-Dmpi=enabled)", told("SIZE"));
}

int rank() noexcept { return 0; }
int size() noexcept { return 1; }
int processors() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

void all_reduce(std::span<float> /*x*/) {}
void all_reduce(std::span<double> /*x*/) {}
void broadcast(std::span<std::byte> /*x*/) {}
std::vector<int32_t> all_gather(std::span<const int32_t> own) { return {own.begin(), own.end()}; }
void agree(const std::string& /*what*/, std::string_view /*content*/) {}
void abort(int status) noexcept { std::exit(status); }

}  // namespace heed::distributed
