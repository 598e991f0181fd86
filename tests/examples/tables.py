"""Runs the programs that print tables for a few steps: exit status, what stands in --json, and the reasons given.

usage: tables.py FOLDER-OF-PROGRAMS"""

import json
import pathlib
import subprocess
import sys
import tempfile

folder = pathlib.Path(sys.argv[1])
out = pathlib.Path(tempfile.mkdtemp()) / "results.json"
failures = []

NUMBERS = {"sequence_accuracy", "aer", "entropy", "steps", "seconds", "seeds", "solved"}


def run(program, arguments, status):
    done = subprocess.run(
        [folder / program, *arguments.split(), "--json", out], capture_output=True, text=True, timeout=900
    )
    if done.returncode != status:
        failures.append(f"{program} {arguments}: status {done.returncode}, {done.stderr!r}, expected {status}")
    return done.stdout, json.loads(out.read_text() or "{}")


def check(what, holds):
    if not holds:
        failures.append(what)


# A pair that its laws forbid is expected to fail; one that they allow makes the status 2.
text, results = run("zoo", "--scorers concat_linear --normalizers softmax,sparsemax --steps 4 --seeds 2", 0)
for normalizer in ("softmax", "sparsemax"):
    row = results["rows"]["concat_linear"][normalizer]
    check(f"concat_linear {normalizer}: {row}", set(row) == NUMBERS | {"reason", "temperature"} and row["solved"] == 0)
    check(f"concat_linear {normalizer}: seeds and steps {row}", row["seeds"] == 2 and row["steps"] == 4)
    check(f"concat_linear {normalizer}: entropy {row}", 0 < row["entropy"] < 3)
check("zoo: the reason", "concat_linear with softmax, concat_linear with sparsemax fail: concat_linear gives" in text)
check("zoo: as expected", results["as_expected"] is True and results["task"] == "reverse")

text, results = run("zoo", "--scorers scaled_dot,dot --normalizers softmax --steps 2", 2)
temperatures = {scorer: row["softmax"]["temperature"] for scorer, row in results["rows"].items()}
check(f"zoo: temperatures {temperatures}", temperatures == {"scaled_dot": 0.5, "dot": 1.0})
check("zoo: the temperature is printed", "scaled_dot     softmax           0.5 " in text)

text, results = run("zoo", "--task alignment --scorers dot,location --normalizers softmax,local_m --steps 4", 2)
check("zoo: as expected", results["as_expected"] is False and results["threshold"] == 0.98)
check("zoo: location on alignment", "location never sees the keys" in results["rows"]["location"]["softmax"]["reason"])
check("zoo: local_m on alignment", "own number" in results["rows"]["dot"]["local_m"]["reason"])
check("zoo: dot", results["rows"]["dot"]["softmax"]["reason"].startswith("no law forbids it"))

# monotonic, with its law or without
text, results = run("zoo", "--task copy --scorers dot --normalizers monotonic --steps 4", 2)
text, results = run("zoo", "--task reverse --scorers dot --normalizers monotonic --steps 4", 0)
check("zoo: monotonic", "never turns back" in text)

text, results = run("honest", "--quick --values states --normalizers softmax,entmax15", 0)
for task in ("copy", "alignment"):
    rows = results["rows"][task]
    names = {f"{order}-states-{n}" for order in ("luong", "previous", "input-feeding", "bahdanau") for n in ("softmax", "entmax15")}
    check(f"honest: rows of {task}: {set(rows)}", set(rows) == names)
    check(f"honest: numbers of {task}", all(set(row) == NUMBERS for row in rows.values()))
check("honest: nothing learned", "On copy none of 8 decoders answers right." in results["conclusion"])
check("honest: the conclusion is printed", results["conclusion"] in text)

text, results = run("honest", "--quick --orders luong --values states --normalizers entmax,local_p,monotonic", 0)
check(f"honest: {set(results['rows']['copy'])}", set(results["rows"]["copy"]) == {f"luong-states-{n}" for n in ("entmax", "local_p", "monotonic")})
for flag in ("--seeds", "--steps"):
    done = subprocess.run([folder / "honest", "--quick", flag, "2"], capture_output=True, text=True, timeout=60)
    check(f"honest --quick {flag}: {done.stderr!r}", f"{flag} does not apply with --quick" in done.stderr)

done = subprocess.run([folder / "zoo", "--scorers", "dot,best"], capture_output=True, text=True, timeout=60)
check(f"zoo --scorers dot,best: {done.stderr!r}", "--scorers best: expected some of additive, dot" in done.stderr)
check(f"zoo --scorers dot,best: status {done.returncode}", done.returncode == 1)

print("\n".join(failures) or "zoo and honest do as they say")
sys.exit(bool(failures))
