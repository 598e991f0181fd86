// Adam and AdamW against torch.optim's numbers, step by step.
#include <doctest/doctest.h>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "optim/adam.hpp"
#include "tests/support/torch_case.hpp"

namespace heed::tests {
namespace {

constexpr int steps = 8;

// Two parameters, of which the vector has no gradient in some steps: then neither it nor its state moves.
template <class Kind>
std::string differences(const std::string& name) {
  TorchCase torch("adam", name);
  const TorchCase::Named parameters{{"vector", torch.leaf("vector")}, {"matrix", torch.leaf("matrix")}};
  const std::vector<double>& o = torch.numbers("options");
  Kind optimizer({parameters[0].second, parameters[1].second},
                 {.lr = o[0], .beta1 = o[1], .beta2 = o[2], .eps = o[3], .weight_decay = o[4]});
  std::string found;
  for (int t = 0; t < steps; ++t) {
    const std::string step = "." + std::to_string(t);
    optimizer.zero_grad();
    Tensor loss = Tensor::scalar(0);  // linear in each parameter, with its gradient as slope
    for (const auto& [own, p] : parameters) {
      if (torch.has(own + ".grad" + step)) loss = loss + sum(p * torch.tensor(own + ".grad" + step));
    }
    backward(loss);
    optimizer.step();
    for (const auto& [own, p] : parameters) found += torch.difference(own + ".after" + step, p);
  }
  return found + torch.unread();
}

TEST_CASE("torch's numbers: Adam, weight decay being L2") {
  CHECK(differences<Adam>("adam") == "");
  CHECK(differences<Adam>("adam-l2") == "");
  CHECK(differences<Adam>("adam-betas-eps") == "");
}

TEST_CASE("torch's numbers: AdamW, weight decay being apart") {
  CHECK(differences<AdamW>("adamw") == "");
  CHECK(differences<AdamW>("adamw-betas-eps") == "");
}

}  // namespace
}  // namespace heed::tests
