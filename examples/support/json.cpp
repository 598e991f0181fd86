#include "examples/support/json.hpp"

#include <nlohmann/json.hpp>

#include "autograd/error.hpp"
#include "autograd/profile.hpp"
#include "examples/support/files.hpp"

namespace heed::examples {

struct Json::Value {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
};

namespace {
using Pointer = nlohmann::ordered_json::json_pointer;
}

Json::Json() : value_(std::make_unique<Value>()) {}
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

Json Json::parse(std::string_view text, const std::string& who) {
  Json result;
  result.who_ = who;
  result.value_->json = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!result.value_->json.is_object()) fail("{}: expected a JSON object", who);
  return result;
}

template <class T>
void Json::assign(const std::string& pointer, const T& value) {
  value_->json[Pointer(pointer)] = value;
}
void Json::set(const std::string& pointer, double value) { assign(pointer, value); }
void Json::set(const std::string& pointer, int64_t value) { assign(pointer, value); }
void Json::set(const std::string& pointer, bool value) { assign(pointer, value); }
void Json::set(const std::string& pointer, const std::string& value) { assign(pointer, value); }
void Json::set(const std::string& pointer, const std::vector<int64_t>& values) { assign(pointer, values); }
void Json::set(const std::string& pointer, const std::vector<double>& values) { assign(pointer, values); }

bool Json::has(const std::string& pointer) const { return value_->json.contains(Pointer(pointer)); }

template <class T>
T Json::get(const std::string& pointer, const char* type) const {
  if (!has(pointer)) fail("{}: there is no {}", who_, pointer);
  try {
    return value_->json.at(Pointer(pointer)).get<T>();
  } catch (const nlohmann::json::exception&) {
    fail("{}: {} is not {}", who_, pointer, type);
  }
}
double Json::number(const std::string& pointer) const { return get<double>(pointer, "a number"); }
bool Json::flag(const std::string& pointer) const { return get<bool>(pointer, "true or false"); }
int64_t Json::integer(const std::string& pointer) const { return get<int64_t>(pointer, "a number"); }
std::string Json::text(const std::string& pointer) const { return get<std::string>(pointer, "a string"); }
std::vector<int64_t> Json::integers(const std::string& pointer) const {
  return get<std::vector<int64_t>>(pointer, "a list of numbers");
}

std::vector<std::string> Json::members(const std::string& pointer) const {
  if (!has(pointer) && !pointer.empty()) fail("{}: there is no {}", who_, pointer);
  const auto& object = value_->json.at(Pointer(pointer));
  if (!object.is_object()) fail("{}: {} is not an object", who_, pointer);
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

std::string Json::dump(bool pretty) const {
  return value_->json.dump(pretty ? 2 : -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void Json::write(const std::string& path) {
  if (Profiling::on) set_profile();
  write_file(path, dump() + '\n');
}

void Json::set_profile() {
  const Profile found = profile();
  set("/profile/seconds", found.seconds);
  set("/profile/on_processor", found.on_processor);
  set("/profile/type", found.precision);
  for (const auto& [at, peak] :
       {std::pair("/profile/one_thread", found.one), {"/profile/threads", found.all}}) {
    set(at + std::string("/count"), int64_t(peak.threads));
    set(at + std::string("/peak_flops"), peak.flops);
    set(at + std::string("/peak_bytes"), peak.bytes);
  }
  for (const ProfileRow& row : found.rows) {
    const std::string at = "/profile/rows" + pointer_part(row.name);
    set(at + "/calls", row.calls);
    set(at + "/seconds", row.seconds);
    set(at + "/share", row.seconds / found.seconds);
    set(at + "/flops", row.flops);
    set(at + "/bytes", row.bytes);
    set(at + "/of_peak", found.of_peak(row));
  }
}

std::string pointer_part(std::string_view name) {
  std::string escaped = "/";
  for (const char c : name) {
    if (c == '~')
      escaped += "~0";
    else if (c == '/')
      escaped += "~1";
    else
      escaped += c;
  }
  return escaped;
}

}  // namespace heed::examples
