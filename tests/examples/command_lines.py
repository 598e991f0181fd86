"""Runs the programs on bad input: each must answer with one sentence on standard error and status 1, soon.

usage: command_lines.py FOLDER-OF-PROGRAMS [--without-mpi]"""

import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

folder = pathlib.Path(sys.argv[1])
here = pathlib.Path(tempfile.mkdtemp())
(here / "empty.tsv").write_text("")
(here / "tabless.tsv").write_text("a b\tx y\nno tab here\n")
(here / "two.tsv").write_text("a b\tx y\nb\ty\n")
(here / "text").write_text("this is no model at all, only text")
(here / "one.tsv").write_text("a b\tx y\n")
(here / "special.tsv").write_text("a b\tx y\nb </s>\ty\n")
(here / "bom.tsv").write_bytes(b"\xef\xbb\xbfa b\tx y\nb\ty\n")
(here / "latin.txt").write_bytes(b"n\xc3\xafv\xe9")
(here / "unheard.tsv").write_text("a b\tzz\n")

# program, arguments, what the sentence says
bad = [
    ("reverse", "--no-such-option", "unknown option --no-such-option"),
    ("reverse", "--model cnn", "--model cnn: expected one of rnn, transformer"),
    ("reverse", "--scorer best", "--scorer best: expected one of additive"),
    ("reverse", "--cell tanh", "--cell tanh: expected one of gru, lstm, rnn"),
    ("reverse", "--hidden 0", "--hidden 0: expected at least 1"),
    ("reverse", "--hidden many", "--hidden"),
    ("reverse", "--hidden 7", "--hidden 7: expected an even number"),
    ("reverse", "--model transformer --hidden 7 --heads 4", "7 is not a multiple of 4"),
    ("copy", "--model transformer --cell lstm", "--cell does not apply to --model transformer"),
    ("copy", "--heads 2", "--heads does not apply to --model rnn"),
    ("copy", "--model rnnsearch --scorer dot", "--scorer does not apply to --model rnnsearch"),
    ("copy", "--model rnn-encoder-decoder --dropout 0.1", "--dropout does not apply to --model rnn-encoder-decoder"),
    ("copy", "--model transformer --own-past", "--own-past does not apply to --model transformer"),
    ("copy", "--model transformer --embed 8", "--embed does not apply to --model transformer"),
    ("copy", "--encoder cnn", "--encoder does not apply to --model rnn"),
    ("copy", "--model conv --decoder rnn", "--decoder does not apply to --model conv"),
    ("copy", "--model hybrid --encoder gru", "--encoder gru: expected one of rnn, cnn"),
    ("copy", "--model hybrid --width 3", "--width does not apply to --model hybrid --encoder rnn --decoder rnn"),
    ("copy", "--model hybrid --encoder cnn --decoder cnn --cell gru", "--cell does not apply to --model hybrid"),
    ("copy", "--model hybrid --decoder cnn --scorer dot", "--scorer does not apply to --model hybrid --encoder rnn"),
    ("copy", "--model hybrid --order luong", "--order does not apply to --model hybrid"),
    ("copy", "--model hybrid --hidden 7", "--hidden 7: expected an even number"),
    ("copy", "--order none --values embeddings", "--values does not apply to --order none"),
    ("copy", "--order none --scorer dot", "--scorer does not apply to --order none"),
    ("bigram_flip", "--no-contrast --layers 2", "--layers does not apply to --model rnnsearch"),
    ("copy", "--model transformer --normalizer sparsemax", "--normalizer does not apply to --model transformer"),
    ("copy", "--model transformer --window 3", "--window does not apply to --model transformer"),
    ("copy", "--normalizer sparse", "--normalizer sparse: expected one of softmax, sparsemax"),
    ("copy", "--normalizer monotonic --temperature 2", "--temperature does not apply to --normalizer monotonic"),
    ("copy", "--normalizer sparsemax --window 2", "--window does not apply to --normalizer sparsemax"),
    ("copy", "--normalizer local_p --window 0", "local_p: window 0 is not above 0"),
    ("copy", "--temperature 0", "--temperature 0: expected 1e-06 to 1000000"),
    ("copy", "--order none --normalizer sparsemax", "--normalizer does not apply to --order none"),
    ("copy", "--lr -1", "--lr -1: expected 0 to 100"),
    ("copy", "--lr nan", "--lr nan: expected 0 to 100"),
    ("copy", "--steps 0", "--steps 0: expected at least 1"),
    ("copy", "--batch 200000", "--batch 200000: there are 100000 training examples"),
    ("copy", "--json {here}/no/such/folder", "cannot be written"),
    ("copy", "--lr ''", "--lr: expected a value, found ''"),
    ("copy", "--seed=", "--seed=: expected a value"),
    ("copy", "--json ''", "--json: expected a value, found ''"),
    ("copy", "--seed 9223372036854775808", "--seed 9223372036854775807: expected at most 9223372036854775806"),
    ("copy", "--beam 0", "--beam 0: expected at least 1"),
    ("copy", "--beam 4 --length-penalty -1", "--length-penalty -1: expected 0 to 10"),
    ("copy", "--length-penalty 1", "--length-penalty does not apply to --beam 1, which is greedy"),
    ("copy", "--beam 1 --coverage-penalty 1", "--coverage-penalty does not apply to --beam 1, which is greedy"),
    ("copy", "--beam 2 --order none --coverage-penalty 1", "--coverage-penalty does not apply to --order none"),
    ("copy", "--beam 2 --model rnn-encoder-decoder --coverage-penalty 1", "does not apply to --model rnn-encoder-decoder"),
    ("sort", "--beam 2", "unknown option --beam"),
    ("alignment", "--no-table --model transformer", "--no-table does not apply to --model transformer"),
    ("alignment", "--dropout 1.5", "--dropout 1.5: expected 0 to 0.95"),
    ("copy", "--model luong2015 --cell gru", "--cell does not apply to --model luong2015"),
    ("copy", "--model transformer --guided 1", "--guided does not apply to --model transformer"),
    ("copy", "--order none --doubly-stochastic 1", "--doubly-stochastic does not apply to --order none"),
    ("copy", "--normalizer reinforce --guided 1", "--guided does not apply to --normalizer reinforce, whose weights"),
    ("monotone", "--normalizer softmax", "expected --model rnn --normalizer monotonic and an order with attention"),
    ("copy", "--order none --temperature 2", "--temperature does not apply to --order none"),
    ("copy", "--order none --window 2", "--window does not apply to --order none"),
    ("copy", "--own-past --normalizer monotonic", "own past: monotonic never turns back and has left a memory before"),
    ("copy", "--own-past --normalizer reinforce", "own past: reinforce has no gradient, and nobody rewards its choices"),
    ("sort", "--normalizer sparsemax", "PointerNetwork: sparsemax gives weights of 0, and here the weights are the answer"),
    ("copy_unseen", "--coverage --scorer location", "Coverage: this scorer does not read the keys"),
    ("recall", "--scorer location", "location goes by where a slot stands, and these slots have no order"),
    ("recall", "--normalizer local_m", "local_m goes by where a slot stands, and these slots have no order"),
    ("lookback", "--normalizer monotonic_hard", "RecurrentLM: monotonic_hard never turns back and has left"),
    ("lookback", "--normalizer local_m --window 3", "RecurrentLM: local_m has a window of its own; the model's, 3, must be 0"),
    ("sort", "--scorer best", "--scorer best: expected one of additive"),
    ("sort", "--json {here}/no/such/folder", "cannot be written"),
    ("copy_unseen", "--hidden 7", "--hidden 7: expected an even number"),
    ("copy_unseen", "--batch 20001", "--batch 20001: there are 20000 training examples"),
    ("recall", "--size 0", "--size 0: expected at least 1"),
    ("recall", "--json {here}/no/such/folder", "cannot be written"),
    ("lookback", "--hidden 8", "--hidden 8: expected a multiple of 6"),
    ("language_model", "--text {here}/missing.txt", "missing.txt: cannot be opened"),
    ("language_model", "--text {here}", "is a directory"),
    ("language_model", "--text {here}/empty.tsv", "is empty"),
    ("language_model", "--text {here}/latin.txt", "byte 4 (0xe9) is not UTF-8; --bytes reads bytes"),
    ("language_model", "--text {here}/text --train {here}/text", "give either --text F or --train F --valid F"),
    ("language_model", "--train {here}/text", "--train and --valid go together"),
    ("language_model", "--preset best", "--preset best: expected one of quick, nanogpt-cpu, million"),
    ("language_model", "--text {here}/text --size 30 --heads 4", "30 is not a multiple of 4"),
    ("language_model", "--text {here}/text --heads 4 --kv-heads 3", "4 is not a multiple of 3"),
    ("language_model", "--text {here}/text --size 12 --positions rotary", "the 3 features of a head"),
    ("language_model", "--text {here}/text --reach 4", "--reach does not apply to --positions learned"),
    ("language_model", "--text {here}/text --schedule constant --lowest-lr 0", "does not apply to --schedule constant"),
    ("language_model", "--text {here}/text --lowest-lr 5", "--lowest-lr 5: expected at most --lr 0.001"),
    ("copy", "--model luong2015 --scorer cosine", "--scorer cosine: expected one of dot, bilinear, concat"),
    ("language_model", "--text {here}/text --block 4000", "are too few for --block 4000"),
    ("language_model", "--text {here}/text --prompt €", "--prompt: symbol 0 (U+20AC) occurs in no text"),
    ("language_model", "--text {here}/text --json {here}/no/such/folder", "cannot be written"),
    ("window", "--size 6", "--size 6: expected a multiple of 4"),
    ("window", "--json {here}/no/such/folder", "cannot be written"),
    ("translate", "", "expected either --train F or --load F"),
    ("translate", "--train {here}/missing.tsv", "missing.tsv: cannot be opened"),
    ("translate", "--train {here}", "is a directory"),
    ("translate", "--train {here}/empty.tsv", "empty.tsv: is empty"),
    ("translate", "--train {here}/tabless.tsv", "tabless.tsv:2: expected `source<TAB>target`, found 0 tabs"),
    ("translate", "--train {here}/two.tsv --batch 3", "--batch 3: there are 2 training examples"),
    ("translate", "--train {here}/two.tsv --batch 2 --test {here}/missing.tsv", "missing.tsv: cannot be opened"),
    ("translate", "--load {here}/text --predict", "is no saved model"),
    ("translate", "--load {here}/text --predict --test {here}/two.tsv", "--test does not apply with --predict"),
    ("translate", "--load {here}/text --predict --json {here}/new", "--json does not apply with --predict"),
    ("translate", "--load {here}/text --predict --require 0.5", "--require does not apply with --predict"),
    ("translate", "--train {here}/special.tsv", "special.tsv:2: </s> is a special token of the models, no word"),
    ("translate", "--train {here}/one.tsv", "--batch 32: there is 1 training example\n"),
    ("translate", "--train {here}/two.tsv --save {here}/../{name}/two.tsv", "is a file that is read too"),
    ("translate", "--train {here}/two.tsv --json {here}/two.tsv", "is a file that is read too"),
    ("translate", "--train {here}/two.tsv --save {here}/new --json {here}/new", "--save and --json name one file"),
    ("translate", "--train {here}/two.tsv --batch 3 --save {here}/new", "there are 2 training examples"),
    ("translate", "--train {here}/two.tsv --predict", "--predict needs --load F"),
    ("translate", "--load {here}/text", "--load F needs --predict or --test F"),
    ("translate", "--train {here}/two.tsv --n-best 2", "--n-best needs --predict"),
    ("translate", "--train {here}/two.tsv --beam 2", "--beam needs --test F or --dev F, or --load F with --predict"),
    ("translate", "--load {here}/text --predict --n-best 2", "--n-best 2: expected at most as many as --beam 1"),
    ("translate", "--load {here}/text --predict --n-best 0", "--n-best 0: expected at least 1"),
    ("translate", "--load {here}/text --predict --coverage-penalty 1", "does not apply to --beam 1, which is greedy"),
    ("translate", "--load {here}/text --hidden 10", "--hidden does not apply with --load"),
    ("translate", "--load {here}/text --batch 10", "--batch does not apply with --load"),
]


def run(program, arguments, stdin=""):
    arguments = shlex.split(arguments.format(here=here, name=here.name))
    return subprocess.run([folder / program, *arguments], input=stdin, capture_output=True, text=True, timeout=60)


failures = []
for program, arguments, sentence in bad:
    done = run(program, arguments)
    lines = done.stderr.splitlines()
    if done.returncode != 1 or len(lines) != 1 or sentence not in done.stderr or not lines[0].startswith(program + ": "):
        failures.append(f"{program} {arguments}: status {done.returncode}, {done.stderr!r}, expected {sentence!r}")

for program in ("copy", "reverse", "alignment", "translate", "bigram_flip", "target_attention", "monotone"):
    done = run(program, "--help")
    formulas = ("v . tanh(W q + U k)", "q . k / sqrt(K)", "w_s . q", "max(score - tau, 0)")
    if done.returncode != 0 or not all(formula in done.stdout for formula in formulas):
        failures.append(f"{program} --help: status {done.returncode}, {done.stdout[:200]!r}")

# What cannot be written is not lost in silence.
if pathlib.Path("/dev/full").exists():
    with open("/dev/full", "w") as full:
        done = subprocess.run([folder / "reverse", "--steps", "1"], stdout=full, stderr=subprocess.PIPE, text=True)
    if done.returncode != 1 or done.stderr != "reverse: standard output: cannot be written\n":
        failures.append(f"reverse > /dev/full: status {done.returncode}, {done.stderr!r}")

# Not learned is status 2; a model that is saved, loaded and asked answers a line for a line.
done = run("reverse", "--steps 1 --json {here}/results.json")
if done.returncode != 2 or '"learned": false' not in (here / "results.json").read_text():
    failures.append(f"reverse --steps 1: status {done.returncode}, {done.stderr!r}")
for program in ("sort", "copy_unseen"):
    for contrast in ("", " --no-contrast"):
        done = run(program, "--steps 1 --json {here}/results.json" + contrast)
        found = '"contrast"' in (here / "results.json").read_text()
        if done.returncode != 2 or found == bool(contrast):
            failures.append(f"{program} --steps 1{contrast}: status {done.returncode}, {done.stderr!r}")
for program in ("recall", "lookback", "window"):
    done = run(program, "--steps 1 --batch 2 --json {here}/results.json")
    if done.returncode != 2 or '"learned": false' not in (here / "results.json").read_text():
        failures.append(f"{program} --steps 1: status {done.returncode}, {done.stderr!r}")
# A scorer with places for slots has enough of them, for sources and for answers.
for program, arguments in (
    ("target_attention", "--hidden 8 --no-contrast"),
    ("why", "--hidden 8 --tests 2"),
    ("sort", "--batch 2 --no-contrast"),
    ("copy_unseen", "--no-contrast"),
    ("lookback", "--batch 2 --window 3"),
):
    done = run(program, f"--scorer location --steps 1 {arguments}")
    if done.returncode != 2:
        failures.append(f"{program} --scorer location: status {done.returncode}, {done.stderr!r}")
# What is chosen is what is trained, and a model that a scorer does not fit is left out with the reason.
for program in ("sort --normalizer monotonic", "copy_unseen --normalizer sparsemax", "recall --scorer additive --normalizer gumbel"):
    name, options = program.split(" ", 1)
    done = run(name, f"{options} --steps 1 --batch 2 --no-contrast --json {{here}}/results.json")
    chosen = json.loads((here / "results.json").read_text())["settings"]["normalizer"]
    if done.returncode != 2 or not options.split("--normalizer ")[1].startswith(chosen):
        failures.append(f"{program}: status {done.returncode}, {done.stderr!r}, {chosen}")
done = run("lookback", "--scorer dot --steps 1 --batch 2 --json {here}/results.json")
results = json.loads((here / "results.json").read_text())
if done.returncode != 2 or "one_symbol" not in results["states"] or "query size 92" not in results["intra"]["error"]:
    failures.append(f"lookback --scorer dot: status {done.returncode}, {done.stderr!r}")
short = "--steps 2 --hidden 8 --json {here}/results.json"
for program, contrast in (
    ("bigram_flip --embed 5", '"model": "rnn-encoder-decoder"'),
    ("bigram_flip --model rnn --unidirectional --no-bridge", '"order": "none"'),
    ("target_attention --unidirectional", '"own_past": false'),
    ("monotone --embed 5", '"order": "none"'),
):
    name, options = program.split(" ", 1)
    for more, found in (("", True), (" --no-contrast", False)):
        done = run(name, f"{options} {short}{more}")
        results = (here / "results.json").read_text()
        if done.returncode != 2 or ('"contrast"' in results) != found or (contrast in results) != found:
            failures.append(f"{program}{more}: status {done.returncode}, {done.stderr!r}, {results}")
done = run("copy", "--model luong2015 --scorer dot --layers 2 --guided 1 --doubly-stochastic 0.5 " + short)
chosen = json.loads((here / "results.json").read_text())["settings"]
wanted = {"cell": "lstm", "order": "input-feeding", "unidirectional": True, "no_bridge": True, "guided": 1.0, "doubly_stochastic": 0.5}
if done.returncode != 2 or chosen | wanted != chosen:
    failures.append(f"copy --model luong2015: status {done.returncode}, {done.stderr!r}, {chosen}")
small = "--train {here}/two.tsv --dev {here}/two.tsv --batch 2 --epochs 1 --hidden 8 --embed 4 --save {here}/model"
for required, status in (("0", 0), ("1", 2)):
    done = run("translate", f"{small} --require {required}")
    if done.returncode != status:
        failures.append(f"translate --require {required}: status {done.returncode}, {done.stderr!r}")
done = run("translate", "--load {here}/model --predict", "a b\n\nunheard of\n")
if done.returncode != 0 or len(done.stdout.split("\n")) != 4:
    failures.append(f"translate --predict: status {done.returncode}, {done.stdout!r}, {done.stderr!r}")

# What a model with a parameter per place cannot read is named by its line; what it can, it answers within its places.
places = small.replace("/model", "/places").replace(" --embed 4", "") + " --model transformer --positions learned --heads 2"
done = run("translate", places)
long, short_one = "a " * 400, "a " * 60
for lines, status in ((f"a b\n{short_one}\n", 0), (f"a b\n{long}\nb\n", 1)):
    asked = run("translate", "--load {here}/places --predict", lines)
    named = "standard input:2: 400 words, and the model reads at most 64" in asked.stderr
    if asked.returncode != status or named != (status == 1):
        failures.append(f"translate --predict with places: status {asked.returncode}, {asked.stderr!r}")

# A beam: n best answers with the number of their source and their scores, and greedy decoding beside it in a report.
done = run("translate", "--load {here}/model --predict --beam 4 --length-penalty 0.6 --coverage-penalty 0.2 --n-best 3", "a b\n\nb\n")
table = [line.split("\t") for line in done.stdout.splitlines()]
scores = [[float(line[1]) for line in table if line[0] == number] for number in "123"]
if (
    done.returncode != 0
    or [line[0] for line in table] != ["1"] * 3 + ["2"] + ["3"] * 3
    or any(falling != sorted(falling, reverse=True) for falling in scores)
    or table[3][1:] != ["0.0000", ""]
    or len({tuple(line) for line in table}) != 7
):
    failures.append(f"translate --n-best 3: status {done.returncode}, {done.stdout!r}, {done.stderr!r}")
first = [line[2] for line in table if line[0] == "1"][0]
done = run("translate", "--load {here}/model --predict --beam 4 --length-penalty 0.6 --coverage-penalty 0.2", "a b\n")
if done.stdout != first + "\n":
    failures.append(f"translate --beam 4: {done.stdout!r} is not the best of its list, {first!r}")
for options, beside in (("--beam 3 --length-penalty 1", True), ("", False)):
    done = run("translate", "--load {here}/model --test {here}/two.tsv --json {here}/results.json " + options)
    results = json.loads((here / "results.json").read_text())
    if ("greedy" in results["test"]) != beside or ("test, greedy: " in done.stdout) != beside:
        failures.append(f"translate --test {options}: status {done.returncode}, {done.stdout!r}, {results}")
    if results["decoding"]["beam"] != (3 if beside else 1) or "bleu" not in results["test"]:
        failures.append(f"translate --test {options}: {results}")
done = run("translate", f"{small.replace('model', 'plain')} --order none")
done = run("translate", "--load {here}/plain --predict --beam 2 --coverage-penalty 1", "a b\n")
if done.returncode != 1 or done.stderr != "translate: --coverage-penalty does not apply to --order none\n":
    failures.append(f"translate --load plain --coverage-penalty: status {done.returncode}, {done.stderr!r}")
done = run("copy", "--steps 1 --hidden 8 --beam 2 --length-penalty 0.5 --json {here}/results.json")
if done.returncode != 2 or json.loads((here / "results.json").read_text())["decoding"]["length_penalty"] != 0.5:
    failures.append(f"copy --beam 2: status {done.returncode}, {done.stderr!r}")

for name in ("one", "bom"):
    batch = 1 if name == "one" else 2
    done = run("translate", f"--train {{here}}/{name}.tsv --batch {batch} --epochs 1 --hidden 8 --seed {2**63 - 2}")
    if done.returncode != 0 or "2 source and 2 target words" not in done.stdout.replace("6 source and 6", "2 source and 2"):
        failures.append(f"translate --train {name}.tsv: status {done.returncode}, {done.stdout!r}, {done.stderr!r}")

# A run that fails leaves what was there, and nothing where nothing was.
if (here / "new").exists() or list(here.glob("*.tmp")):
    failures.append(f"left behind: {list(here.iterdir())}")
saved = (here / "model").read_bytes()
done = run("translate", "--train {here}/two.tsv --batch 3 --save {here}/model")
if done.returncode != 1 or (here / "model").read_bytes() != saved:
    failures.append(f"translate that failed touched the model: status {done.returncode}")

# Words that the model never saw are wrong, whatever it answers, and shown as they are.
done = run("translate", "--load {here}/model --test {here}/unheard.tsv --json {here}/results.json")
if done.returncode != 0 or "expected zz" not in done.stdout or '"sequence_accuracy": 0.0' not in (here / "results.json").read_text():
    failures.append(f"translate --test unheard.tsv: status {done.returncode}, {done.stdout!r}, {done.stderr!r}")

# Models that were tampered with: sizes that no option takes, NaN, bytes at the end.
length = int.from_bytes(saved[:8], "little")
header = saved[8 : 8 + length]
huge = header.replace(b'\\"layers\\":1', b'\\"layers\\":1000000000')
for name, content, sentence in (
    ("huge", len(huge).to_bytes(8, "little") + huge + saved[8 + length :], "/layers: 1000000000 is outside [1, 100]"),
    ("nans", saved[: 8 + length] + b"\xff" * (len(saved) - 8 - length), "holds nan at element 0"),
    ("longer", saved + b"more", "4 bytes stand after its last tensor"),
):
    (here / name).write_bytes(content)
    done = run("translate", f"--load {{here}}/{name} --predict", "a b\n")
    if done.returncode != 1 or sentence not in done.stderr:
        failures.append(f"translate --load {name}: status {done.returncode}, {done.stdout!r}, {done.stderr!r}")

# Standard input that cannot be read; standard error that is closed or full; a number of threads that is none.
translate = [folder / "translate", "--load", here / "model", "--predict"]
folder_in = os.open(here, os.O_RDONLY)
done = subprocess.run(translate, stdin=folder_in, capture_output=True, text=True)
if done.returncode != 1 or done.stderr != "translate: standard input: cannot be read\n":
    failures.append(f"translate --predict < directory: status {done.returncode}, {done.stderr!r}")
for redirection in ("2>&-", "2>/dev/full"):
    done = subprocess.run(f"exec '{folder}/copy' --lr x {redirection}", shell=True, capture_output=True)
    if done.returncode != 1 and pathlib.Path("/dev/full").exists():
        failures.append(f"copy --lr x {redirection}: status {done.returncode}")
done = subprocess.run([folder / "copy", "--steps", "1"], env={**os.environ, "HEED_NUM_THREADS": "abc"}, capture_output=True, text=True)
if done.returncode != 1 or done.stderr != "HEED_NUM_THREADS=abc: expected a number from 1 to 1024\n":
    failures.append(f"HEED_NUM_THREADS=abc: status {done.returncode}, {done.stderr!r}")

# Two processes that know nothing of each other would train two models.
if "--without-mpi" in sys.argv:
    launched = {**os.environ, "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"}
    done = subprocess.run([folder / "copy", "--steps", "1"], env=launched, capture_output=True, text=True)
    if done.returncode != 1 or "2 processes, but heed was built without MPI (-Dmpi=enabled)" not in done.stderr:
        failures.append(f"copy of 2 processes without MPI: status {done.returncode}, {done.stderr!r}")

# A pipe gets the header before the training, not after it.
with subprocess.Popen([folder / "copy", "--steps", "1000000"], stdout=subprocess.PIPE, text=True) as process:
    first = process.stdout.readline()
    process.kill()
if not first.startswith("copy: 100000 pairs"):
    failures.append(f"copy | head -1: {first!r}")

print("\n".join(failures) or f"{len(bad)} kinds of bad input are answered well")
sys.exit(bool(failures))
