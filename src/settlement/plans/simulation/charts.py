"""Charts as inline SVG, drawn from values: columns, and lines over time. No script, nothing fetched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 76, 26, 14, 58
_LONGEST_LABEL = 18


@dataclass(frozen=True, slots=True)
class Series:
    """One row of values with its name in both languages and its colour's class."""

    name: str
    style: str
    values: Sequence[int]


def columns(labels: Sequence[str], series: Sequence[Series], written: Callable[[int], str]) -> str:
    """Draw groups of columns, values below zero downwards; `written` writes a value."""
    scale = _Scale([value for each in series for value in each.values])
    parts = [*_grid(scale, written)]
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    wide = min(34.0, step * 0.78 / len(series))
    slanted = any(_width(label) > step for label in labels)
    for at, label in enumerate(labels):
        middle = LEFT + step * (at + 0.5)
        for number, each in enumerate(series):
            value = each.values[at]
            x = middle + wide * (number - len(series) / 2)
            top, bottom = sorted((scale.y(value), scale.y(0)))
            said = f"<title>{escape(label)} · {escape(each.name)}: {escape(written(value))}</title>"
            size = f'x="{x:.1f}" y="{top:.1f}" width="{wide * 0.92:.1f}" height="{max(bottom - top, 0.6):.1f}" rx="2"'
            parts.append(f'<rect class="{each.style}" {size}>{said}</rect>')
        parts.append(_label(middle, label, slanted=slanted))
    return _svg(parts)


def lines(labels: Sequence[str], series: Sequence[Series], written: Callable[[int], str]) -> str:
    """Draw values over time, one line each; the zero line is strong, what is below it is debt."""
    scale = _Scale([value for each in series for value in each.values])
    parts = [*_grid(scale, written)]
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels) - 1)
    every = max(1, -(-len(labels) // 8))
    for each in series:
        points = [(LEFT + step * at, scale.y(value)) for at, value in enumerate(each.values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="line {each.style}" points="{path}"/>')
        for (x, y), label, value in zip(points, labels, each.values, strict=True):
            said = f"<title>{escape(label)} · {escape(each.name)}: {escape(written(value))}</title>"
            parts.append(f'<circle class="{each.style}" cx="{x:.1f}" cy="{y:.1f}" r="3">{said}</circle>')
    parts += [_label(LEFT + step * at, label) for at, label in enumerate(labels) if at % every == 0]
    return _svg(parts)


class _Scale:
    """Values to heights, with round steps between."""

    def __init__(self, values: Sequence[int]) -> None:
        low, high = min(0, *values, 0), max(0, *values, 1)
        self.step = _round_step((high - low) / 4)
        self.low = floor(low / self.step) * self.step
        self.high = -floor(-high / self.step) * self.step

    def y(self, value: int) -> float:
        """Return how far from the top a value is drawn."""
        return TOP + (self.high - value) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def steps(self) -> list[int]:
        """Return the values of the grid."""
        return list(range(self.low, self.high + 1, self.step))


def _round_step(least: float) -> int:
    power = 10 ** max(0, floor(log10(max(1.0, least))))
    return next(int(power * factor) for factor in (1, 2, 5, 10) if power * factor >= least)


def _grid(scale: _Scale, written: Callable[[int], str]) -> list[str]:
    parts = []
    for value in scale.steps():
        y = scale.y(value)
        style = "zero" if value == 0 else "grid"
        parts.append(f'<line class="{style}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="value" x="{LEFT - 8}" y="{y + 4:.1f}">{escape(written(value))}</text>')
    return parts


def _label(x: float, label: str, *, slanted: bool = False) -> str:
    short = label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
    y = HEIGHT - BOTTOM + 18
    turned = f' transform="rotate(-30 {x:.1f} {y})" style="text-anchor:end"' if slanted else ""
    return f'<text class="label" x="{x:.1f}" y="{y}"{turned}>{escape(short)}</text>'


def _width(label: str) -> float:
    """Return about how wide a label is drawn, with some space beside it."""
    return 8 + sum(12.0 if character > "\u2e80" else 6.8 for character in label[:_LONGEST_LABEL])


def _svg(parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'
