"""A bar for each workload: how many times as long the fastest peer takes."""

import math

import svg
from engines import PEERS
from results import threads_text

LEFT, WIDTH, TOP, ROW, RIGHT = 230, 430, 64, 20, 190
TICKS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256)


def chart(measurements, subtitle):
    """SVG of all that have a peer; None if none has."""
    rows = [m for m in measurements if m.peers]
    if not rows:
        return None
    ratios = [m.ratio(m.best_peer) for m in rows]
    low = max(t for t in TICKS if t <= min(*ratios, 1) or t == TICKS[0])
    high = min(t for t in TICKS if t >= max(*ratios, 2) or t == TICKS[-1])

    def x(ratio):
        ratio = min(max(ratio, low), high)
        return LEFT + WIDTH * math.log(ratio / low) / math.log(high / low)

    bottom = TOP + ROW * len(rows)
    parts = [
        svg.text(LEFT, 20, "Time of the fastest peer, in times of heed's", extra="font-weight='bold'"),
        svg.text(LEFT, 37, subtitle, extra="font-size='11' fill='#555555'"),
    ]
    for tick in (t for t in TICKS if low <= t <= high):
        parts += [
            svg.line(x(tick), TOP - 4, x(tick), bottom, "#222222" if tick == 1 else "#dddddd"),
            svg.text(x(tick), TOP - 8, f"{tick:g}", "middle", "font-size='11'"),
        ]
    for i, (m, ratio) in enumerate(zip(rows, ratios)):
        y = TOP + ROW * i
        colour = svg.COLOURS[list(PEERS).index(m.best_peer)]
        parts += [
            svg.text(LEFT - 10, y + 14, f"{m.workload}, {threads_text(m.threads)}", "end"),
            svg.box(min(x(1), x(ratio)), y + 3, abs(x(ratio) - x(1)), ROW - 6, colour),
            svg.text(max(x(ratio), x(1)) + 6, y + 14, f"{ratio:.2f}  {m.best_peer}", extra=svg.HALO),
        ]
    return svg.page(LEFT + WIDTH + RIGHT, bottom + 16, parts)
