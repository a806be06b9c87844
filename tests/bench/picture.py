# SPDX-License-Identifier: Apache-2.0
"""Where the time of one run goes, drawn: a bar for each hop, one behind the other, as wide as its
median."""

from html import escape

WIDTH, LEFT, RIGHT, ROW, TOP = 900, 150, 60, 34, 46
COLOURS = ["#4e79a7", "#f28e2b", "#76b7b2", "#e15759", "#59a14f", "#b07aa1"]


def text(x, y, words, kind=""):
    return f'<text x="{x:.0f}" y="{y:.0f}"{kind}>{escape(words)}</text>'


def bar(row, begin_ms, took_ms, scale):
    x, y = LEFT + begin_ms * scale, TOP + row * ROW
    width = max(1, took_ms * scale)
    colour = COLOURS[row % len(COLOURS)]
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="14" fill="{colour}"/>'


def draw(hops, names, texts):
    """hops: {name: {"p50_ms", "samples"}}; names: of those to draw, in their order."""
    whole_ms = sum(hops[name]["p50_ms"] for name in names)
    scale = (WIDTH - LEFT - RIGHT) / whole_ms
    height = TOP + ROW * len(names) + 10
    head = f"one run, trigger → verdict: medians of {hops[names[0]]['samples']} runs"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        text(10, 22, f"{head}; {whole_ms:.1f} ms in all", ' font-weight="bold"'),
    ]
    begin_ms = 0
    for row, name in enumerate(names):
        took_ms = hops[name]["p50_ms"]
        end = LEFT + (begin_ms + took_ms) * scale + 6
        lines += [
            text(10, TOP + row * ROW + 12, name),
            bar(row, begin_ms, took_ms, scale),
            text(end, TOP + row * ROW + 12, f"{took_ms:.1f}"),
            text(LEFT, TOP + row * ROW + 26, texts.get(name, ""), ' font-size="10" fill="#666"'),
        ]
        begin_ms += took_ms
    return "\n".join([*lines, "</svg>"]) + "\n"
