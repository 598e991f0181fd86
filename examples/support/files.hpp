#pragma once

#include <string>
#include <string_view>

namespace heed::examples {

// What a program writes at its end appears at once or not at all: a run that fails leaves the file that was
// there, and none that is empty. Of several ranks (optim/distributed.hpp) the first one writes; all read, and
// what they read has to be the same.

// Throws `FLAG PATH: cannot be written` when write_file would; asked before a run, it leaves no trace.
void check_writable(const std::string& flag, const std::string& path);
// Writes a file beside `path` and then renames it. What is no regular file, such as /dev/stdout, is written
// to. Throws `PATH: cannot be written`.
void write_file(const std::string& path, std::string_view content);
// All of a file; throws `PATH: is a directory, expected WHAT`, `PATH: cannot be opened` or, on a rank that
// finds another content than rank 0, `PATH differs from that of rank 0`.
std::string read_file(const std::string& path, const char* what);
// Whether both name one existing file, by whatever path.
bool same_file(const std::string& a, const std::string& b);

}  // namespace heed::examples
