#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "autograd/ops.hpp"
#include "examples/support/batch.hpp"
#include "examples/support/files.hpp"
#include "examples/support/pairs.hpp"
#include "examples/support/terminal.hpp"
#include "examples/support/translate_program.hpp"
#include "layers/models/tokens.hpp"
#include "tests/support/errors.hpp"

using namespace heed;
using namespace heed::examples;
using heed::tests::error_of;

namespace {

// A file in the temporary folder, gone at the end.
struct File {
  explicit File(const std::string& content)
      : path((std::filesystem::temp_directory_path() / ("heed_test_" + std::to_string(++count))).string()) {
    std::ofstream(path, std::ios::binary) << content;
  }
  ~File() { std::filesystem::remove(path); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::string path;
  static inline int count =
      int(std::filesystem::file_time_type::clock::now().time_since_epoch().count() % 100000);
};

std::string error_of_pairs(const std::string& content) {
  const File file(content);
  const std::string error = error_of([&] { read_pairs(file.path); });
  return error.substr(std::min(error.size(), file.path.size()));
}

}  // namespace

TEST_CASE("pairs are split at the tab and at spaces") {
  const File file("a b\tx  y z\r\n\xC3\xA9\tw\n");
  const auto pairs = read_pairs(file.path);
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].source == std::vector<std::string>{"a", "b"});
  CHECK(pairs[0].target == std::vector<std::string>{"x", "y", "z"});
  CHECK(pairs[1].source == std::vector<std::string>{"\xC3\xA9"});
  CHECK(read_pairs(file.path, 1).size() == 1);
}

TEST_CASE("a file that does not hold pairs is told by name and line") {
  CHECK(error_of_pairs("a\tb\nno tab\n") == ":2: expected `source<TAB>target`, found 0 tabs");
  CHECK(error_of_pairs("a\tb\tc\n") == ":1: expected `source<TAB>target`, found 2 tabs");
  CHECK(error_of_pairs("\tb\n") == ":1: nothing stands before the tab");
  CHECK(error_of_pairs("a\t \n") == ":1: nothing stands after the tab");
  CHECK(error_of_pairs("a <s>\tb\n") == ":1: <s> is a special token of the models, no word");
  CHECK(error_of_pairs("") == ": is empty, expected lines `source<TAB>target`");
  CHECK(error_of([] { read_pairs("/no/such/file"); }) == "/no/such/file: cannot be opened");
  CHECK(error_of([] { read_pairs("/"); }) == "/: is a directory, expected a file of pairs");
}

TEST_CASE("a vocabulary begins with the special tokens and maps the unknown") {
  Vocabulary words({"b", "a", "b"});
  CHECK(words.size() == 6);
  CHECK(words.number("b") == tokens::unk + 1);
  CHECK(words.add("a") == tokens::unk + 2);
  CHECK(words.number("c") == tokens::unk);
  for (const char* special : {"<pad>", "<s>", "</s>", "<unk>"}) CHECK(words.number(special) == tokens::unk);
  CHECK(error_of([&] { words.add("</s>"); }) == "vocabulary: </s> is a special token, no word");
  CHECK(words.text({5, 4, tokens::unk}) == "a b <unk>");
  CHECK(words.words() == std::vector<std::string>{"b", "a"});
  CHECK(error_of([&] { (void)words.word(6); }) == "vocabulary: number 6 is outside [0, 6)");
}

TEST_CASE("a batch is filled up with pad and shifts the target by one") {
  const std::vector<Example> examples = {{{7, 8, 9}, {5}, {2}}, {{6}, {4, 5}, {}}};
  const std::vector<int32_t> rows = {1, 0};
  const Batch batch = make_batch(examples, rows);
  using tokens::bos, tokens::eos;
  const int32_t pad = tokens::pad;
  CHECK(batch.source.shape() == Shape{2, 3});
  CHECK(std::ranges::equal(batch.source.values(), Tokens{6, pad, pad, 7, 8, 9}));
  CHECK(batch.lengths == std::vector<int32_t>{1, 3});
  CHECK(std::ranges::equal(batch.input.values(), Tokens{bos, 4, 5, bos, 5, pad}));
  CHECK(std::ranges::equal(batch.output.values(), Tokens{4, 5, eos, 5, eos, pad}));
  CHECK(std::ranges::equal(batch.gold.values(), Tokens{-1, -1, -1, 2, -1, -1}));
  CHECK(batch.tokens == 5);
}

TEST_CASE("batches hold every example once, of similar lengths") {
  std::vector<Example> examples(960);  // one stretch of 32 batches
  for (size_t i = 0; i < examples.size(); ++i)
    examples[i] = {Tokens(1 + i * 37 % 20, 4), Tokens(1 + i % 7, 4), {}};
  Rng rng(2);
  const auto batches = shuffled_batches(examples, 30, rng);
  CHECK(batches.size() == 32);
  std::set<int32_t> seen;
  for (const auto& rows : batches) {
    size_t shortest = 1000, longest = 0;
    for (const int32_t row : rows) {
      CHECK(seen.insert(row).second);
      shortest = std::min(shortest, examples[size_t(row)].source.size());
      longest = std::max(longest, examples[size_t(row)].source.size());
    }
    CHECK(longest - shortest <= 2);
  }
  CHECK(seen.size() == 960);
  CHECK(shuffled_batches(examples, 30, rng) != batches);
  CHECK(error_of([&] { shuffled_batches(examples, 961, rng); }) ==
        "--batch 961: there are 960 training examples");
}

TEST_CASE("an attention map has a labelled row per output and a column per input") {
  const std::vector<double> weights = {1, 0, 0.5, 0.25};
  CHECK(attention_map(weights, {"x", "yy"}, {"a", "b"}, false) == "    a  b\n x ██ ··\nyy ▒▒ ░░\n");
  const std::string coloured = attention_map(weights, {"x", "y"}, {"a", "b"}, true);
  CHECK(coloured.find("\x1b[48;5;255m") != std::string::npos);
  CHECK(fit("\xC3\xA9t\xC3\xA9", 2) == "\xC3\xA9t");
}

TEST_CASE("references keep the words that a vocabulary lacks") {
  const File train("a\tx y\n"), test("a\tx z z q\n");
  const Translator translator = new_translator(train.path, 0, Settings{.hidden = 8, .epochs = 1});
  Vocabulary words = translator.target;
  const std::vector<Example> examples = read_examples(test.path, 0, translator, &words);
  using tokens::unk;
  CHECK(examples[0].target == Tokens{unk + 1, unk, unk, unk});
  CHECK(examples[0].reference == Tokens{unk + 1, unk + 3, unk + 3, unk + 4});
  CHECK(words.text(examples[0].reference) == "x z z q");
  CHECK(score({examples[0].target}, {examples[0].reference}).token_accuracy == 0.25);
}

TEST_CASE("a file is replaced whole or not at all") {
  const File file("old");
  const std::filesystem::path folder = file.path + "_folder";
  write_file(file.path, "new");
  std::string content;
  std::getline(std::ifstream(file.path), content);
  CHECK(content == "new");
  CHECK(error_of([&] { check_writable("--save", file.path); }).empty());
  CHECK(error_of([&] { check_writable("--save", folder / "x"); }) ==
        fmt::format("--save {}: cannot be written", (folder / "x").string()));
  CHECK(error_of([&] { write_file(folder / "x", ""); }) ==
        fmt::format("{}: cannot be written", (folder / "x").string()));
  CHECK_FALSE(std::filesystem::exists(folder));
  std::filesystem::create_symlink(file.path, folder);
  write_file(folder, "through a link");
  CHECK(std::filesystem::is_symlink(folder));
  std::getline(std::ifstream(file.path), content);
  CHECK(content == "through a link");
  CHECK(same_file(file.path, folder));
  CHECK(same_file("./no/../nowhere", "nowhere"));
  CHECK_FALSE(same_file(file.path, "nowhere"));
  std::filesystem::remove(folder);
}

TEST_CASE("a saved translator answers as the one that was saved") {
  const File pairs("a b c\tx y\nb c\ty z\n"), file("");
  for (const Settings& settings :
       {Settings{.cell = "lstm", .order = "input-feeding", .embed = 6, .hidden = 8, .batch = 7, .epochs = 2},
        Settings{.hidden = 8, .epochs = 1, .lr = 2e-3, .label_smoothing = 0.1, .seed = 5},
        Settings{.own_past = true, .unidirectional = true, .no_bridge = true, .hidden = 8, .epochs = 1},
        Settings{.order = "none", .hidden = 8, .epochs = 1},
        Settings{.model = "rnnsearch", .embed = 6, .hidden = 8, .epochs = 1},
        Settings{.model = "rnn-encoder-decoder", .embed = 6, .hidden = 8, .epochs = 1},
        Settings{.scorer = "location",
        .normalizer = "sparsemax",
        .temperature = 0.5,
        .embed = 6,
        .hidden = 8,
        .steps = 1},
        Settings{.normalizer = "local_m", .window = 0, .embed = 6, .hidden = 8, .steps = 1},
        Settings{.model = "conv", .width = 2, .embed = 6, .hidden = 8, .layers = 2, .epochs = 1},
        Settings{.model = "hybrid",
        .encoder = "cnn",
        .decoder = "rnn",
        .cell = "lstm",
        .scorer = "bilinear",
        .hidden = 8},
        Settings{.model = "hybrid", .encoder = "rnn", .decoder = "cnn", .width = 2, .hidden = 8},
        Settings{.model = "transformer", .heads = 2, .hidden = 8, .steps = 9, .warmup = 3, .seed = 5}}) {
    const Translator saved = new_translator(pairs.path, 0, settings);
    save_translator(file.path, saved);
    const Translator loaded = load_translator(file.path);
    CHECK(loaded.source.words() == std::vector<std::string>{"a", "b", "c"});
    CHECK(loaded.target.words() == std::vector<std::string>{"x", "y", "z"});
    const Batch batch = make_batch(read_examples(pairs.path, 0, loaded), std::vector<int32_t>{0, 1});
    const Tensor x = (*saved.model)(batch.source, batch.lengths, batch.input, {}).logits;
    const Tensor y = (*loaded.model)(batch.source, batch.lengths, batch.input, {}).logits;
    CHECK(std::ranges::equal(x.values(), y.values()));
    Json written, read;
    write_settings(written, "", saved.settings);
    write_settings(read, "", loaded.settings);
    CHECK(read.dump() == written.dump());
  }
}

TEST_CASE("a setting of an unknown name is refused, not taken for another") {
  const auto error = [](const Settings& settings) { return error_of([&] { make_model(settings, 6, 6); }); };
  CHECK(error({.order = "luongg"})
            .starts_with("--order luongg: expected one of luong, previous, input-feeding"));
  CHECK(error({.cell = "GRU"}) == "--cell GRU: expected one of gru, lstm, rnn");
  CHECK(error({.model = "hybrid", .encoder = "cn"}) == "--encoder cn: expected one of rnn, cnn, transformer");
  CHECK(error({.model = "hybrid", .decoder = "RNN"}) ==
        "--decoder RNN: expected one of rnn, cnn, transformer");
  CHECK(error({.model = "cnn"}).starts_with("--model cnn: expected one of rnn, transformer, conv, hybrid"));
  CHECK(error({.values = "keys"}) == "--values keys: expected one of states, embeddings");
}

TEST_CASE("a file that is no saved model is refused") {
  const File shorter("abc"), text("this is some text, not a model at all"),
      empty_header(std::string("\2\0\0\0\0\0\0\0{}", 10));
  CHECK(error_of([&] { load_checkpoint(shorter.path); }) ==
        shorter.path + ": is too short for a saved model: 3 bytes");
  CHECK(error_of([&] { load_checkpoint(text.path); }).starts_with(text.path + ": is no saved model"));
  CHECK(error_of([&] { load_translator(empty_header.path); }) == "checkpoint: its metadata lacks settings");
  CHECK(error_of([] { load_checkpoint("/"); }) == "/: is a directory, expected a saved model");
}
