"""What heed has to reach, and the figures that others have published: statements about measurements."""

from dataclasses import dataclass

from results import scaled, threads_text

PUBLISHED_PEAK = 104  # GFLOP/s of one core of the EPYC (Zen 3) on which the published figures were taken
# (workload, threads, who, ms)
PUBLISHED = [
    ("A", 1, "DyNet", 3.6),
    ("B", 1, "DyNet", 182),
    ("C", 1, "llm.c", 259),
    ("C", 2, "llm.c", 194),
    ("C", 1, "MLX", 87),
    ("C", 2, "MLX", 70),
    ("D-512", 1, "MLX", 192),
    ("D-2048", 1, "MLX", 3187),
    ("E", 1, "DyNet", 0.525),  # 3,000 ops of 175 ns
]


@dataclass
class Floor:
    what: str
    value: float
    floor: float
    at_most: bool = False

    @property
    def met(self):
        return self.value <= self.floor if self.at_most else self.value >= self.floor

    def __str__(self):
        word = "at most" if self.at_most else "at least"
        return f"{'met    ' if self.met else 'NOT MET'}  {self.what}: {self.value:.3g}, {word} {self.floor:.3g}"


def published(measurements):
    """(measurement, who, ms scaled to this machine's peak, how many times as long as heed's median)"""
    by_key = {(m.workload, m.threads): m for m in measurements}
    for workload, threads, who, ms in PUBLISHED:
        m, one = by_key.get((workload, threads)), by_key.get((workload, 1))
        if m and one and one.gigaflops:
            time = scaled(ms, PUBLISHED_PEAK, one.gigaflops)
            yield m, who, time, time / m.heed.median


def against_published(measurements):
    floors = {("A", "DyNet"): 1.5, ("B", "DyNet"): 1.5, ("C", "llm.c"): 5}
    for m, who, _, ratio in published(measurements):
        if (m.workload, who) in floors:
            what = f"{m.workload}, {threads_text(m.threads)}: times {who}'s scaled figure"
            yield Floor(what, ratio, floors[m.workload, who])


def against_pytorch(m):
    key, threads = m.workload, "one" if m.threads == 1 else "many"
    floors = {
        "A": {"one": 4.5},
        "B": {"one": 1.7, "many": 2.0},
        "C": {"one": 1.25, "many": 1.5},
        "D-512": {"one": 1, "many": 1},
        "D-2048": {"one": 1, "many": 1},
        "D-512-causal": {"one": 1.7, "many": 1.7},
        "D-2048-causal": {"one": 1.7, "many": 1.7},
    }
    if "PyTorch" in m.peers and threads in floors.get(key, {}):
        yield Floor(f"{key}, {threads_text(m.threads)}: times PyTorch", m.ratio("PyTorch"), floors[key][threads])


def against_best(m):
    """F: ahead of every peer; G: 0.9 of the best, ahead of OpenBLAS, and of all at a recurrent step's shapes."""
    best = m.best_peer
    if best and m.workload.startswith("F-"):
        yield Floor(f"{m.workload}, {threads_text(m.threads)}: times the best peer, {best}", m.ratio(best), 1)
    if best and m.workload.startswith("G-"):
        step = m.workload in ("G-32x192x64", "G-64x768x256")
        yield Floor(f"{m.workload}: times the best peer, {best}", m.ratio(best), 1 if step else 0.9)
        if "OpenBLAS" in m.peers:
            yield Floor(f"{m.workload}: times OpenBLAS", m.ratio("OpenBLAS"), 1)


def of_threads(measurements):
    """Whether all cores pay where they should, and cost nothing where they cannot."""
    one = {m.workload: m for m in measurements if m.threads == 1}
    for m in measurements:
        if m.threads == 1 or m.workload not in one:
            continue
        speedup = one[m.workload].heed.median / m.heed.median
        if m.workload in ("B", "C", "D-2048", "D-2048-causal"):
            yield Floor(f"{m.workload}: {threads_text(m.threads)} against 1", speedup, 1.7)
        if m.workload in ("A", "E"):
            yield Floor(f"{m.workload}: {threads_text(m.threads)} against 1", speedup, 1 / 1.05)


def per_op(m):
    if m.workload == "E" and m.threads == 1:
        yield Floor("E: ns per primitive op", 1e6 * m.heed.median / m.heed.ready["ops"], 100, at_most=True)


def all_floors(measurements, start_ms=None):
    for m in measurements:
        for statement in (against_pytorch, against_best, per_op):
            yield from statement(m)
    yield from against_published(measurements)
    yield from of_threads(measurements)
    if start_ms is not None:
        yield Floor("ms from a process's start to its first step of training", start_ms, 50, at_most=True)
