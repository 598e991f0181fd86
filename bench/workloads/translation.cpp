#include "bench/workloads/translation.hpp"

namespace bench {

void add_translation(Workloads& list) {
  for (const Translation& size : translations)
    list.push_back({size.name, [size] { return trained<TranslationTraining>(size); }});
}

}  // namespace bench
