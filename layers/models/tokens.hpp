#pragma once

#include <cstdint>

namespace heed::tokens {

// The tokens that every vocabulary begins with. A target sequence y_1 .. y_n is fed to a decoder as
// bos y_1 .. y_n and predicted as y_1 .. y_n eos; rows of a batch are filled up with pad.
inline constexpr int32_t pad = 0;
inline constexpr int32_t bos = 1;
inline constexpr int32_t eos = 2;
inline constexpr int32_t unk = 3;         // a word that the training data does not have
inline constexpr int32_t first_word = 4;  // the vocabulary's own words follow

}  // namespace heed::tokens
