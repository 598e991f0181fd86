#include "examples/support/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "autograd/error.hpp"
#include "autograd/kernels/parallel.hpp"
#include "autograd/profile.hpp"
#include "optim/distributed.hpp"

namespace heed::examples {

struct CommandLine::Parser {
  CLI::App app;
  std::string heading = "options";
  std::vector<std::function<void()>> checks;  // of the values, after parsing
  bool profile = false;

  CLI::Option* placed(CLI::Option* option) const { return option->group(heading); }
};

CommandLine::CommandLine(std::string program, const std::string& about)
    : parser_(std::make_unique<Parser>()) {
  parser_->app.description(about);
  parser_->app.name(std::move(program));
  parser_->app.get_formatter()->column_width(28);
  parser_->app.set_help_flag("--help,-h", "print this and stop")->group("options");
  parser_->app.add_flag("--profile", parser_->profile, "tell at the end where the time went, op by op")
      ->group("options");
}

CommandLine::~CommandLine() = default;

void CommandLine::group(const std::string& heading) { parser_->heading = heading; }

void CommandLine::integer(const std::string& flag, int64_t& value, const std::string& help, int64_t least,
                          int64_t most) {
  parser_->placed(parser_->app.add_option(flag, value, help)->capture_default_str()->type_name("N"));
  parser_->checks.emplace_back([=, &value] {
    if (value < least) fail("{} {}: expected at least {}", flag, value, least);
    if (value > most) fail("{} {}: expected at most {}", flag, value, most);
  });
}

void CommandLine::number(const std::string& flag, double& value, const std::string& help, double least,
                         double most) {
  parser_->placed(parser_->app.add_option(flag, value, help)->capture_default_str()->type_name("X"));
  parser_->checks.emplace_back([=, &value] {
    if (!(value >= least && value <= most)) fail("{} {}: expected {} to {}", flag, value, least, most);
  });
}

void CommandLine::text(const std::string& flag, std::string& value, const std::string& help) {
  parser_->placed(parser_->app.add_option(flag, value, help)->type_name("F"));
}

void CommandLine::choice(const std::string& flag, std::string& value, const std::string& help,
                         const std::vector<std::string>& choices) {
  const std::string listed = fmt::format("{}", fmt::join(choices, "|"));
  auto* option = parser_->app.add_option(flag, value, help)->capture_default_str();
  parser_->placed(option->type_name(listed));
  parser_->checks.emplace_back([=, &value] {
    if (std::find(choices.begin(), choices.end(), value) == choices.end())
      fail("{} {}: expected one of {}", flag, value, fmt::join(choices, ", "));
  });
}

void CommandLine::choices(const std::string& flag, std::vector<std::string>& values, const std::string& help,
                          const std::vector<std::string>& choices) {
  auto* option = parser_->app.add_option(flag, values, help)->delimiter(',')->capture_default_str();
  parser_->placed(option->type_name("A,B,..."));
  parser_->checks.emplace_back([=, &values] {
    for (const std::string& value : values)
      if (std::find(choices.begin(), choices.end(), value) == choices.end())
        fail("{} {}: expected some of {}", flag, value, fmt::join(choices, ", "));
  });
}

void CommandLine::toggle(const std::string& flag, bool& value, const std::string& help) {
  parser_->placed(parser_->app.add_flag(flag, value, help));
}

bool CommandLine::parse(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {  // CLI11 takes an empty value for a zero
    const std::string_view argument = argv[i];
    if (argument.empty())
      fail("{}: expected a value, found '' (see --help)", i > 1 ? argv[i - 1] : "argument 1");
    if (argument.starts_with("--") && argument.ends_with('='))
      fail("{}: expected a value (see --help)", argument);
  }
  try {
    parser_->app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", parser_->app.help());
    return false;
  } catch (const CLI::ExtrasError&) {
    fail("unknown option {} (see --help)", fmt::join(parser_->app.remaining(), " "));
  } catch (const CLI::ParseError& error) {
    fail("{} (see --help)", error.what());
  }
  for (const auto& check : parser_->checks) check();
  if (parser_->profile) start_profile();
  return true;
}

std::vector<std::string> CommandLine::given() const {
  std::vector<std::string> flags;
  for (const CLI::Option* option : parser_->app.parse_order()) flags.push_back(option->get_name());
  return flags;
}

bool CommandLine::given(const std::string& flag) const { return parser_->app.count(flag) > 0; }

std::string peek(int argc, const char* const* argv, std::string_view flag, std::string otherwise) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == flag && i + 1 < argc) otherwise = argv[i + 1];
    if (argument.starts_with(std::string(flag) + "=")) otherwise = argument.substr(flag.size() + 1);
  }
  return otherwise;
}

namespace {

// Of several ranks only the first prints; by default all of them together have as many threads as there are
// processors.
void enter_world() {
  if (!distributed::is_root() && std::freopen("/dev/null", "w", stdout) == nullptr)
    fail("/dev/null: cannot be opened");
  const int processors = distributed::processors();
  const char* given = std::getenv("HEED_NUM_THREADS");
  if (given == nullptr || *given == '\0') kernels::set_threads(std::min(kernels::threads(), processors));
}

// The first rank that speaks ends all others (run_program), and they speak in turn, half a second apart: an
// error that all of them meet is told by rank 0, unless it is late, and one that only rank 3 meets by that.
void tell_error(const char* program, const char* what) {
  if (distributed::is_root()) {
    std::fprintf(stderr, "%s: %s\n", program, what);
    return;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500) * std::min(distributed::rank(), 10));
  std::fprintf(stderr, "%s: rank %d: %s\n", program, distributed::rank(), what);
}

}  // namespace

int run_program(const char* program, const std::function<int()>& body) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  const distributed::World world;
  // not fmt::print, which throws where standard error is closed or full
  const auto tell = [&](const char* what) { tell_error(program, what); };
  try {
    distributed::same_program();
    if (distributed::size() > 1) enter_world();
    const int status = body();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      throw std::runtime_error("standard output: cannot be written");
    }
    if (Profiling::on && distributed::is_root()) std::fprintf(stderr, "\n%s", profile().table().c_str());
    return status;
  } catch (const std::bad_alloc&) {
    tell("not enough memory");
  } catch (const std::exception& error) {
    tell(std::ferror(stdout) != 0 ? "standard output: cannot be written" : error.what());
  }
  if (distributed::size() > 1) distributed::abort(1);
  return 1;
}

}  // namespace heed::examples
