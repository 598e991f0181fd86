"""Computes every number that `explain` prints once more, from the query, the keys, the values and the parameters
alone: forward by the formulas of the papers, backward by differences. Every scorer and every normalizer of --help
has to have its formula here.

usage: explain.py FOLDER-OF-PROGRAMS"""

import itertools
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile

folder = pathlib.Path(sys.argv[1])
here = pathlib.Path(tempfile.mkdtemp())
N = 3  # features and slots
WINDOW = 1  # D of local attention
STEPS = (1, 2, 3)  # the pages; each needs the one before
TRAINING = "100"  # steps: enough to be far from the start
TOLERANCE = 1e-6  # of a difference; numbers come with all their digits from --json


class Sheet:
    """The numbers of a page by name, rows of numbers each, in the order in which they are computed. Whatever is put
    down may be moved a little first, and what is computed from it afterwards moves too: so differences tell the
    derivative of anything by anything."""

    def __init__(self, moved=None, by=0.0, still=None):
        self.numbers, self.fixed, self.moved, self.by = {}, set(), moved, by
        self.still = still  # the same sheet, nothing moved

    def rows(self, name, rows):
        assert name not in self.numbers, f"two of the name {name}"
        rows = [list(row) for row in rows]
        if self.moved and self.moved[0] == name:
            rows[self.moved[1]][self.moved[2]] += self.by
        self.numbers[name] = rows
        return rows

    def row(self, name, x):
        return self.rows(name, [x])[0]

    def column(self, name, x):
        return [row[0] for row in self.rows(name, [[v] for v in x])]

    def number(self, name, x):
        return self.rows(name, [[x]])[0][0]

    def note(self, name, x):
        """What is shown but has no derivative."""
        self.fixed.add(name)
        return self.row(name, x)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def times(matrix, x):
    return [dot(row, x) for row in matrix]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


# ---- The scorers: each puts down what is inside and returns the scores of q and the keys. p: parameters, as matrices.


def sum_over_i(sheet, name, rows):
    return [sum(row) for row in sheet.rows(name, rows)]


def network(sheet, p, of_query, of_keys):
    """v . tanh of both together; of_query and of_keys are (name, numbers)."""
    query, keys = sheet.row(*of_query), sheet.rows(*of_keys)
    hidden = sheet.rows("hidden_s", [[math.tanh(a + b) for a, b in zip(query, k)] for k in keys])
    return sum_over_i(sheet, "v_i hidden_si", [[v * h for v, h in zip(p["v"][0], row)] for row in hidden])


def additive(sheet, p, q, keys):
    of_keys = [times(p["key.weight"], k) for k in keys]
    return network(sheet, p, ("W q", times(p["query.weight"], q)), ("U k_s", of_keys))


def products(sheet, name, q, keys):
    return sum_over_i(sheet, name, [[a * b for a, b in zip(q, k)] for k in keys])


def dot_product(sheet, p, q, keys):
    return products(sheet, "q_i k_si", q, keys)


def scaled_dot(sheet, p, q, keys):
    scaled = sheet.row("q / sqrt(K)", [x / math.sqrt(N) for x in q])
    return products(sheet, "q_i k_si / sqrt(K)", scaled, keys)


def bilinear(sheet, p, q, keys):
    moved = sheet.rows("W k_s", [times(p["key.weight"], k) for k in keys])
    return products(sheet, "q_i (W k_s)_i", q, moved)


def concat(sheet, p, q, keys):
    of_q, of_k = [row[:N] for row in p["weight"]], [row[N:] for row in p["weight"]]
    return network(sheet, p, ("W_q q", times(of_q, q)), ("W_k k_s", [times(of_k, k) for k in keys]))


def concat_linear(sheet, p, q, keys):
    w = p["weight"][0]
    of_query = sheet.number("w_q . q", dot(w[:N], q))
    return [of_query + k for k in sheet.column("w_k . k_s", [dot(w[N:], k) for k in keys])]


def cosine(sheet, p, q, keys):
    unit = lambda x: [v / math.sqrt(dot(x, x)) for v in x]
    q1, keys1 = sheet.row("q / |q|", unit(q)), sheet.rows("k_s / |k_s|", map(unit, keys))
    cos = sheet.row("cos(q, k_s)", [dot(q1, k) for k in keys1])
    beta = sheet.number("beta", math.log1p(math.exp(dot(p["sharpness.weight"][0], q) + p["sharpness.bias"][0][0])))
    return [beta * c for c in cos]


def location(sheet, p, q, keys):
    return products(sheet, "w_si q_i", q, p["weight"])


SCORERS = {
    "additive": additive,
    "dot": dot_product,
    "scaled_dot": scaled_dot,
    "bilinear": bilinear,
    "concat": concat,
    "concat_linear": concat_linear,
    "cosine": cosine,
    "location": location,
}


# ---- The normalizers: each puts down what is inside and returns the probabilities. `step` counts from 0, `before`
# are the weights of the step before, `q` is the query.


def softmax(sheet, scores, seen=(1,) * N):
    e = sheet.row("e_s", [math.exp(x - max(scores)) * s for x, s in zip(scores, seen)])
    total = sheet.number("sum e", sum(e))
    return [x / total for x in e]


def entmax(sheet, scores, alpha, learned=False):
    """(z_s - tau)^(1 / (alpha - 1)) where that is above 0, with the tau at which they sum to 1, by bisection."""
    alpha = (sheet.row if learned else sheet.note)("alpha", [alpha])[0]
    z = sheet.row("z_s", [(alpha - 1) * x for x in scores])
    weights = lambda tau: [max(x - tau, 0) ** (1 / (alpha - 1)) for x in z]
    low, high = max(z) - 1, max(z)
    for _ in range(60):
        tau = (low + high) / 2
        low, high = (tau, high) if sum(weights(tau)) > 1 else (low, tau)
    tau = sheet.number("tau", low)
    support = sheet.note("support_s", [float(x > tau) for x in z])
    above = sheet.row("max(z_s - tau, 0)", [max(x - tau, 0) for x in z])
    return [x ** (1 / (alpha - 1)) if s else 0.0 for x, s in zip(above, support)]


def local(sheet, scores, centre):
    return softmax(sheet, scores, sheet.note("window_s", [float(abs(s - centre) <= WINDOW) for s in range(N)]))


def local_m(sheet, scores, p, q, step, before):
    return local(sheet, scores, sheet.note("t", [step])[0])


def local_p(sheet, scores, p, q, step, before):
    hidden = sheet.row("tanh(W_p q)", [math.tanh(x) for x in times(p["position.weight"], q)])
    centre = sheet.number("p", N * sigmoid(dot(p["v"][0], hidden)))
    within = sheet.row("softmax_s", local(sheet, scores, centre))
    sigma = WINDOW / 2
    gaussian = sheet.row("gaussian_s", [math.exp(-((s - centre) ** 2) / (2 * sigma**2)) for s in range(N)])
    return [a * b for a, b in zip(within, gaussian)]


def monotonic(sheet, scores, p, q, step, before):
    stop = sheet.row("p_s", [sigmoid(x + p["r"][0][0]) for x in scores])
    # Raffel et al. 2017, eq. 9, as it stands: from slot k on to slot s, and not to stop in between.
    start = sheet.row("from_s", before) if step > 0 else sheet.note("from_s", [1.0, 0.0, 0.0])
    walk = lambda k, s: math.prod(1 - stop[r] for r in range(k, s))
    come = sheet.row("c_s", [sum(start[k] * walk(k, s) for k in range(s + 1)) for s in range(N)])
    return [a * b for a, b in zip(stop, come)]


def by_scores(f):
    return lambda sheet, scores, p, q, step, before: f(sheet, scores, p)


def best(x):
    return [float(s == x.index(max(x))) for s in range(N)]


def chosen(sheet, probability, before):
    return best(probability)


def walked(sheet, probability, before):
    """The first slot that stops the walk, from the last choice on; none if there was none."""
    if before and max(before) == 0:
        return [0.0] * N
    stop = sheet.numbers["p_s"][0]
    slots = [s for s in range(before.index(1) if before else 0, N) if stop[s] > 0.5]
    return [float(s == min(slots, default=-1)) for s in range(N)]


def straight_through(sheet, probability, before):
    """The best, but its derivative is said to be that of the probability."""
    at = (sheet.still or sheet).numbers["probability_s"][0]
    return [b + (p - a) for b, p, a in zip(best(at), probability, at)]


# Name: the probabilities, and for those that choose a slot by them, how.
NORMALIZERS = {
    "softmax": (by_scores(lambda sheet, x, p: softmax(sheet, x)), None),
    "sparsemax": (by_scores(lambda sheet, x, p: entmax(sheet, x, 2)), None),
    "entmax15": (by_scores(lambda sheet, x, p: entmax(sheet, x, 1.5)), None),
    "entmax": (by_scores(lambda sheet, x, p: entmax(sheet, x, 1 + sigmoid(p["shape"][0][0]), True)), None),
    "local_m": (local_m, None),
    "local_p": (local_p, None),
    "monotonic": (monotonic, None),
    "monotonic_hard": (monotonic, walked),
    "reinforce": (by_scores(lambda sheet, x, p: softmax(sheet, x)), chosen),
    "straight_through": (by_scores(lambda sheet, x, p: softmax(sheet, x)), straight_through),
    "gumbel": (by_scores(lambda sheet, x, p: softmax(sheet, x)), chosen),
}


def compute(sheet, scorer, normalizer, given, step, before, symbol):
    """The whole step. `given`: what it starts from, by name."""
    put = {name: sheet.rows(name, rows) for name, rows in given.items()}
    # Where the same numbers go in by another door, they may be moved there alone.
    asked, state = sheet.row("q by the normalizer", given["query q"][0]), sheet.row("s_t", given["query q"][0])
    of = lambda prefix: {n.removeprefix(prefix): rows for n, rows in put.items() if n.startswith(prefix)}
    scores = sheet.row("score_s", SCORERS[scorer](sheet, of("scorer."), put["query q"][0], put["keys k_s"]))
    normalize, choose = NORMALIZERS[normalizer]
    weights = normalize(sheet, scores, of("normalizer."), asked, step, before)
    if choose:
        weights = choose(sheet, sheet.row("probability_s", weights), before)
    weights = sheet.row("weight_s", weights)
    parts = sheet.rows("weight_s v_s", [[w * x for x in v] for w, v in zip(weights, put["values v_s"])])
    context = sheet.row("context c", [sum(column) for column in zip(*parts)])
    logits = sheet.row("logits", [dot(w, context + state) + b for w, b in zip(put["W"], put["b"][0])])
    e = [math.exp(x - max(logits)) for x in logits]
    p = sheet.row("p(y)", [x / sum(e) for x in e])
    sheet.number("loss", -math.log(p[symbol]))
    return sheet


PRINTED_AS = {"query q": "q by the scores", "keys k_s": "k_s", "values v_s": "v_s", "context c": "c"}
NOT_PRINTED = {"p(y)", "loss", "weight_s v_s"}  # as derivatives


def derivatives(step, eps=1e-5):
    """{name as printed: rows} by differences; `step(sheet)` computes it all."""
    still = step(Sheet())
    found = {}
    jacobians = {"weight_s": [], "probability_s": []}
    for name, rows in still.numbers.items():
        if name in still.fixed | NOT_PRINTED:
            continue
        gradient = [[0.0] * len(row) for row in rows]
        for r, i in [(r, i) for r, row in enumerate(rows) for i in range(len(row))]:
            up, down = (step(Sheet((name, r, i), by, still)).numbers for by in (eps, -eps))
            change = lambda of: [(a - b) / (2 * eps) for a, b in zip(up[of][0], down[of][0])]
            gradient[r][i] = change("loss")[0]
            if name == "score_s":
                for of in jacobians.keys() & up.keys():
                    jacobians[of].append(change(of))
        found["dL/d " + PRINTED_AS.get(name, name)] = gradient
    for of, columns in jacobians.items():
        if columns:
            found[f"d {of.replace('_s', '_r')} / d score_s"] = [list(row) for row in zip(*columns)]
    by_scores, by_normalizer = found["dL/d q by the scores"][0], found["dL/d q by the normalizer"][0]
    found["dL/d q"] = [[a + b for a, b in zip(by_scores, by_normalizer)]]
    if not any(by_normalizer):  # then it is not told apart
        del found["dL/d q by the scores"], found["dL/d q by the normalizer"]
    return still.numbers, found


# ---- The pages.


def read(text):
    """{name: rows of numbers} of what was printed."""
    blocks, name = {}, None
    for line in text.splitlines():
        if re.fullmatch(r"( +-?\d+\.\d+)+", line):
            blocks[name].append([float(x) for x in line.split()])
        elif found := re.match(r"(.+?) \((\d+, )?\d+\)(  =  .*)?$", line):
            name = found[1]
            assert name not in blocks, f"{name} is printed twice"
            blocks[name] = []
    return blocks


def page_of(scorer, normalizer, *options):
    """The page, its numbers as printed, and the same with all digits."""
    out = here / "numbers.json"
    command = [folder / "explain", "--scorer", scorer, "--normalizer", normalizer, *options, "--json", out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"status {done.returncode}, {done.stderr!r}")
    printed, exact = read(done.stdout), json.loads(out.read_text())
    if printed.keys() != exact.keys():
        raise RuntimeError(f"printed or in --json alone: {printed.keys() ^ exact.keys()}")
    full = {}
    for name, rows in printed.items():
        digits = iter(exact[name])
        full[name] = [[next(digits) for _ in row] for row in rows]
    return done.stdout, printed, full


def differences(name, rows, right, tolerance):
    for row, right_row in itertools.zip_longest(rows, right, fillvalue=[]):
        for x, y in itertools.zip_longest(row, right_row, fillvalue=math.nan):
            if not abs(x - y) <= tolerance * max(1, abs(y)):
                yield f"{name} is {x}, should be {y:.6f}"


def given_of(full):
    first = ("query q", "keys k_s", "values v_s", "W", "b")
    return {n: rows for n, rows in full.items() if n in first or n.startswith(("scorer.", "normalizer."))}


def check_step(scorer, normalizer, step, before):
    """What is wrong with one page, and its numbers."""
    text, printed, full = page_of(scorer, normalizer, "--step", str(step + 1), "--steps", TRAINING)
    symbol = int(re.search(r"which is (\d)", text)[1])
    given = given_of(full)
    numbers, gradients = derivatives(
        lambda sheet: compute(sheet, scorer, normalizer, given, step, before, symbol)
    )
    inputs = {"q by the normalizer", "s_t"}
    faults = [f"{name} is not printed" for name in numbers.keys() - inputs - printed.keys()]
    for name, rows in gradients.items():  # one that is 0 everywhere may be left out
        if name not in printed and max(map(abs, itertools.chain(*rows))) > TOLERANCE:
            faults.append(f"{name} is not printed")
    expected = numbers | gradients
    for name, rows in printed.items():
        if name not in expected:
            faults.append(f"nothing is known of {name}")
            continue
        faults += differences(name, full[name], expected[name], TOLERANCE)
        faults += differences(name + ", as printed,", rows, full[name], 5.1e-7)
    if ("A choice has no gradient" in text) != (normalizer in ("reinforce", "gumbel", "monotonic_hard")):
        faults.append("the sentence about choices is missing, or is there where nothing is chosen")
    return faults, full


def check(scorer, normalizer):
    faults, before = [], None
    for step in STEPS:
        found, page = check_step(scorer, normalizer, step - 1, before)
        before = page["weight_s"][0]
        faults += [f"step {step}: {fault}" for fault in found]
    untrained = page_of(scorer, normalizer, "--steps", "0")[2]
    faults += [f"{name} is not trained" for name, rows in given_of(page).items() if rows == untrained[name]]
    return faults


def names_of(option, help_text):
    return re.search(rf"{option} ([\w|]+)=", help_text)[1].split("|")


help_text = subprocess.run([folder / "explain", "--help"], capture_output=True, text=True, timeout=60).stdout
scorers, normalizers = names_of("--scorer", help_text), names_of("--normalizer", help_text)
faults = [f"{name}: no formula in this test" for name in scorers if name not in SCORERS]
faults += [f"{name}: no formula in this test" for name in normalizers if name not in NORMALIZERS]
for scorer, normalizer in itertools.product(scorers, normalizers):
    if scorer in SCORERS and normalizer in NORMALIZERS:
        try:
            faults += [f"{scorer} {normalizer}: {fault}" for fault in check(scorer, normalizer)]
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            faults.append(f"{scorer} {normalizer}: {error}")
print("\n".join(faults) or f"every number of {len(scorers) * len(normalizers) * len(STEPS)} pages is right")
sys.exit(bool(faults))
