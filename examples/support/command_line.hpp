#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace heed::examples {

// The options of a program; CLI11's header, which costs seconds, stays in command_line.cpp. Each option is
// bound to a variable, whose value when it is added is its default and is shown by --help. Every program has
// two more: --help, and --profile, which starts a profile (autograd/profile.hpp) once all is parsed.
class CommandLine {
 public:
  CommandLine(std::string program, const std::string& about);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // The largest limit: CLI11 reads a number that int64 does not hold as int64's largest.
  static constexpr int64_t any = std::numeric_limits<int64_t>::max() - 1;
  void integer(const std::string& flag, int64_t& value, const std::string& help, int64_t least,
               int64_t most = 1'000'000'000);
  void number(const std::string& flag, double& value, const std::string& help, double least, double most);
  void text(const std::string& flag, std::string& value, const std::string& help);
  void choice(const std::string& flag, std::string& value, const std::string& help,
              const std::vector<std::string>& choices);
  // Some of the choices, joined by commas, in that order.
  void choices(const std::string& flag, std::vector<std::string>& values, const std::string& help,
               const std::vector<std::string>& choices);
  void toggle(const std::string& flag, bool& value, const std::string& help);
  // Options added from now on stand under this heading in --help.
  void group(const std::string& heading);

  // Reads the arguments into the variables. False: --help was asked for and printed. Throws, in one
  // sentence, on what it does not know, and on a value that is none or outside its range.
  bool parse(int argc, const char* const* argv);
  // The options that the user gave; whether this one is among them.
  [[nodiscard]] std::vector<std::string> given() const;
  [[nodiscard]] bool given(const std::string& flag) const;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// The value of `flag`, or `otherwise`, before anything is parsed: for one that decides which defaults --help
// shows.
std::string peek(int argc, const char* const* argv, std::string_view flag, std::string otherwise);

// Runs a program's body: what it returns is the exit status; an exception becomes one line `PROGRAM: ...` on
// standard error, if that can be written, and status 1. Lines are shown as soon as they are complete, in a
// pipe too. A profile that was started is told last, on standard error: what a program answers stays as it
// is.
int run_program(const char* program, const std::function<int()>& body);

}  // namespace heed::examples
