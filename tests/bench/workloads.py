#!/usr/bin/env python3
"""heed's workloads through the driver's protocol, one sample each: workloads.py BENCH_DRIVER BUILD

Each computes what PyTorch 1.13 computes from the same weights and inputs, with one thread and with two."""

import math
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from engines import HEED  # noqa: E402
from program import Program, names_of  # noqa: E402

# `check` of PyTorch's and (G) OpenBLAS's programs.
CHECKS = {
    "A": 2.7668967,
    "C": 3.8532590,
    "D-512": 0.058266541,
    "D-512-causal": 0.099357619,
    "E": 3.9441928,
    "F-softmax": 0.0019522592,
    "F-tanh": 0.82623708,
    "F-exp": 6.8094363,
    "F-layer-norm": 0.86579553,
    "F-softmax-backward": 0.00097029431,
    "F-layer-norm-backward": 0.21636868,
    "G-32": 1.5421345,
    "G-128x64": 2.1209802,
    "G-32x192x64": 2.1203838,
    "G-32x256x1024": 8.4099765,
}
# Seconds each, or a GB, and the same code in smaller.
LARGE = ("B", "D-2048", "D-2048-causal", "triad")


def faults(name, build):
    checks = []
    for threads in (1,) if name.startswith("G-") else (1, 2):
        program = Program(HEED, build, name, threads)
        program.sample()
        program.close()
        if program.process.returncode != 0 or not program.samples[0] > 0:
            yield f"{name}: status {program.process.returncode}, samples {program.samples}"
        checks.append(program.ready["check"])
    if checks[-1] != checks[0]:
        yield f"{name}: {checks[0]} by one thread, {checks[-1]} by two"
    if name in CHECKS and not math.isclose(checks[0], CHECKS[name], rel_tol=1e-4):
        yield f"{name}: {checks[0]}, expected {CHECKS[name]}"


def main():
    build = Path(sys.argv[2])
    names = [n for n in names_of(HEED, build) if n not in LARGE]
    missing = [n for n in CHECKS if n not in names]
    wrong = [f"{n} is missing" for n in missing] + [text for n in names for text in faults(n, build)]
    print("\n".join(wrong) or f"{len(names)} workloads run and compute what they should")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
