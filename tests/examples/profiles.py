"""Runs every program with --profile, at its smallest: the table on standard error, its shares, and --json.

usage: profiles.py FOLDER-OF-PROGRAMS"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

folder = pathlib.Path(sys.argv[1])
here = pathlib.Path(tempfile.mkdtemp())
(here / "pairs.tsv").write_text("a b\tx y\nb\ty\n")
(here / "text").write_text("to heed is to pay attention; " * 20)
failures = []

# What makes a program short. All of them stand here.
smallest = {
    "alignment": "--steps 1 --hidden 8 --no-table",
    "bigram_flip": "--steps 1 --hidden 8 --embed 4 --no-contrast",
    "bridges": "",
    "copy": "--steps 1 --hidden 8 --threads 2",
    "copy_unseen": "--steps 1 --no-contrast",
    "explain": "",
    "hard": "--length 3 --draws 2 --steps 2 --seeds 1 --hidden 8",
    "honest": "--quick --orders luong --values states --normalizers softmax",
    "language_model": f"--text {here}/text --steps 1 --layers 1 --size 8 --heads 2 --block 8 --length 5",
    "laws": "",
    "lookback": "--steps 1 --batch 2",
    "monotone": "--steps 1 --hidden 8 --no-contrast",
    "positions": "--tasks sort --kinds none --steps 1",
    "recall": "--steps 1 --batch 2 --no-contrast",
    "reverse": "--steps 1 --hidden 8 --model transformer --heads 2",
    "sort": "--steps 1 --batch 2 --no-contrast",
    "target_attention": "--steps 1 --hidden 8 --no-contrast",
    "translate": f"--train {here}/pairs.tsv --batch 2 --epochs 1 --hidden 8 --save {here}/model",
    "why": "--longest 6 --tests 2 --steps 1 --hidden 8 --embed 4",
    "window": "--steps 1 --batch 2",
    "zoo": "--scorers dot --normalizers softmax --steps 1",
}
untrained = {"bridges", "laws"}

HEADING = re.compile(
    r"profile: [\d.]+ s \([\d.]+ on the processor\) in (float|double) on (1 thread|\d+ threads), whose peak is [\d.]+ GFLOP/s in registers, "
    r"[\d.]+ GB/s from memory( \(one's: [\d.]+, [\d.]+\))?"
)


def check(what, holds):
    if not holds:
        failures.append(what)


def run(program, arguments, stdin=""):
    command = [folder / program, "--profile", *arguments.split()]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=300)


programs = {path.name for path in folder.iterdir() if path.is_file() and os.access(path, os.X_OK) and "." not in path.name}
check(f"programs without a line here, or gone: {programs ^ set(smallest)}", programs == set(smallest))
for program, arguments in smallest.items():
    done = run(program, f"{arguments} --json {here}/results.json")
    lines = done.stderr.strip().splitlines()
    if done.returncode == 1 or len(lines) < 3 or not HEADING.fullmatch(lines[0]):
        failures.append(f"{program}: status {done.returncode}, {done.stderr!r}")
        continue
    shares = [float(line[47:54]) for line in lines[2:]]
    check(f"{program}: shares {shares}", abs(sum(shares) - 100) < 0.05 * len(shares) + 1e-9 and shares == sorted(shares, reverse=True))
    names = [line[:28].strip() for line in lines[2:]]
    check(f"{program}: rows {names}", "outside ops" in names and len(set(names)) == len(names))
    if program not in untrained:
        check(f"{program}: rows {names}", {"Adam", "AdamW"} & set(names) and {"linear backward", "backward"} < set(names))
    profile = json.loads((here / "results.json").read_text())["profile"]
    check(f"{program}: --json {set(profile['rows']) ^ set(names)}", set(profile["rows"]) == set(names))
    check(f"{program}: --json shares", abs(sum(row["share"] for row in profile["rows"].values()) - 1) < 1e-9)
    check(f"{program}: --json {profile}", profile["one_thread"]["peak_flops"] > 0 and profile["threads"]["peak_bytes"] > 0)

# A pipe of answers stays one, and what fails has no profile.
done = run("translate", f"--load {here}/model --predict", "a b\nb\n")
check(f"translate --predict: {done.stdout!r} {done.stderr!r}", done.stdout.count("\n") == 2 and "profile: " in done.stderr)
done = run("copy", "--hidden 7")
check(f"copy --hidden 7: {done.stderr!r}", done.returncode == 1 and "profile: " not in done.stderr)
done = subprocess.run([folder / "copy", "--steps", "1", "--hidden", "8"], capture_output=True, text=True, timeout=60)
check(f"copy: {done.stderr!r}", done.stderr == "")

print("\n".join(failures) or f"{len(smallest)} programs tell where their time goes")
sys.exit(bool(failures))
