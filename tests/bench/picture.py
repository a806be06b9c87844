# SPDX-License-Identifier: Apache-2.0
"""Where the time of one run goes, drawn from its trace: a bar for each span, where it begins and
as long as it takes."""

from html import escape

WIDTH, LEFT, RIGHT, ROW, TOP = 900, 230, 130, 34, 46
COLOURS = ["#4e79a7", "#f28e2b", "#76b7b2", "#e15759", "#59a14f", "#b07aa1"]


def text(x, y, words, kind=""):
    return f'<text x="{x:.0f}" y="{y:.0f}"{kind}>{escape(words)}</text>'


def bar(row, begin_ms, end_ms, scale):
    x, y = LEFT + begin_ms * scale, TOP + row * ROW
    width = max(1, (end_ms - begin_ms) * scale)
    colour = COLOURS[row % len(COLOURS)]
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="14" fill="{colour}"/>'


def draw(spans, samples, texts):
    """spans: [(name, service, ms at which it begins, ms at which it ends)], in their order."""
    whole_ms = max(end_ms for _, _, _, end_ms in spans)
    scale = (WIDTH - LEFT - RIGHT) / whole_ms
    height = TOP + ROW * len(spans) + 10
    head = f"spans of one run, trigger → verdict: medians of {samples} traces"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        text(10, 22, f"{head}; {whole_ms:.1f} ms in all", ' font-weight="bold"'),
    ]
    for row, (name, service, begin_ms, end_ms) in enumerate(spans):
        y = TOP + row * ROW + 12
        lines += [
            text(10, y, f"{name} ({service})"),
            bar(row, begin_ms, end_ms, scale),
            text(LEFT + end_ms * scale + 6, y, f"{begin_ms:.1f} – {end_ms:.1f} ms"),
            text(LEFT, y + 14, texts.get(name, ""), ' font-size="10" fill="#666"'),
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"
