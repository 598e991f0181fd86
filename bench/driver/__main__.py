"""Runs the workloads, each in turn with the bounds and the peers, and prints a table: python3 bench/driver BUILD"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import machine
import table
from chart import chart
from engines import HEED, ISA, PEERS
from program import Program, median_start, names_of
from results import Measurement, Series

BOUNDS = ("peak", "triad")


def wanted(names, chosen):
    """Of all names those that are chosen: by name, or by what stands before the first '-'."""
    unknown = [c for c in chosen if not any(n == c or n.startswith(c + "-") for n in names)]
    if unknown:
        raise SystemExit(f"no workload is named {', '.join(unknown)}; there are {', '.join(names)}")
    return [n for n in names if not chosen or any(n == c or n.startswith(c + "-") for c in chosen)]


def pays_threads(workload):
    """Products alone are measured on one thread, and so are backwards of F, which are kernels alone."""
    return not workload.startswith("G-") and not workload.endswith("-backward")


def measure(options, workload, threads, peers):
    """A B A B: one sample of each per round."""

    def start(engine, name):
        return Program(engine, options.build, name, threads, options.isa)

    bounds = ["peak", "triad"] if workload.startswith("F-") else ["peak"]
    programs = {"heed": start(HEED, workload)}
    programs |= {b: start(HEED, b) for b in bounds}
    programs |= {name: start(engine, workload) for name, engine in peers.items()}
    for _ in range(options.samples):
        for program in programs.values():
            program.sample()
    series = {name: Series(p.samples, p.ready, p.libraries) for name, p in programs.items()}
    for program in programs.values():
        program.close()
    return Measurement(
        workload,
        threads,
        series["heed"],
        {name: series[name] for name in peers},
        {b: series[b] for b in bounds},
    )


def measure_all(options):
    own = names_of(HEED, options.build, options.isa)
    asked = PEERS if options.peers else {}
    having = {name: names_of(engine, options.build, options.isa) for name, engine in asked.items()}
    measurements = []
    print(table.HEADER)
    for workload in wanted([n for n in own if n not in BOUNDS], options.workloads):
        for threads in options.threads if pays_threads(workload) else options.threads[:1]:
            peers = {
                name: engine
                for name, engine in asked.items()
                if workload in having[name] and threads <= (engine.most_threads or threads)
            }
            measurements.append(measure(options, workload, threads, peers))
            print("\n".join(table.lines_of(measurements[-1])), flush=True)
    return measurements


def write(options, about, measurements):
    """JSON with all samples, and the picture."""
    options.output.mkdir(parents=True, exist_ok=True)
    content = {"machine": about, "measurements": [dataclasses.asdict(m) for m in measurements]}
    (options.output / "workloads.json").write_text(json.dumps(content, indent=1))
    picture = chart(measurements, f"{about['processor']}, {about['isa']}, {options.samples} samples each")
    if picture:
        (options.output / "workloads.svg").write_text(picture)
    return options.output / "workloads.*"


def parse():
    parser = argparse.ArgumentParser("bench/driver", description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("workloads", nargs="*", help="A, B, ..., or one: D-512; default: all")
    parser.add_argument("--peers", action="store_true", help="beside those of -Dpeers=enabled")
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--quick", action="store_const", const=5, dest="samples", help="5 samples")
    parser.add_argument("--threads", type=lambda t: [int(n) for n in t.split(",")], default=sorted({1, machine.cores()}))
    parser.add_argument("--isa", choices=ISA, help="hold every program to these instructions")
    parser.add_argument("--output", type=Path, help="folder for workloads.json and .svg; default: BUILD/bench")
    options = parser.parse_intermixed_args()
    options.output = options.output or options.build / "bench"
    return options


def main():
    options = parse()
    about = machine.description(options.isa)
    print(f"{about['processor']}, {about['cores']} cores, {about['system']}; {about['isa']}; heed {about['heed']}")
    if about["load_before"] > 0.3:
        print(f"the machine is busy (load {about['load_before']}): take times with care")
    measurements = measure_all(options)
    start_ms = None if options.workloads else median_start(options.build / "bench/start", options.samples)
    print()
    print("\n".join(table.summary(measurements, start_ms)))
    print(f"\nwritten: {write(options, {**about, 'start_ms': start_ms}, measurements)}")
    wrong = [text for m in measurements for text in m.disagreements()]
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
