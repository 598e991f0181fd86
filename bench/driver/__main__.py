"""Runs the workloads, in turn with what they are held against, and prints a table: python3 bench/driver BUILD"""

import argparse
import os
from pathlib import Path
from statistics import median

from program import Program, names_of


def wanted(names, chosen):
    """Of all names those that are chosen: by name, or by what stands before the first '-'."""
    unknown = [c for c in chosen if not any(n == c or n.startswith(c + "-") for n in names)]
    if unknown:
        raise SystemExit(f"no workload is named {', '.join(unknown)}; there are {', '.join(names)}")
    return [n for n in names if not chosen or any(n == c or n.startswith(c + "-") for c in chosen)]


def main():
    parser = argparse.ArgumentParser("bench/driver", description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("workloads", nargs="*", help="A, B, ..., or one: D-512; default: all")
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--quick", action="store_const", const=5, dest="samples", help="5 samples")
    parser.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=sorted({1, os.cpu_count()}))
    options = parser.parse_intermixed_args()

    heed = options.build / "bench/workloads_heed"
    environment = dict(os.environ)
    names = [n for n in names_of(heed, environment) if n not in ("peak", "triad")]
    print(f"{'workload':22} {'threads':>7} {'median ms':>10} {'least':>10} {'of the peak':>12}")
    for name in wanted(names, options.workloads):
        for threads in options.threads:
            programs = [Program(heed, w, threads, environment) for w in (name, "peak")]
            for _ in range(options.samples):
                for program in programs:
                    program.sample()
            work, peak = programs
            time = median(work.samples)
            bound = work.ready["flop"] / peak.ready["flop"] * median(peak.samples)
            share = f"{100 * bound / time:11.0f}%" if bound else ""
            print(f"{name:22} {threads:7} {time:10.4g} {min(work.samples):10.4g} {share:>12}", flush=True)
            for program in programs:
                program.close()


if __name__ == "__main__":
    main()
