"""The few shapes that the pictures are made of."""

from xml.sax.saxutils import escape

COLOURS = ("#2f6f9f", "#c8702a", "#4d8a57", "#8b5a96", "#8a8a8a")
HALO = "paint-order='stroke' stroke='#ffffff' stroke-width='3'"  # of text upon lines
FONT = "font-family='Helvetica, Arial, sans-serif' font-size='12'"


def text(x, y, content, anchor="start", extra=""):
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {extra}>{escape(content)}</text>"


def line(x1, y1, x2, y2, colour="#cccccc", width=1.0):
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' stroke-width='{width}'/>"


def box(x, y, width, height, colour):
    return f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(width, 0.5):.1f}' height='{height:.1f}' fill='{colour}'/>"


def dot(x, y, colour):
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{colour}'/>"


def path(points, colour):
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polyline points='{joined}' fill='none' stroke='{colour}' stroke-width='1.8'/>"


def page(width, height, parts):
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
            f"viewBox='0 0 {width} {height}' {FONT} fill='#222222'>",
            box(0, 0, width, height, "#ffffff"),
            *parts,
            "</svg>",
            "",
        ]
    )
