"""Runs why and hard at their smallest: the exit status, and what --json holds.

usage: studies.py FOLDER-OF-PROGRAMS"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile

folder = pathlib.Path(sys.argv[1])
here = pathlib.Path(tempfile.mkdtemp())
failures = []


def check(what, holds):
    if not holds:
        failures.append(what)


def run(program, arguments):
    """The program's results; too little is learned for what it sets out to show: status 2."""
    file = here / (program + ".json")
    done = subprocess.run(
        [folder / program, *arguments.split(), "--json", file], capture_output=True, text=True, timeout=120
    )
    check(f"{program}: status {done.returncode}, {done.stderr!r}", done.returncode == 2 and not done.stderr)
    check(f"{program}: no verdict", f"{program}: not shown" in done.stdout)
    results = json.loads(file.read_text())
    check(f"{program}: shown", results["shown"] is False)
    return results


why = run("why", "--task copy --longest 6 --tests 5 --steps 3 --hidden 8 --embed 4")
check("why: task", why["task"] == "copy")
check("why: the two differ in their order alone", why["with"]["settings"] | {"order": "none"} == why["without"]["settings"])
for side in ("with", "without"):
    for n in range(1, 7):
        measured = why[side][f"length {n}"]
        check(f"why: accuracy {side} {n}", 0 <= measured["sequence_accuracy"] <= 1)
        check(f"why: share {side} {n}", 0 < measured["gold_share"] <= 1 and (n > 1 or measured["gold_share"] == 1))
        rows = [measured["untrained"]["last"], measured["trained"]["last"], measured["trained"]["all"]]
        check(f"why: norms {side} {n}", all(len(row) == n and min(row) > 0 for row in rows))
        check(f"why: map {side} {n}", measured["trained"]["map"][-n:] == measured["trained"]["last"])
        # On copy symbol t comes from position t: the diagonal of the map, in shares of its rows.
        grid = [measured["trained"]["map"][t * n : (t + 1) * n] for t in range(n)]
        diagonal = sum(row[t] / sum(row) for t, row in enumerate(grid)) / n
        check(f"why: diagonal {side} {n}", math.isclose(diagonal, measured["gold_share"], rel_tol=1e-6))

hard = run("hard", "--length 3 --draws 20 --steps 30 --seeds 2 --hidden 8")
names = list(hard["learned"])
check("hard: estimators", len(names) == 11 and "REINFORCE, baseline" in names)
for where in ("untrained", "partly trained"):
    measured = hard["gradients"][where]
    check(f"hard: Jensen, {where}", measured["expected_log_likelihood"] < measured["log_marginal"] < 0)
    for name in names:
        at_most = 20 if name.startswith("straight") or name in ("softmax", "exact marginal", "exact expectation") else 1000
        check(f"hard: draws of {name}", measured[name]["draws"] <= at_most)
        check(f"hard: numbers of {name}", all(measured[name][key] >= 0 for key in ("bias", "error", "deviation")))
    check(f"hard: exact, {where}", measured["exact expectation"]["bias"] == 0)
    check(f"hard: deviation, {where}", measured["REINFORCE"]["deviation"] > 0 == measured["softmax"]["deviation"])
for name, learned in hard["learned"].items():
    check(f"hard: learned by {name}", len(learned["steps"]) == 2 and 0 <= learned["aer"] <= 1)

# What neither program can do is said in one sentence.
for program, arguments, sentence in (
    ("why", "--order none", "--order none: give the order with attention; none is the other"),
    ("why", "--model transformer", "--model transformer: expected rnn, which can do without attention"),
    ("why", "--task sort", "--task sort: expected one of reverse, copy"),
    ("hard", "--draws 1", "--draws 1: expected at least 2"),
    ("hard", "--json /no/such/folder/file", "--json /no/such/folder/file: cannot be written"),
):
    done = subprocess.run([folder / program, *arguments.split()], capture_output=True, text=True, timeout=60)
    check(f"{program} {arguments}: {done.returncode} {done.stderr!r}", (done.returncode, sentence in done.stderr) == (1, True))

print("\n".join(failures) or "why and hard write what they should")
sys.exit(bool(failures))
