#include "examples/support/files.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "autograd/error.hpp"
#include "optim/distributed.hpp"

namespace heed::examples {

namespace fs = std::filesystem;

namespace {

// Where the content goes first: beside the file that a symbolic link means; at once into what is no regular
// file.
struct Place {
  fs::path final, first;

  explicit Place(const std::string& path) : final(path), first(path) {
    std::error_code error;
    if (fs::exists(final, error) && !fs::is_regular_file(final, error)) return;
    if (fs::is_symlink(final, error)) final = fs::weakly_canonical(final, error);
    first = final;
    first += fmt::format(".{}.tmp", getpid());
  }
  [[nodiscard]] bool renames() const { return first != final; }
};

}  // namespace

void check_writable(const std::string& flag, const std::string& path) {
  if (!distributed::is_root()) return;
  const Place place(path);
  std::error_code error;
  bool fine = !path.empty() && !fs::is_directory(path, error) &&
              (!fs::exists(path, error) || access(path.c_str(), W_OK) == 0);
  if (fine && place.renames()) {
    fine = static_cast<bool>(std::ofstream(place.first, std::ios::binary));
    fs::remove(place.first, error);
  }
  if (!fine) fail("{} {}: cannot be written", flag, path);
}

void write_file(const std::string& path, std::string_view content) {
  if (!distributed::is_root()) return;
  const Place place(path);
  std::ofstream file(place.first, std::ios::binary);
  file << content;
  file.close();
  std::error_code error;
  if (file && place.renames()) fs::rename(place.first, place.final, error);
  if (file && !error) return;
  if (place.renames()) fs::remove(place.first, error);
  fail("{}: cannot be written", path);
}

std::string read_file(const std::string& path, const char* what) {
  if (fs::is_directory(path)) fail("{}: is a directory, expected {}", path, what);
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("{}: cannot be opened", path);
  std::string content(std::istreambuf_iterator<char>(file), {});
  distributed::agree(path, content);
  return content;
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  return fs::equivalent(a, b, error) ||
         fs::weakly_canonical(fs::absolute(a), error) == fs::weakly_canonical(fs::absolute(b), error);
}

}  // namespace heed::examples
