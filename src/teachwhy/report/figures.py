"""The figures: dots and intervals, drawn with matplotlib to the same bytes from the same data."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

INK, QUIET, RULE, POTS, TWINS = "#1b1b1a", "#5d5d59", "#d5d4ce", "#a63d16", "#1d6391"
"""Colours of the files; in the page each becomes the CSS variable of the same name (see svg.py)."""

WIDTH = 3.9
"""Inches of one panel: on a telephone it is shown at about its own size, so its letters stay legible."""
_ROW, _KEY = 0.18, 0.35
_LINES = "lines: 95 %, thin by families and seeds, thick Wilson; small: single seeds"
LEFT, RIGHT, TOP, BOTTOM = 1.25, 0.2, 0.42, 0.5
LETTERS = 16
"""What fits to the left of the axes; names in full are in the tables and in what the figure says."""

_STYLE: dict[str, Any] = {
    "svg.hashsalt": "teachwhy",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "path.simplify": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": QUIET,
    "xtick.color": QUIET,
    "text.color": INK,
    "axes.titlecolor": INK,
}


@dataclass(frozen=True)
class Mark:
    """One dot: its value, its interval, and the values of single seeds.

    Attributes:
        value: None draws the word "missing".
        low, high: the interval that counts, drawn thin. inner: a narrower one, drawn thick over it.
        firm: False draws the dot hollow and the interval dashed.
    """

    value: float | None
    low: float | None
    high: float | None
    inner: tuple[float, float] | None = None
    seeds: tuple[float, ...] = ()
    firm: bool = True


@dataclass(frozen=True)
class Line:
    """One row of a panel: its label, and one mark or two (honeypots, twins), each with a note beside it."""

    label: str
    notes: tuple[str, ...]
    marks: tuple[Mark | None, ...]


@dataclass(frozen=True)
class Panel:
    """One set of axes. ``signed``: differences around zero in points, instead of rates from 0 to 100 %."""

    title: str
    lines: tuple[Line, ...]
    signed: bool = False
    says: str = ""


def draw(panels: Sequence[Panel], columns: int, form: str) -> bytes:
    """The panels in a grid.

    Args:
        form: "svg" or "png".
    """
    ours: Any = {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith("backend")} | _STYLE
    with matplotlib.rc_context(ours):  # whatever the reader's own matplotlibrc says
        figure = _figure(panels, columns)
        made = io.BytesIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a letter of an arm's name that DejaVu lacks
            if form == "svg":
                lone = {"Date": None, "Creator": None, "Format": None, "Type": None}
                figure.savefig(made, format="svg", metadata=lone, transparent=len(panels) == 1)
            else:
                figure.savefig(made, format="png", dpi=200, metadata={"Software": None})
    return made.getvalue()


def _figure(panels: Sequence[Panel], columns: int) -> Figure:
    rows = [panels[at : at + columns] for at in range(0, len(panels), columns)]
    heights = [TOP + BOTTOM + max(_inches(panel) for panel in row) for row in rows]
    key = _KEY if len(panels) > 1 else 0.0  # a panel on its own stands in the page, whose text says what is what
    width, height = WIDTH * min(columns, len(panels)), sum(heights) + key
    figure = Figure(figsize=(width, height))
    if key:
        for at, (text, colour) in enumerate((("● honeypots", POTS), ("■ benign twins", TWINS), (_LINES, QUIET))):
            figure.text((0.1 + 1.2 * at) / width, 0.5 * key / height, text, color=colour, fontsize=7.5, va="center")
    down = 0.0
    for row, tall in zip(rows, heights, strict=True):
        for at, panel in enumerate(row):
            inner = tall - TOP - BOTTOM
            box = (at * WIDTH + LEFT, height - down - TOP - inner, WIDTH - LEFT - RIGHT, inner)
            axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
            _panel(axes, panel)
        down += tall
    return figure


def _inches(panel: Panel) -> float:
    return sum(_tall(line) for line in panel.lines) or _ROW


def _tall(line: Line) -> float:
    return _ROW * (1 + len(line.marks))


def _panel(axes: Axes, panel: Panel) -> None:
    start = (0.1 - LEFT) / (WIDTH - LEFT - RIGHT)
    axes.set_title(cut(panel.title, 48), loc="left", fontsize=9.5, fontweight="bold", x=start)
    axes.set_ylim(_inches(panel), 0)  # one unit is one inch
    _scale(axes, panel)
    beside = blended_transform_factory(axes.transAxes, axes.transData)
    top = 0.0
    left: dict[str, Any] = {"transform": beside, "ha": "right", "va": "center"}
    for line in panel.lines:
        axes.text(-0.05, top + 0.7 * _ROW, cut(line.label, LETTERS), fontsize=8.5, **left)
        for at, (mark, note) in enumerate(zip(line.marks, line.notes, strict=True)):
            place, colour = top + (at + 1.5) * _ROW, (POTS, TWINS)[at]
            axes.text(-0.05, place, note, fontsize=7, color=QUIET if panel.signed else colour, **left)
            if mark is not None:
                _mark(axes, mark, place - (0.5 * _ROW if panel.signed else 0), colour, "os"[at], panel.signed)
        top += _tall(line)


def _scale(axes: Axes, panel: Panel) -> None:
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=8, length=3)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    if not panel.signed:
        axes.set_xlim(-3, 103)
        axes.set_xticks([0, 25, 50, 75, 100])
        axes.set_xlabel("rate, %", fontsize=8)
        return
    ends = [
        abs(end)
        for line in panel.lines
        for mark in line.marks
        if mark
        for end in (mark.low, mark.high, mark.value)
        if end is not None
    ]
    reach = 1.08 * max([0.1, *ends]) * 100
    axes.set_xlim(-reach, reach)
    axes.axvline(0, color=QUIET, linewidth=0.9)
    axes.set_xlabel("difference, points (left: fewer wrong acts)", fontsize=8)


def _mark(axes: Axes, mark: Mark, place: float, colour: str, shape: str, signed: bool) -> None:
    if mark.value is None:
        axes.text(0 if signed else 1, place, "missing", fontsize=7.5, color=colour, va="center", style="italic")
        return
    if mark.low is not None and mark.high is not None:
        style = "-" if mark.firm else (0, (2.5, 1.5))
        axes.plot(
            [100 * mark.low, 100 * mark.high],
            [place, place],
            color=colour,
            linewidth=1.0,
            linestyle=style,
            solid_capstyle="butt",
            clip_on=False,
        )
    if mark.inner is not None:
        axes.plot(
            [100 * end for end in mark.inner],
            [place, place],
            color=colour,
            linewidth=2.6,
            solid_capstyle="butt",
            clip_on=False,
        )
    if mark.seeds:
        axes.plot(
            [100 * seed for seed in mark.seeds],
            [place + 0.06] * len(mark.seeds),
            marker=shape,
            linestyle="none",
            markersize=2.6,
            markerfacecolor="none",
            markeredgecolor=colour,
            markeredgewidth=0.7,
            clip_on=False,
        )
    axes.plot(
        [100 * mark.value],
        [place],
        marker=shape,
        markersize=5 if shape == "o" else 4.4,
        color=colour,
        markerfacecolor=colour if mark.firm else "#ffffff",
        markeredgewidth=1.2,
        clip_on=False,
        linestyle="none",
    )


def cut(text: str, width: int) -> str:
    """The text, or its beginning and an ellipsis, in at most ``width`` characters."""
    return text if len(text) <= width else f"{text[: width - 1]}…"
