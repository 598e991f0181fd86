"""What the driver prints."""

import math

from floors import all_floors, published
from results import threads_text

HEADER = (
    f"{'workload':22}{'threads':>8}{'heed ms':>10}{'least':>10}{'of bound':>9}  "
    f"{'peer':9}{'peer ms':>10}{'least':>10}{'ratio':>7}{'least':>7}"
)


def number(x):
    """Four significant digits, without an exponent."""
    return f"{x:.{max(0, 3 - math.floor(math.log10(x)))}f}"


def lines_of(m):
    """A line for each peer, heed's own columns in the first."""
    share = f"{100 * m.share:.0f}%" if m.share else ""
    own = f"{m.workload:22}{m.threads:8}{number(m.heed.median):>10}{number(m.heed.least):>10}{share:>9}"
    if not m.peers:
        yield own
    for name, peer in m.peers.items():
        ratio, of_least = m.ratio(name), m.ratio(name, lambda series: series.least)
        yield f"{own:59}  {name:9}{number(peer.median):>10}{number(peer.least):>10}{ratio:7.2f}{of_least:7.2f}"
        own = ""


def bounds_text(measurements):
    """The bounds, by number of threads; a median of all rounds."""
    for unit, key, name in (("flop", "peak", "GFLOP/s, multiply-adds in registers"), ("bytes", "triad", "GB/s, triad")):
        seen = {}
        for m in measurements:
            if key in m.bounds:
                seen.setdefault(m.threads, []).append(m.bounds[key].ready[unit] / m.bounds[key].median / 1e6)
        for threads, values in sorted(seen.items()):
            yield f"{threads_text(threads)}: {sorted(values)[len(values) // 2]:.1f} {name}"


def summary(measurements, start_ms=None):
    """What follows the table."""
    yield from bounds_text(measurements)
    figures = list(published(measurements))
    if figures:
        yield ""
        yield "scaled from a published figure on another machine (by the peak; not measured here):"
    for m, who, time, ratio in figures:
        yield f"  {m.workload:10}{threads_text(m.threads):9} {who:6}{number(time):>10} ms  {ratio:6.2f} times heed's"
    tiled = [m for m in measurements if m.workload.startswith("D-") and m.share]
    if tiled:
        yield ""
        yield "D by the seven products of a backward that recomputes one:"
    for m in tiled:
        yield f"  {m.workload:14}{threads_text(m.threads):9} {100 * 7 / 6 * m.share:.0f}% of the bound"
    floors = list(all_floors(measurements, start_ms))
    if floors:
        yield ""
        yield f"floors: {sum(f.met for f in floors)} of {len(floors)} met"
        yield from (f"  {f}" for f in floors)
