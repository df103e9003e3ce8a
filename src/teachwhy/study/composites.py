"""What the assessment's rows of one model say: a mean and an interval a dimension, and two composites."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import pandas as pd

from teachwhy.analysis.means import RATE, over_groups
from teachwhy.errors import UserError, nearest
from teachwhy.evals.assessment.dimensions import Composite, all_dimensions
from teachwhy.evals.suite import Row


@dataclass(frozen=True)
class Level:
    """A mean on the scale 0 to 1, each seed weighing the same, with its 95 % interval over seeds.

    ``mean`` is None where nothing was scored, the interval where fewer than two seeds were: one seed says nothing about
    another. ``missing``: cause to number of rows (samples, for a composite).
    """

    mean: float | None
    low: float | None
    high: float | None
    seeds: int
    scored: int
    missing: dict[str, int]


@dataclass(frozen=True)
class Summary:
    """Dimensions by id; composites "bad" (lower is better) and "good" (higher is better)."""

    dimensions: dict[str, Level]
    composites: dict[Composite, Level]


def summarise(rows: Sequence[Row]) -> Summary:
    """The summary of one model's rows.

    A composite of a sample is the mean over the dimensions whose front matter names it, among those that the rows
    have. It is missing ("incomplete") where any of them is: a mean over what happens to be left would compare
    different dimensions.

    Raises:
        UserError: a row of an unknown dimension, or a sample twice in one dimension.
    """
    by_dimension = _by_dimension(rows)
    levels = {name: _level(list(by_dimension[name].values())) for name in sorted(by_dimension)}
    return Summary(levels, {kind: _composite(kind, by_dimension) for kind in ("bad", "good")})


def complete(rows: Sequence[Row], kind: Composite) -> dict[str, tuple[str, float | None]]:
    """One composite of every sample of one model: sample id to its seed and its value, None where a member is missing.

    Raises:
        UserError: see ``summarise``.
    """
    return _complete(kind, _by_dimension(rows))


def _by_dimension(rows: Sequence[Row]) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        held = found.setdefault(_known(row["measure"]), {})
        if row["sample_id"] in held:
            raise UserError(
                f"the sample '{row['sample_id']}' stands twice in '{row['measure']}'",
                where="rows",
                mend="summarise the rows of one model and run at a time",
            )
        held[row["sample_id"]] = row
    return found


def _known(measure: str) -> str:
    if measure not in all_dimensions():
        raise UserError(f"unknown dimension '{measure}'", where="rows", mend=nearest(measure, all_dimensions()))
    return measure


def members(kind: Composite) -> list[str]:
    """The dimensions that a composite is made of, as their front matter says."""
    return [d.id for d in all_dimensions().values() if d.meta.composite == kind]


def _composite(kind: Composite, by_dimension: Mapping[str, Mapping[str, Row]]) -> Level:
    groups, lost = dict[str, list[float]](), 0
    for seed, value in _complete(kind, by_dimension).values():
        if value is None:
            lost += 1
        else:
            groups.setdefault(seed, []).append(value)
    return _clustered(groups, {"incomplete": lost} if lost else {})


def _complete(kind: Composite, by_dimension: Mapping[str, Mapping[str, Row]]) -> dict[str, tuple[str, float | None]]:
    held = [by_dimension[name] for name in members(kind) if name in by_dimension]
    made: dict[str, tuple[str, float | None]] = {}
    for id in sorted({id for each in held for id in each}):
        found = [each[id] for each in held if id in each]
        values = [row["value"] for row in found if row["value"] is not None]
        made[id] = (found[0]["group"], fmean(values) if len(values) == len(held) else None)
    return made


def _level(rows: Sequence[Row]) -> Level:
    groups: dict[str, list[float]] = {}
    for row in rows:
        if row["value"] is not None:
            groups.setdefault(row["group"], []).append(row["value"])
    lost = Counter(row["missing"] or "unstated" for row in rows if row["value"] is None)
    return _clustered(groups, dict(sorted(lost.items())))


def _clustered(groups: Mapping[str, Sequence[float]], missing: dict[str, int]) -> Level:
    """Mean of the seeds' means. Seeds are the independent units; repeats of one seed are not."""
    pairs = [(seed, value) for seed, values in groups.items() for value in values]
    names, values = pd.Series([seed for seed, _ in pairs], dtype=str), pd.Series([v for _, v in pairs], dtype=float)
    mean, low, high = over_groups(values, names, RATE)
    return Level(mean, low, high, len(groups), len(pairs), missing)
