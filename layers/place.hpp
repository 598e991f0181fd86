#pragma once

#include <string_view>

#include "autograd/real.hpp"

namespace heed::inline HEED_PRECISION {

// What a model offers to the scorer and the normalizer that it is given by name. Most ask for no more than a
// set of slots; those that ask for more are refused, with the reason, where they would not get it.
struct Place {
  bool order = true;    // slots stand in an order that means something
  bool grows = false;   // slots come while queries are asked: a decoder's own past
  bool reward = false;  // who trains the model rewards choices that have no gradient (ReinforceLoss)
  bool answer = false;  // the weights are the answer, and the loss is the logarithm of one of them
};

// Throws `who: NAME ...` where the scorer or the normalizer of these names asks for what there is not, and
// `no scorer "x"; there are ...` where there is none.
void check_place(const char* who, std::string_view scorer, std::string_view normalizer, const Place& place);

}  // namespace heed::inline HEED_PRECISION
