"""Data-parallel training: measures 1 and 2 ranks, compares them with a model of the cost, and simulates that model for
more: python3 bench/driver/ranks.py BUILD   (docs/scale.md tells what it prints)"""

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import tempfile
from pathlib import Path

import machine

# Between machines: seconds that a message takes, bytes a second. What such networks are sold as, less what TCP or MPI
# takes of it: assumptions, not measured here.
NETWORKS = {"10 Gbit Ethernet": (30e-6, 1.1e9), "100 Gbit InfiniBand": (2e-6, 11e9)}
PIECE = 4 << 20  # optim/distributed.cpp sends so many bytes at once


class Network:
    """A sum over n ranks of b bytes takes the cheapest of three ways, where a message of m bytes takes latency +
    m / bandwidth: by doubling, log2 n messages of b bytes; by halving and doubling (Rabenseifner; both in Thakur et al.
    2005), 2 log2 n messages of b/2, b/4, ... and back; around a ring (Patarasuk & Yuan 2009), 2 (n - 1) of b / n."""

    def __init__(self, latency, bandwidth):
        self.latency, self.bandwidth = latency, bandwidth

    def ways(self, n, size):
        rounds, both = math.ceil(math.log2(n)), 2 * (n - 1) / n * size / self.bandwidth
        return {
            "doubling": rounds * (self.latency + size / self.bandwidth),
            "halving": 2 * rounds * self.latency + both,
            "ring": 2 * (n - 1) * self.latency + both,
        }

    def one_sum(self, n, size):
        return min(self.ways(n, size).values())

    def gradients(self, n, size):
        whole, rest = divmod(size, PIECE)
        return whole * self.one_sum(n, PIECE) + (self.one_sum(n, rest) if rest else 0)


class Model:
    """What one rank does in a step, in seconds, and the bytes of its gradients. (An example's update is part of its
    compute.)"""

    def __init__(self, name, parameters, compute, update, batch, copying, small=2):
        self.name, self.size, self.compute, self.update, self.batch = name, 4 * parameters, compute, update, batch
        self.copies = 2 * self.size / copying  # into one array and back
        self.small = small  # sums of up to three numbers in a step: the counts before it, the loss after it

    def step(self, n, network, share=1.0, accumulate=1):
        """Of n ranks, each with `share` of the batch: as long as the slowest computes."""
        rng = random.Random(1)
        slowest = statistics.fmean(
            max(sum(rng.choices(self.compute, k=accumulate)) for _ in range(n)) for _ in range(max(10, 4000 // n))
        )
        return share * slowest + self.sending(n, network) + self.update

    def sending(self, n, network):
        if n == 1:
            return 0.0
        return self.copies + network.gradients(n, self.size) + self.small * network.one_sum(n, 24)

    def efficiency(self, n, network, **options):
        """Of n ranks that each compute a whole batch: the share of n times one rank's speed."""
        return self.step(1, network, **options) / self.step(n, network, **options)

    def speedup(self, n, network):
        """Of n ranks that share one batch, if a row cost the same in a smaller one."""
        return self.step(1, network) / self.step(n, network, share=math.ceil(self.batch / n) / self.batch)


def run(build, ranks, program, *arguments):
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    command = ["mpirun", "-np", str(ranks), build / program, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 2):  # 2: an example that did not learn its task in a few steps
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def measured_network(build):
    """Between two processes of this machine: the latency, the bandwidth for gradients, the speed of copies."""
    lines = [tuple(map(float, line.split())) for line in run(build, 2, "bench/ranks", "sums").splitlines()]
    latency = statistics.median(seconds for size, seconds, _ in lines if size <= 64)
    size, seconds, copying = next(line for line in lines if line[0] == PIECE)
    return Network(latency, size / (seconds - latency)), size / copying


class Steps:
    """What bench/ranks tells of some steps of training."""

    def __init__(self, build, ranks, workload, steps):
        head, *rows = run(build, ranks, "bench/ranks", "train", workload, str(steps)).splitlines()
        self.parameters, self.batch, self.symbols = map(int, head.split())
        rows = [list(map(float, row.split())) for row in rows]
        self.compute = [time for row in rows for time in row[:ranks]]
        self.sum, self.update, self.wall = ([row[i] for row in rows] for i in (-3, -2, -1))


def example(build, spread, copying, name, program, *arguments, small=2):
    """A model of an example: its mean step on one rank and thread; `spread`: how steps vary around theirs."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.json"
        run(build, 1, f"examples/{program}", *arguments, "--threads", "1", "--json", file)
        found = json.loads(file.read_text())
    step = found["training"]["seconds"] / found["settings"]["steps"]
    return Model(name, found["parameters"], [step * x for x in spread], 0.0, found["settings"]["batch"], copying, small)


def print_measured(build, options, network, copying):
    """Workload B on 1 and 2 ranks, in turn. Returns its model."""
    rounds = [[Steps(build, n, "B", options.steps) for n in (1, 2)] for _ in range(options.rounds)]
    alone, both = ([r[i] for r in rounds] for i in (0, 1))
    median = lambda of, what: statistics.median(x for steps in of for x in getattr(steps, what))  # noqa: E731
    compute = [x for steps in alone for x in steps.compute]
    model = Model("B of bench/", alone[0].parameters, compute, median(alone, "update"), alone[0].batch, copying)
    print(f"B, {model.size / 1e6:.1f} MB of gradients, one thread a rank, {alone[0].symbols} symbols a rank and step:\n")
    print(f"{'ranks':>6}{'compute':>10}{'sum':>8}{'update':>8}{'step ms':>9}{'symbols/s':>11}{'times':>7}{'model: sum':>13}{'step':>8}")
    rate = {}
    for n, of in ((1, alone), (2, both)):
        wall, predicted, sending = median(of, "wall"), model.step(n, network), model.sending(n, network)
        rate[n] = n * of[0].symbols / wall
        print(
            f"{n:6}{1e3 * median(of, 'compute'):10.1f}{1e3 * median(of, 'sum'):8.2f}{1e3 * median(of, 'update'):8.2f}"
            f"{1e3 * wall:9.1f}{rate[n]:11.0f}{rate[n] / rate[1]:7.2f}"
            f"{1e3 * sending:13.2f}{1e3 * predicted:8.1f} ({predicted / wall - 1:+.1%})"
        )
    return model


def print_simulated(models):
    counts = (8, 64, 1024)
    for name, (latency, bandwidth) in NETWORKS.items():
        network = Network(latency, bandwidth)
        print(f"\n{name}: {1e6 * latency:.0f} us a message, {bandwidth / 1e9:.1f} GB/s")
        print(f"{'':34}{'copies and sums, ms':^24}{'efficiency, batch a rank':^26}{'times as fast, one batch':^26}")
        heads = "".join(f"{n:8}" for n in counts)
        print(f"{'':20}{'MB':>6}{'ms':>8}{heads}{'':2}{heads}{'':2}{heads}{'accumulate':>12}")
        for m in models:
            sums = "".join(f"{1e3 * m.sending(n, network):8.2f}" for n in counts)
            weak = "".join(f"{m.efficiency(n, network):8.0%}" for n in counts)
            strong = "".join(f"{m.speedup(n, network):8.1f}" if n <= m.batch else f"{'-':>8}" for n in counts)
            enough = next((k for k in (1, 2, 4, 8, 16, 32, 64) if m.efficiency(1024, network, accumulate=k) >= 0.9), None)
            mean = statistics.fmean(m.compute) + m.update
            print(f"{m.name:20}{m.size / 1e6:6.2f}{1e3 * mean:8.1f}{sums}  {weak}  {strong}{enough or '> 64':>12}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="in each of them")
    options = parser.parse_args()
    build = options.build.resolve()
    print(f"{machine.processor()}, {machine.cores()} cores, heed {machine.commit()}")
    if machine.load() > 0.5:
        print(f"the machine is busy (load {machine.load():.2f}): take times with care")
    network, copying = measured_network(build)
    print(
        f"between 2 processes: {1e6 * network.latency:.1f} us a sum, {network.bandwidth / 1e9:.1f} GB/s; "
        f"copies {copying / 1e9:.1f} GB/s\n"
    )
    model = print_measured(build, options, network, copying)
    mean = statistics.fmean(model.compute)
    spread = [x / mean for x in model.compute]
    text = ["--steps", "30", "--every", "30", "--length", "1"]
    models = [
        example(build, spread, copying, "reverse", "reverse", "--steps", "300"),
        example(build, spread, copying, "nanogpt-cpu", "language_model", "--preset", "nanogpt-cpu", *text, small=1),
        example(build, spread, copying, "million", "language_model", "--preset", "million", *text, small=1),
        model,
    ]
    print_simulated(models)


if __name__ == "__main__":
    main()
