"""Computes every number that `explain` prints once more, from the query, the keys, the values and the parameters
alone: forward by the formulas of the papers, backward by differences of the loss.

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


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def times(matrix, x):
    return [dot(row, x) for row in matrix]


def softmax(x):
    e = [math.exp(v - max(x)) for v in x]
    return [v / sum(e) for v in e]


def threshold(x, f):
    """f(x_s - tau) with the tau at which they sum to 1, by bisection."""
    low, high = max(x) - 4, max(x) + 4
    for _ in range(200):
        tau = (low + high) / 2
        if sum(f(v - tau) for v in x) > 1:
            low = tau
        else:
            high = tau
    return [f(v - low) for v in x]


NORMALIZERS = {
    "softmax": softmax,
    "sparsemax": lambda x: threshold(x, lambda v: max(v, 0)),
    "entmax15": lambda x: threshold([v / 2 for v in x], lambda v: max(v, 0) ** 2),
}


def scorer_of(name, p):
    """The numbers inside the scorer, and its scores, from q and keys; p holds its parameters, as matrices."""

    def network(of_query, of_key, names):  # of weights (A, Q) and (A, K)
        def f(q, keys):
            query, key = times(of_query(), q), [times(of_key(), k) for k in keys]
            hidden = [[math.tanh(a + b) for a, b in zip(query, k)] for k in key]
            terms = [[a * b for a, b in zip(p["scorer.v"][0], h)] for h in hidden]
            inner = {names[0]: [query], names[1]: key, "hidden_s": hidden, "v_i hidden_si": terms}
            return inner, [sum(t) for t in terms]

        return f

    def products(transform, label, inner_label=None, factor=1.0):
        def f(q, keys):
            moved = [transform(k) for k in keys]
            terms = [[factor * a * b for a, b in zip(q, k)] for k in moved]
            inner = {label: terms}
            if inner_label:
                inner[inner_label] = moved
            return inner, [sum(t) for t in terms]

        return f

    def cosine(q, keys):
        norm = lambda x: math.sqrt(dot(x, x))
        beta = math.log1p(math.exp(dot(p["scorer.sharpness.weight"][0], q) + p["scorer.sharpness.bias"][0][0]))
        dots = [dot(q, k) for k in keys]
        cos = [d / norm(q) / norm(k) for d, k in zip(dots, keys)]
        inner = {
            "|q|": [[norm(q)]],
            "|k_s|": [[norm(k)] for k in keys],
            "q . k_s": [[d] for d in dots],
            "cos(q, k_s)": [[c] for c in cos],
            "beta": [[beta]],
        }
        return inner, [beta * c for c in cos]

    def linear(q, keys):
        w = p["scorer.weight"][0]
        of_q, of_k = dot(w[:N], q), [dot(w[N:], k) for k in keys]
        return {"w_q . q": [[of_q]], "w_k . k_s": [[k] for k in of_k]}, [of_q + k for k in of_k]

    return {
        "additive": network(
            lambda: p["scorer.query.weight"], lambda: p["scorer.key.weight"], ("W q", "U k_s")
        ),
        "concat": network(
            lambda: [row[:N] for row in p["scorer.weight"]],
            lambda: [row[N:] for row in p["scorer.weight"]],
            ("W_q q", "W_k k_s"),
        ),
        "concat_linear": linear,
        "dot": products(lambda k: k, "q_i k_si"),
        "scaled_dot": products(lambda k: k, "q_i k_si / sqrt(K)", factor=1 / math.sqrt(N)),
        "bilinear": products(lambda k: times(p["scorer.key.weight"], k), "q_i (W k_s)_i", "W k_s"),
        "cosine": cosine,
    }[name]


def copied(rows):
    return [list(row) for row in rows]


class Step:
    """The step as a function of its inputs, which differences may move."""

    def __init__(self, scorer, normalizer, printed, symbol):
        self.scorer, self.normalizer, self.symbol = scorer, normalizer, symbol
        given = ["query q", "keys k_s", "values v_s", "W", "b"]
        self.inputs = {name: copied(printed[name]) for name in given}
        self.inputs["s_t"] = copied(printed["query q"])
        for name in printed:
            if name.startswith("scorer."):
                self.inputs[name] = copied(printed[name])

    def tail(self, context):
        logits = [dot(w, context + self.inputs["s_t"][0]) + b for w, b in zip(self.inputs["W"], self.inputs["b"][0])]
        p = softmax(logits)
        return logits, p, -math.log(p[self.symbol])

    def context(self, weights):
        return [sum(w * v[i] for w, v in zip(weights, self.inputs["values v_s"])) for i in range(N)]

    def scores(self):
        return scorer_of(self.scorer, self.inputs)(self.inputs["query q"][0], self.inputs["keys k_s"])

    def loss(self):
        return self.tail(self.context(NORMALIZERS[self.normalizer](self.scores()[1])))[2]

    def gradient(self, f, x, eps=1e-5):
        """df/dx for a list of rows x, which f reads."""
        result = []
        for row in x:
            result.append([])
            for i, value in enumerate(row):
                row[i] = value + eps
                up = f()
                row[i] = value - eps
                down = f()
                row[i] = value
                result[-1].append((up - down) / (2 * eps))
        return result

    def everything(self):
        inner, scores = self.scores()
        weights = NORMALIZERS[self.normalizer](scores)
        context = self.context(weights)
        logits, p, loss = self.tail(context)
        values = self.inputs["values v_s"]
        all_numbers = {name: x for name, x in self.inputs.items() if name != "s_t"} | inner
        all_numbers |= {
            "score_s": [scores],
            "weight_s": [weights],
            "weight_s v_s": [[w * x for x in v] for w, v in zip(weights, values)],
            "context c": [context],
            "logits": [logits],
            "p": [p],
            "loss": [[loss]],
        }
        z, w, c, s = [logits], [weights], [context], [scores]
        normalize = NORMALIZERS[self.normalizer]
        all_numbers |= {
            "dL/d logits": self.gradient(lambda: -math.log(softmax(z[0])[self.symbol]), z),
            "dL/d c": self.gradient(lambda: self.tail(c[0])[2], c),
            "dL/d weight_s": self.gradient(lambda: self.tail(self.context(w[0]))[2], w),
            "dL/d score_s": self.gradient(lambda: self.tail(self.context(normalize(s[0])))[2], s),
            "d weight_r / d score_s": [self.gradient(lambda: normalize(s[0])[r], s)[0] for r in range(N)],
        }
        names = {"query q": "q", "keys k_s": "k_s", "values v_s": "v_s"}
        for name, x in self.inputs.items():
            all_numbers["dL/d " + names.get(name, name)] = self.gradient(self.loss, x)
        return all_numbers


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


def check(scorer, normalizer, step):
    """What is wrong with the page for these two."""
    out = here / "numbers.json"
    command = [folder / "explain", "--scorer", scorer, "--normalizer", normalizer, "--step", str(step), "--json", out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return [f"{scorer} {normalizer}: status {done.returncode}, {done.stderr!r}"]
    printed, exact = read(done.stdout), json.loads(out.read_text())
    symbol = int(re.search(r"which is (\d)", done.stdout)[1])
    # The printed numbers are rounded: those that everything follows from are taken from --json.
    full = {}
    for name, rows in printed.items():
        flat = iter(exact[name])
        full[name] = [[next(flat) for _ in row] for row in rows]
    expected = Step(scorer, normalizer, full, symbol).everything()
    faults = [f"{scorer} {normalizer}: {name} is not printed" for name in expected if name not in printed]
    for name, rows in printed.items():
        if name not in expected:
            faults.append(f"{scorer} {normalizer}: nothing is known of {name}")
            continue
        for row, right in itertools.zip_longest(rows, expected[name], fillvalue=[]):
            for x, y in itertools.zip_longest(row, right, fillvalue=math.nan):
                if not abs(x - y) <= 2e-6 * max(1, abs(y)):
                    faults.append(f"{scorer} {normalizer}: {name} prints {x}, should be {y:.6f}")
    return faults


help_text = subprocess.run([folder / "explain", "--help"], capture_output=True, text=True, timeout=60).stdout
scorers = ["additive", "dot", "scaled_dot", "bilinear", "concat", "concat_linear", "cosine"]
normalizers = [n for n in NORMALIZERS if re.search(rf"^ *{n}  ", help_text, re.MULTILINE)]
faults = [f"{n}: --help does not know it" for n in NORMALIZERS if n not in normalizers]
for scorer, normalizer in itertools.product(scorers, normalizers):
    faults += check(scorer, normalizer, 1 + len(scorer) % 3)
print("\n".join(faults) or f"every number of {len(scorers) * len(normalizers)} pages is right")
sys.exit(bool(faults))
