"""How cost grows: runs bench/growth, prints its table with slopes, draws it: python3 bench/driver/growth.py BUILD"""

import argparse
import math
import os
import subprocess
from pathlib import Path

import machine
import svg
from results import slope, threads_text

TITLES = {  # name: what it is, what its size is
    "tiled": ("tiled attention (dot_attention), 8 heads of 64", "tokens"),
    "materialised": ("the same by matmul, softmax, matmul", "tokens"),
    "additive": ("additive attention, 32 rows of 16 queries", "slots"),
    "gru": ("GRU, 32 rows of 16 steps", "hidden"),
}
COLUMNS = (("tiled", "materialised"), ("additive",), ("gru",))  # of the picture
LAST = 4  # sizes that a slope is taken over: three doublings


def read(lines):
    """{name: [(size, ms, bytes), ...]}"""
    series = {}
    for line in lines:
        name, size, ms, memory = line.split()
        series.setdefault(name, []).append((int(size), float(ms), int(memory)))
    return series


def slopes(points):
    """Powers with which time and memory grow at the end."""
    sizes, times, memory = zip(*points[-LAST:])
    return slope(sizes, times), slope(sizes, memory)


def table(name, points):
    title, unit = TITLES[name]
    yield f"{title}\n{unit:>10}{'ms':>12}{'times':>8}{'MB':>12}{'times':>8}"
    before = None
    for size, ms, memory in points:
        growth = ("", "") if before is None else (f"{ms / before[1]:.2f}", f"{memory / before[2]:.2f}")
        yield f"{size:10}{ms:12.3f}{growth[0]:>8}{memory / 1e6:12.2f}{growth[1]:>8}"
        before = size, ms, memory
    if len(points) > 1:
        of_time, of_memory = slopes(points)
        doublings = min(LAST, len(points)) - 1
        yield f"{'slope':>10}{of_time:12.2f}{'':8}{of_memory:12.2f}     of the last {doublings} doublings\n"


class Panel:
    """One plot with both axes logarithmic, ticks at powers of 10 upwards and of 2 along."""

    WIDTH, HEIGHT = 300, 220

    def __init__(self, left, top, series, which, unit):
        self.left, self.top = left, top
        self.lines = {name: [(p[0], p[which] * unit) for p in points] for name, points in series.items()}
        self.slopes = {n: slopes(points)[which - 1] for n, points in series.items() if len(points) > 1}
        values = [value for points in self.lines.values() for _, value in points]
        self.sizes = sorted({size for points in self.lines.values() for size, _ in points})
        self.low = math.floor(math.log10(min(values)))
        self.high = math.ceil(math.log10(max(values)) + 1e-9)

    def at(self, size, value):
        first, last = math.log(self.sizes[0]), math.log(self.sizes[-1])
        along = (math.log(size) - first) / ((last - first) or 1)
        up = (math.log10(value) - self.low) / ((self.high - self.low) or 1)
        return self.left + self.WIDTH * along, self.top + self.HEIGHT * (1 - up)

    def axes(self, title):
        right, bottom = self.left + self.WIDTH, self.top + self.HEIGHT
        yield svg.text(self.left, self.top - 10, title, extra="font-weight='bold'")
        yield svg.text(self.left + self.WIDTH / 2, bottom + 33, TITLES[next(iter(self.lines))][1], "middle")
        for power in range(self.low, self.high + 1):
            y = self.at(self.sizes[0], 10.0**power)[1]
            yield svg.line(self.left, y, right, y, "#dddddd")
            yield svg.text(self.left - 6, y + 4, f"{10.0**power:g}", "end", "font-size='11'")
        for i, size in enumerate(reversed(self.sizes)):
            x = self.at(size, 10.0**self.low)[0]
            yield svg.line(x, bottom, x, bottom + 4, "#222222")
            if i % 2 == 0:
                yield svg.text(x, bottom + 17, f"{size:,}", "middle", "font-size='11'")

    def curves(self):
        for i, (name, line) in enumerate(self.lines.items()):
            points = [self.at(size, value) for size, value in line]
            yield svg.path(points, svg.COLOURS[i])
            yield from (svg.dot(x, y, svg.COLOURS[i]) for x, y in points)
            if name in self.slopes:  # in the corner that a growing curve leaves empty
                x, y = self.left + self.WIDTH - 8, self.top + self.HEIGHT - 12 - 17 * (len(self.lines) - 1 - i)
                yield svg.text(x, y, f"slope {self.slopes[name]:.2f}", "end", f"fill='{svg.COLOURS[i]}'")


def picture(series, subtitle):
    """Two rows, time and memory; a column for each kind of size."""
    columns = [{n: series[n] for n in names if n in series} for names in COLUMNS]
    columns = [part for part in columns if part]
    parts = [svg.text(70, 20, subtitle, extra="font-size='11' fill='#555555'")]
    for column, part in enumerate(columns):
        left = 70 + 390 * column
        for i, name in enumerate(part):
            parts.append(svg.text(left, 42 + 16 * i, TITLES[name][0], extra=f"fill='{svg.COLOURS[i]}'"))
        for row, (title, unit) in enumerate((("milliseconds", 1), ("peak memory, MB", 1e-6))):
            panel = Panel(left, 100 + 300 * row, part, row + 1, unit)
            parts += [*panel.axes(title), *panel.curves()]
    return svg.page(70 + 390 * len(columns), 680, parts)


def promises(points):
    """Of tiled attention: memory grows with the tokens, not with their square."""
    factor = max(b[2] / a[2] for a, b in zip(points, points[1:]))
    yield f"tiled attention: memory grows at most {factor:.2f} times per doubling (floor: 2.2)"
    yield from (f"16,384 tokens at batch 1: {b / 1e9:.2f} GB (floor: 1)" for size, _, b in points if size == 16384)


def main():
    parser = argparse.ArgumentParser("bench/driver/growth.py", description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("--longest", type=int, default=16384, help="the most tokens of attention")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, help="folder for growth.svg; default: BUILD/bench")
    options = parser.parse_args()
    about = machine.description(None)
    where = f"{about['processor']}, {threads_text(options.threads)}"
    print(f"{where}; heed {about['heed']}; forward and backward\n", flush=True)
    environment = {**os.environ, "HEED_NUM_THREADS": str(options.threads)}
    program = [options.build / "bench/growth", str(options.longest)]
    run = subprocess.run(program, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    series = read(run.stdout.splitlines())
    for name, points in series.items():
        print("\n".join(table(name, points)), flush=True)
    print("\n".join(promises(series["tiled"])))
    output = options.output or options.build / "bench"
    output.mkdir(parents=True, exist_ok=True)
    (output / "growth.svg").write_text(picture(series, where))
    print(f"written: {output / 'growth.svg'}")


if __name__ == "__main__":
    main()
