// Texts as numbers, and what the program language_model does with them.

#include "examples/support/text.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "autograd/graph.hpp"
#include "autograd/ops.hpp"
#include "examples/support/text_model.hpp"
#include "tests/support/close.hpp"
#include "tests/support/errors.hpp"

namespace heed::tests {
namespace {

using namespace heed::examples;

TEST_CASE("text: UTF-8 is read as code points and written back") {
  const std::string text = "a\u00e9\u20ac\U0001f600\n";
  const Symbols symbols = symbols_of(text, false, "F");
  CHECK(symbols == Symbols{U'a', U'\u00e9', U'\u20ac', U'\U0001f600', U'\n'});
  const Alphabet alphabet(symbols, false);
  CHECK(alphabet.size() == 5);
  CHECK(alphabet.text(alphabet.numbers(symbols, "F")) == text);
  const Symbols bytes = symbols_of(text, true, "F");
  CHECK(bytes.size() == text.size());
  const Alphabet of_bytes(bytes, true);
  CHECK(of_bytes.text(of_bytes.numbers(bytes, "F")) == text);
}

TEST_CASE("text: what is no UTF-8 is named with its place") {
  const auto refused = [](const char* text, size_t size) {
    return error_of([&] { static_cast<void>(symbols_of(std::string_view(text, size), false, "F")); });
  };
  CHECK(refused("ab\xff", 3) == "F: byte 2 (0xff) is not UTF-8; --bytes reads bytes");
  CHECK(refused("\xc3", 1) == "F: byte 0 (0xc3) is not UTF-8; --bytes reads bytes");              // cut off
  CHECK(refused("\xc0\x80", 2) == "F: byte 0 (0xc0) is not UTF-8; --bytes reads bytes");          // overlong
  CHECK(refused("x\xed\xa0\x80", 4) == "F: byte 1 (0xed) is not UTF-8; --bytes reads bytes");     // surrogate
  CHECK(refused("\xf4\x90\x80\x80", 4) == "F: byte 0 (0xf4) is not UTF-8; --bytes reads bytes");  // too large
  CHECK(refused("\xe2\x82\x2e", 3) == "F: byte 0 (0xe2) is not UTF-8; --bytes reads bytes");      // no third
  CHECK(symbols_of("\xff", true, "F") == Symbols{0xff});
  const Alphabet alphabet(symbols_of("ab", false, "F"), false);
  CHECK(error_of([&] { static_cast<void>(alphabet.numbers(symbols_of("abc", false, "F"), "--prompt")); }) ==
        "--prompt: symbol 2 (U+0063) occurs in no text that was learned");
}

TEST_CASE("text: pieces and what follows them") {
  std::vector<int32_t> text(23);
  std::iota(text.begin(), text.end(), 0);
  Rng rng(1);
  const TextBatch some = random_pieces(text, 50, 5, rng);
  int32_t first = 100, last = 0;
  for (int64_t b = 0; b < 50; ++b)
    for (int64_t t = 0; t < 5; ++t) {
      CHECK(some.input[b * 5 + t] == some.input[b * 5] + t);
      CHECK(some.target[b * 5 + t] == some.input[b * 5 + t] + 1);
      first = std::min(first, some.input[b * 5 + t]);
      last = std::max(last, some.target[b * 5 + t]);
    }
  CHECK(first == 0);  // both ends are reached
  CHECK(last == 22);
  std::vector<int32_t> seen;
  for (const TextBatch& batch : all_pieces(text, 3, 5)) {
    CHECK(batch.input.shape() == batch.target.shape());
    for (int64_t i = 0; i < batch.input.size(); ++i) {
      CHECK(batch.target[i] == batch.input[i] + 1);
      seen.push_back(batch.target[i]);
    }
  }
  CHECK(seen == std::vector<int32_t>(text.begin() + 1, text.end()));  // every symbol but the first, once
  CHECK(error_of([&] { random_pieces(text, 1, 23, rng); }) ==
        "a text of 23 symbols is too short for pieces of 23 and what follows");
  CHECK(error_of([&] { static_cast<void>(all_pieces(std::span(text).first(1), 1, 5)); }) ==
        "a text of 1 symbols has nothing to predict");
}

TextSettings small() {
  TextSettings s;
  s.size = 16;
  s.layers = 1;
  s.heads = 2;
  s.block = 8;
  s.batch = 4;
  return s;
}

TEST_CASE("language model: the loss of a text is the mean over its symbols, whatever the batch") {
  TextSettings s = small();
  const TransformerLM model = make_text_model(s, 7);
  std::vector<int32_t> text;
  Rng rng(2);
  for (int i = 0; i < 45; ++i) text.push_back(int32_t(rng.integer(7)));
  const NoGrad no_grad;
  double sum = 0;
  for (size_t begin = 0; begin < 44; begin += 8) {
    const size_t length = std::min<size_t>(8, 44 - begin);
    const auto cut = [&](size_t from) {
      return Ids({1, int64_t(length)}, std::span(text).subspan(from, length));
    };
    sum += double(length) * double(cross_entropy(model(cut(begin), {}), cut(begin + 1)).item());
  }
  CHECK(close(text_loss(model, text, s), sum / 44, 1e-5, 0));
  s.batch = 1;
  CHECK(close(text_loss(model, text, s), sum / 44, 1e-5, 0));
}

TEST_CASE("language model: a text that repeats itself is learned, and written on") {
  TextSettings s = small();
  s.steps = s.every = 150;
  s.warmup = 10;
  s.lr = 1e-2;
  s.accumulate = 2;
  const Symbols period = symbols_of("abcde ", false, "F");
  Symbols text;
  for (int i = 0; i < 100; ++i) text.insert(text.end(), period.begin(), period.end());
  const Alphabet alphabet(text, false);
  const std::vector<int32_t> numbers = alphabet.numbers(text, "F");
  for (const char* positions : {"learned", "rotary"}) {
    s.positions = positions;
    const TransformerLM model = make_text_model(s, alphabet.size());
    const TextTraining training =
        train_text_model(model, numbers, std::span(numbers).first(60), alphabet, s, true);
    CHECK(training.losses.back() < 0.1);
    Rng rng(1);
    // 30 symbols: the block of 8 is full several times.
    const std::vector<int32_t> prompt = alphabet.numbers(symbols_of("abc", false, "F"), "F");
    CHECK(alphabet.text(write_on(model, prompt, 30, 8, {.top_k = 1}, rng)) ==
          "de abcde abcde abcde abcde abc");
  }
}

TEST_CASE("language model: accumulated gradients are those of the larger batch") {
  const TextSettings s = small();
  const TransformerLM model = make_text_model(s, 7);
  Rng rng(3);
  std::vector<int32_t> text;
  for (int i = 0; i < 100; ++i) text.push_back(int32_t(rng.integer(7)));
  const TextBatch all = random_pieces(text, 4, 8, rng);
  const auto half = [](const Ids& ids, size_t part) {
    return Ids({2, 8}, ids.values().subspan(part * 16, 16));
  };
  backward(cross_entropy(model(all.input, {}), all.target));
  TensorList whole;
  for (const Tensor& p : parameters(model)) whole.push_back(p.grad().clone());
  zero_grad(model);
  for (const size_t part : {0, 1})
    backward(scale(cross_entropy(model(half(all.input, part), {}), half(all.target, part)), real(0.5)));
  const TensorList list = parameters(model);
  for (size_t i = 0; i < list.size(); ++i)
    for (int64_t k = 0; k < list[i].size(); ++k)
      CHECK(close(double(list[i].grad().data()[k]), double(whole[i].data()[k]), 1e-3, 1e-6));
}

}  // namespace
}  // namespace heed::tests
