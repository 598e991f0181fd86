"""A program that lets itself be measured (support/protocol.hpp): one process, a line per sample."""

import json
import subprocess


def names_of(path, environment):
    """The workloads that a program has."""
    run = subprocess.run([path], env=environment, capture_output=True, text=True, check=True)
    return run.stdout.split()


class Program:
    def __init__(self, path, workload, threads, environment):
        self.what = f"{path.name} {workload} {threads}"
        self.process = subprocess.Popen(
            [path, workload, str(threads)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        first, _, rest = self._line().partition(" ")
        if first != "ready":
            raise SystemExit(f"{self.what}: said '{first} {rest}', expected 'ready'")
        self.ready = json.loads(rest)
        self.samples = []  # milliseconds of one repetition

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
