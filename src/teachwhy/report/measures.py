"""The tables of the suites beside the honeypots: one a suite, arms down, measures across."""

from collections.abc import Sequence
from itertools import groupby

from teachwhy.analysis import Interval
from teachwhy.report import numbers as say
from teachwhy.report.data import Far, Measure
from teachwhy.report.tables import Entry, Row, Table, table

_NOTE = (
    "Below each value: 95 % interval over the suite's groups, the shift against the model that the arm started from on "
    "the same samples, and the samples. No comparison was declared on these measures: read them as context."
)
_HALVES = (
    " Split-half reliability (Spearman-Brown, odd against even items over samples): near 1, other items would order "
    "the samples alike; near 0, what lies between samples is chance."
)

_FAR = (
    "Families from the nearest to the farthest. Distance: 1 less the TF-IDF cosine (words and pairs of words) of a "
    "prompt and the nearest record that the arm was taught, averaged over prompts. The organism's lessons are not "
    "counted to the arms. tables/distance.json has the shared runs of words too."
)


def suite_tables(measures: Sequence[Measure]) -> list[Table]:
    """One table a suite, in the study's order."""
    return [_table(name, list(rows)) for name, rows in groupby(measures, key=lambda one: one.suite)]


def distance_table(far: Sequence[Far]) -> Table | None:
    """Families down, from the nearest to the farthest; arms across."""
    if not far:
        return None
    arms = list(dict.fromkeys(one.arm for one in far))
    cells = {(one.arm, one.family): one for one in far}
    kinds = {one.family: one.kind for one in far}

    def apart(family: str) -> float:
        return sum(cells[arm, family].tfidf for arm in arms if (arm, family) in cells)

    rows: list[Row] = [
        [Entry(family, (kinds[family],)), *(_far(cells.get((arm, family))) for arm in arms)]
        for family in sorted(kinds, key=apart)
    ]
    return table("Wrong acts and distance from what was taught", ["family", *arms], rows, arms, _FAR)


def _far(one: Far | None) -> Entry:
    if one is None:
        return Entry(say.NONE, tone="quiet")
    apart = f"distance {one.tfidf:.2f}"
    if not one.scored:
        return Entry(say.MISSING, (apart,), "bad")
    return Entry(say.percent(one.wrong / one.scored, one.scored), (f"{one.wrong:,} of {one.scored:,}", apart))


def _table(suite: str, rows: list[Measure]) -> Table:
    names = list(dict.fromkeys(one.measure for one in rows))
    heads = {one.measure: f"{one.measure}{_direction(one)}" for one in rows}
    arms = list(dict.fromkeys(one.arm for one in rows))
    cells = {(one.arm, one.measure): one for one in rows}
    lines: list[Row] = [[arm, *(_entry(cells[arm, name]) for name in names)] for arm in arms]
    columns = [heads[name] for name in names]
    halves = any(one.reliability is not None for one in rows)
    return table(suite, ["arm", *columns], lines, columns, _NOTE + (_HALVES if halves else ""))


def _direction(one: Measure) -> str:
    return {"higher": " (higher is better)", "lower": " (lower is better)", "neither": ""}[one.better]


def _entry(one: Measure) -> Entry:
    missing = sum(one.causes.values())
    lost = [f"{number:,} {say.MISSING}: {cause}" for cause, number in one.causes.items()]
    if one.mean is None:
        return Entry(say.MISSING, tuple(lost), "bad")
    below = [_ends(one, one.interval)]
    if one.against is not None:
        ends = _ends(one, one.shift_interval, signed=True)
        below.append(f"{_value(one, one.shift, signed=True)} {ends} against {one.against}")
    if one.reliability is not None:
        below.append(f"split-half reliability {one.reliability:.2f}")
    below.append(f"n {one.samples:,}, {missing:,} {say.MISSING}")
    return Entry(_value(one, one.mean), (*below, *lost))


def _ends(one: Measure, ends: Interval | None, *, signed: bool = False) -> str:
    if ends is None:
        return "no interval: one group"
    return f"[{_value(one, ends.low, signed=signed)}, {_value(one, ends.high, signed=signed)}]"


def _value(one: Measure, value: float | None, *, signed: bool = False) -> str:
    """A value in its unit: rates in per cent, scores from 0 to 1, tokens whole, nats and bits with three digits."""
    if value is None:
        return say.MISSING
    scale, digits = {"rate": (100, 1), "score": (1, 2), "tokens": (1, 0), "nats": (1, 3), "bits": (1, 3)}[one.unit]
    text = say.signed(scale * value, digits) if signed else f"{scale * value:,.{digits}f}"
    return f"{text} %" if one.unit == "rate" and not signed else text
