"""The drawing of the manual: each figure as a bar beside the yardstick's, as SVG, made of the rows of a run."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, ROW_HEIGHT, BAR_HEIGHT, TOP = 760, 330, 90, 30, 14, 64
LONGEST_RATIO = 3.5
INK, PALE, BAR, LINE, PAPER = "#1f2933", "#5b6770", "#2b6cb0", "#c0392b", "#ffffff"


def drawing(rows: Sequence[tuple[str, float]]) -> str:
    """A bar for each name and ratio. The line at 1 is the yardstick: a shorter bar is quicker, or smaller."""
    height = TOP + ROW_HEIGHT * len(rows) + 24
    scale = (WIDTH - LEFT - RIGHT) / LONGEST_RATIO
    one = LEFT + scale
    said = "; ".join(f"{name}: {ratio:.2f}" for name, ratio in rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-size="14"',
        '     font-family="system-ui, sans-serif">',
        "<title>What things cost, as a ratio to the plain thing</title>",
        f"<desc>{escape(said)}</desc>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{PAPER}"/>',
        f'<text x="16" y="28" fill="{INK}" font-weight="600">Cost, times that of the plain thing</text>',
        f'<text x="{one + 6:.1f}" y="50" fill="{LINE}">1 x: the plain thing</text>',
        f'<line x1="{one:.1f}" y1="40" x2="{one:.1f}" y2="{height - 14}" stroke="{LINE}" stroke-dasharray="4 3"/>',
    ]
    for number, (name, ratio) in enumerate(rows):
        top = TOP + ROW_HEIGHT * number
        outline = f'fill="{INK}" stroke="{PAPER}" stroke-width="4" paint-order="stroke"'
        length = min(ratio, LONGEST_RATIO) * scale
        parts += [
            f'<text x="{LEFT - 12}" y="{top + 12}" text-anchor="end" fill="{PALE}">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR_HEIGHT}" rx="3" fill="{BAR}"/>',
            f'<text x="{LEFT + length + 8:.1f}" y="{top + 12}" {outline}>{ratio:.2f} x</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])
