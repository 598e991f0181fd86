#include "examples/support/checkpoint.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "autograd/error.hpp"
#include "examples/support/files.hpp"
#include "examples/support/json.hpp"

namespace heed::examples {

namespace {

static_assert(std::endian::native == std::endian::little, "the file's numbers are little endian");

constexpr const char* own_type = sizeof(real) == 4 ? "F32" : "F64";

// The numbers of one tensor, `bytes` long.
template <class T>
std::vector<double> numbers(const char* bytes, int64_t count) {
  std::vector<double> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    values[i] = double(value);
  }
  return values;
}

Checkpoint::Entry read_entry(const Json& header, const std::string& name, const std::string& data,
                             const std::string& path, int64_t& end) {
  const std::string at = pointer_part(name), type = header.text(at + "/dtype");
  const std::vector<int64_t> sizes = header.integers(at + "/shape");
  const std::vector<int64_t> place = header.integers(at + "/data_offsets");
  if (type != "F32" && type != "F64")
    fail("{}: {} has numbers of type {}, expected F32 or F64", path, name, type);
  const Shape shape{std::span<const int64_t>(sizes)};
  const int64_t width = type == "F32" ? 4 : 8, total = int64_t(data.size());
  if (place.size() != 2 || place[0] < 0 || place[1] < place[0] || place[1] > total)
    fail("{}: {} lies outside the {} bytes of numbers", path, name, total);
  if (place[1] - place[0] != shape.size() * width)
    fail("{}: {} of shape {} has {} bytes, expected {}", path, name, shape.text(), place[1] - place[0],
         shape.size() * width);
  end = std::max(end, place[1]);
  const char* bytes = data.data() + place[0];
  return {shape, width == 4 ? numbers<float>(bytes, shape.size()) : numbers<double>(bytes, shape.size())};
}

}  // namespace

const std::string& Checkpoint::text(const std::string& name) const {
  const auto found = metadata.find(name);
  if (found == metadata.end()) fail("checkpoint: its metadata lacks {}", name);
  return found->second;
}

void save_checkpoint(const std::string& path, const Module& model,
                     const std::map<std::string, std::string>& metadata) {
  Json header;
  for (const auto& [name, value] : metadata) header.set("/__metadata__" + pointer_part(name), value);
  std::string data;
  for (const auto& [name, tensor] : named_parameters(model)) {
    const std::string at = pointer_part(name);
    const auto sizes = tensor.shape().sizes();
    const auto begin = int64_t(data.size());
    data.append(reinterpret_cast<const char*>(tensor.data()), size_t(tensor.size()) * sizeof(real));
    header.set(at + "/dtype", own_type);
    header.set(at + "/shape", std::vector<int64_t>(sizes.begin(), sizes.end()));
    header.set(at + "/data_offsets", std::vector<int64_t>{begin, int64_t(data.size())});
  }
  std::string text = header.dump(/*pretty=*/false);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the numbers begin at a multiple of 8
  const uint64_t length = text.size();
  write_file(path, std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data);
}

Checkpoint load_checkpoint(const std::string& path) {
  const std::string file = read_file(path, "a saved model");
  uint64_t length = 0;
  if (file.size() < sizeof length) fail("{}: is too short for a saved model: {} bytes", path, file.size());
  std::memcpy(&length, file.data(), sizeof length);
  if (length > file.size() - sizeof length)
    fail("{}: is no saved model: its header would have {} bytes, the file has {}", path, length, file.size());
  const Json header = Json::parse(std::string_view(file).substr(sizeof length, length), path);
  const std::string data = file.substr(sizeof length + length);
  Checkpoint checkpoint;
  int64_t end = 0;  // of the last tensor
  for (const std::string& name : header.members("")) {
    if (name != "__metadata__") {
      checkpoint.tensors[name] = read_entry(header, name, data, path, end);
      continue;
    }
    for (const std::string& key : header.members("/__metadata__"))
      checkpoint.metadata[key] = header.text("/__metadata__" + pointer_part(key));
  }
  if (end != int64_t(data.size()))
    fail("{}: is no saved model: {} bytes stand after its last tensor", path, int64_t(data.size()) - end);
  return checkpoint;
}

void restore(const Checkpoint& checkpoint, const Module& model) {
  const auto wanted = named_parameters(model);
  if (wanted.size() != checkpoint.tensors.size())
    fail("checkpoint: it has {} tensors, the model {}", checkpoint.tensors.size(), wanted.size());
  for (const auto& [name, tensor] : wanted) {
    const auto found = checkpoint.tensors.find(name);
    if (found == checkpoint.tensors.end()) fail("checkpoint: it lacks the tensor {}", name);
    const auto& [shape, values] = found->second;
    if (!(shape == tensor.shape()))
      fail("checkpoint: {} has shape {}, the model's {}", name, shape.text(), tensor.shape().text());
    const auto bad =
        std::find_if_not(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
    if (bad != values.end())
      fail("checkpoint: {} holds {} at element {}: it is of no use", name, std::isnan(*bad) ? "nan" : "inf",
           bad - values.begin());
    Tensor target = tensor;
    target.assign(std::vector<real>(values.begin(), values.end()));
  }
}

}  // namespace heed::examples
