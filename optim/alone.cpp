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
void same_program() {
  for (const char* launcher : {"OMPI_COMM_WORLD", "PMI"}) {  // Open MPI's; MPICH's and others'
    const auto number = [&](const char* what) {
      const char* text = std::getenv((std::string(launcher) + what).c_str());
      return text == nullptr ? 0 : std::atoi(text);
    };
    if (number("_SIZE") <= 1) continue;
    if (number("_RANK") > 0) std::this_thread::sleep_for(std::chrono::seconds(1));  // the first one tells it
    fail("mpirun started {} processes, but heed was built without MPI (-Dmpi=enabled)", number("_SIZE"));
  }
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
