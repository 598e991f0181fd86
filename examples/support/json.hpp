#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace heed::examples {

// A JSON object, as far as the programs need one; nlohmann's header, which costs seconds, stays in json.cpp.
// Members are named by JSON pointers (RFC 6901): json.set("/test/accuracy", 0.99).
class Json {
 public:
  Json();
  Json(Json&&) noexcept;
  Json& operator=(Json&&) noexcept;
  ~Json();
  // Throws `who: ...` on text that is not a JSON object.
  static Json parse(std::string_view text, const std::string& who);

  void set(const std::string& pointer, double value);  // NaN and infinities become null
  void set(const std::string& pointer, int64_t value);
  void set(const std::string& pointer, bool value);
  void set(const std::string& pointer, const std::string& value);
  void set(const std::string& pointer, const char* value) { set(pointer, std::string(value)); }
  void set(const std::string& pointer, const std::vector<int64_t>& values);
  void set(const std::string& pointer, const std::vector<double>& values);

  [[nodiscard]] bool has(const std::string& pointer) const;
  // Throw when there is no such member, or none of this type.
  [[nodiscard]] double number(const std::string& pointer) const;
  [[nodiscard]] bool flag(const std::string& pointer) const;
  [[nodiscard]] int64_t integer(const std::string& pointer) const;
  [[nodiscard]] std::string text(const std::string& pointer) const;
  [[nodiscard]] std::vector<int64_t> integers(const std::string& pointer) const;
  // The names of the object's members at `pointer` ("" is the whole).
  [[nodiscard]] std::vector<std::string> members(const std::string& pointer) const;

  [[nodiscard]] std::string dump(bool pretty = true) const;
  // Where a profile is taken, with what it found so far as /profile. Throws when the file cannot be written.
  void write(const std::string& path);

 private:
  void set_profile();
  struct Value;
  template <class T>
  void assign(const std::string& pointer, const T& value);
  template <class T>
  [[nodiscard]] T get(const std::string& pointer, const char* type) const;
  std::unique_ptr<Value> value_;
  std::string who_ = "json";
};

// One level of a JSON pointer, with ~ and / escaped.
std::string pointer_part(std::string_view name);

}  // namespace heed::examples
