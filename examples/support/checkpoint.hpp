#pragma once

#include <map>
#include <string>
#include <vector>

#include "layers/module.hpp"

namespace heed::examples {

// A file in the layout of safetensors (github.com/huggingface/safetensors): the length of the header, 8
// bytes, little endian; the header, JSON that gives each tensor's type, shape and place; the numbers. Our
// settings and vocabularies are strings of its `__metadata__`.
struct Checkpoint {
  struct Entry {
    Shape shape;
    std::vector<double> values;  // float and double files both fit
  };
  std::map<std::string, std::string> metadata;
  std::map<std::string, Entry> tensors;

  // A string of the metadata; throws when there is none of that name.
  [[nodiscard]] const std::string& text(const std::string& name) const;
};

// Writes all parameters of `model`, in the precision that they have. Throws when the file cannot be written.
void save_checkpoint(const std::string& path, const Module& model,
                     const std::map<std::string, std::string>& metadata);

// Throws `FILE: ...` on a file that is missing, or not of this layout to its last byte.
Checkpoint load_checkpoint(const std::string& path);

// Copies the tensors into the model's parameters; throws unless names and shapes are the same and all numbers
// finite.
void restore(const Checkpoint& checkpoint, const Module& model);

}  // namespace heed::examples
