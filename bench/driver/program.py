"""A program that lets itself be measured (support/protocol.hpp): one process, a line per sample."""

import json
import os
import subprocess
import time
from statistics import median

from engines import loaded_libraries


def names_of(engine, build, isa=None):
    """The workloads that a program has."""
    path = engine.path(build, isa)
    if not path.exists():
        raise SystemExit(f"{path} is missing: was {build} configured with -Dpeers=enabled and built?")
    run = subprocess.run([path], env=engine.environment(1, isa), capture_output=True, text=True, check=True)
    return run.stdout.split()


def median_start(path, samples):
    """Milliseconds that a process takes from its start to its end."""

    def once():
        begin = time.perf_counter()
        subprocess.run([path], check=True)
        return 1e3 * (time.perf_counter() - begin)

    return median(once() for _ in range(samples))


def stay_on_one_core():
    """All programs with one thread on the same core: on a shared machine one may be half as fast as another."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


class Program:
    def __init__(self, engine, build, workload, threads, isa=None):
        path = engine.path(build, isa)
        self.what = f"{path.name} {workload} {threads}"
        self.process = subprocess.Popen(
            [path, workload, str(threads)],
            env=engine.environment(threads, isa),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=stay_on_one_core if threads == 1 else None,
        )
        first, _, rest = self._line().partition(" ")
        if first != "ready":
            raise SystemExit(f"{self.what}: said '{first} {rest}', expected 'ready'")
        self.ready = json.loads(rest)
        self.samples = []  # milliseconds of one repetition
        self.libraries = loaded_libraries(self.process.pid)
        if engine.library and not any(engine.library in path for path in self.libraries):
            raise SystemExit(f"{self.what}: loaded {self.libraries}, expected one of {engine.library}")

    def sample(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.samples.append(float(self._line()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.what}: ended with status {self.process.wait()}")
        return line.strip()
