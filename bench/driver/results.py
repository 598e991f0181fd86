"""What was measured, and the arithmetic on it."""

import math
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Series:
    """The samples of one engine: milliseconds of one repetition."""

    samples: list
    ready: dict
    libraries: list = field(default_factory=list)

    @property
    def median(self):
        return median(self.samples)

    @property
    def least(self):
        return min(self.samples)


@dataclass
class Measurement:
    """One workload on so many threads, all engines in turn; `peak` and `triad` are the machine's bounds then."""

    workload: str
    threads: int
    heed: Series
    peers: dict
    bounds: dict

    def ratio(self, peer, of=lambda series: series.median):
        """How many times as long the peer takes."""
        return of(self.peers[peer]) / of(self.heed)

    @property
    def best_peer(self):
        """The name of the fastest peer; None without one."""
        return min(self.peers, key=lambda name: self.peers[name].median, default=None)

    @property
    def bound(self):
        """Milliseconds that the products alone, or the bytes alone, take at the measured bound; None without."""
        for name, unit in (("peak", "flop"), ("triad", "bytes")):
            if name in self.bounds and self.heed.ready[unit]:
                bound = self.bounds[name]
                return self.heed.ready[unit] / bound.ready[unit] * bound.median
        return None

    @property
    def share(self):
        """Of the bound, that heed reaches; None without a bound."""
        return self.bound / self.heed.median if self.bound else None

    @property
    def gigaflops(self):
        """The measured peak, GFLOP/s on this many threads; None where it was not measured."""
        peak = self.bounds.get("peak")
        return peak.ready["flop"] / peak.median / 1e6 if peak else None

    def disagreements(self):
        """Where a peer did not compute what heed computed."""
        for name, peer in self.peers.items():
            for key, tolerance in (("check", 1e-3), ("flop", 0), ("parameters", 0)):
                ours, theirs = self.heed.ready[key], peer.ready[key]
                if not math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=0):
                    yield f"{self.workload}, {threads_text(self.threads)}: {key} is {ours:g}, {name} has {theirs:g}"


def threads_text(threads):
    return "1 thread" if threads == 1 else f"{threads} threads"


def scaled(published_ms, published_peak, peak):
    """A time of another machine, as if only the peaks of the two made the difference."""
    return published_ms * published_peak / peak


def slope(xs, ys):
    """By least squares, of log y against log x: the power with which y grows."""
    x, y = [math.log(v) for v in xs], [math.log(v) for v in ys]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)
