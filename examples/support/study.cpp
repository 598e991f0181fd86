#include "examples/support/study.hpp"

namespace heed::examples {

namespace {

bool reaches(double enough, const Seq2Seq& model, const std::vector<Example>& examples) {
  return evaluate(model, examples).scores.sequence_accuracy >= enough;
}

}  // namespace

Study::Study(const Task& task, int64_t seeds) {
  for (int64_t seed = 1; seed <= seeds; ++seed) data_.push_back(draw_data(task, seed));
}

Finding Study::measure(Settings settings, double enough, int64_t every) const {
  Finding mean;
  const double share = 1 / double(data_.size());
  for (const TaskData& data : data_) {
    settings.seed = ++mean.seeds;
    const std::vector<Example> some(data.test.begin(), data.test.begin() + 200);  // a first look is cheaper
    const Learned learned =
        learn(data, settings, {.quiet = true, .every = every, .enough = [&](const auto& m) {
                                 return reaches(enough, m, some) && reaches(enough, m, data.test);
                               }});
    mean.accuracy += share * learned.test.scores.sequence_accuracy;
    mean.aer += share * learned.test.aer;
    mean.entropy += share * learned.test.entropy;
    mean.steps += share * double(learned.training.steps);
    mean.seconds += share * learned.training.seconds;
    mean.solved += learned.test.scores.sequence_accuracy >= enough;
  }
  return mean;
}

void write_finding(Json& json, const std::string& pointer, const Finding& finding) {
  json.set(pointer + "/sequence_accuracy", finding.accuracy);
  json.set(pointer + "/aer", finding.aer);
  json.set(pointer + "/entropy", finding.entropy);
  json.set(pointer + "/steps", finding.steps);
  json.set(pointer + "/seconds", finding.seconds);
  json.set(pointer + "/seeds", finding.seeds);
  json.set(pointer + "/solved", finding.solved);
}

}  // namespace heed::examples
