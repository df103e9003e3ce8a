"""What the rows of one model say: a mean and an interval a dimension, and two composites."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from scipy.stats import t

from teachwhy.errors import UserError, nearest
from teachwhy.evals.assessment.dimensions import Composite, all_dimensions
from teachwhy.evals.suite import Row

LEVEL = 0.95


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
    by_dimension: dict[str, dict[str, Row]] = {}
    for row in rows:
        held = by_dimension.setdefault(_known(row["measure"]), {})
        if row["sample_id"] in held:
            raise UserError(
                f"the sample '{row['sample_id']}' stands twice in '{row['measure']}'",
                where="rows",
                mend="summarise the rows of one model and run at a time",
            )
        held[row["sample_id"]] = row
    levels = {name: _level(list(by_dimension[name].values())) for name in sorted(by_dimension)}
    return Summary(levels, {kind: _composite(kind, by_dimension) for kind in ("bad", "good")})


def _known(measure: str) -> str:
    if measure not in all_dimensions():
        raise UserError(f"unknown dimension '{measure}'", where="rows", mend=nearest(measure, all_dimensions()))
    return measure


def members(kind: Composite) -> list[str]:
    """The dimensions that a composite is made of, as their front matter says."""
    return [d.id for d in all_dimensions().values() if d.meta.composite == kind]


def _composite(kind: Composite, by_dimension: Mapping[str, Mapping[str, Row]]) -> Level:
    held = [by_dimension[name] for name in members(kind) if name in by_dimension]
    samples = sorted({id for each in held for id in each})
    groups, lost = dict[str, list[float]](), 0
    for id in samples:
        found = [each[id] for each in held if id in each]
        values = [row["value"] for row in found if row["value"] is not None]
        if len(values) == len(held):
            groups.setdefault(found[0]["group"], []).append(fmean(values))
        else:
            lost += 1
    return _clustered(groups, {"incomplete": lost} if lost else {})


def _level(rows: Sequence[Row]) -> Level:
    groups: dict[str, list[float]] = {}
    for row in rows:
        if row["value"] is not None:
            groups.setdefault(row["group"], []).append(row["value"])
    lost = Counter(row["missing"] or "unstated" for row in rows if row["value"] is None)
    return _clustered(groups, dict(sorted(lost.items())))


def _clustered(groups: Mapping[str, Sequence[float]], missing: dict[str, int]) -> Level:
    """Mean of the seeds' means. Seeds are the independent units; repeats of one seed are not."""
    means = [fmean(values) for values in groups.values()]
    scored = sum(len(values) for values in groups.values())
    low, high = _interval(means) if len(means) > 1 else (None, None)
    return Level(fmean(means) if means else None, low, high, len(means), scored, missing)


def _interval(means: Sequence[float]) -> tuple[float, float]:
    """Student's interval of a mean, with one seed more at either end of the scale.

    The two are pseudo-observations in the spirit of Agresti and Coull (1998, The American Statistician 52): where all
    seeds agree, as they do on a fault that never shows, the plain interval would have no width. For 0 at 40 seeds it
    reaches to about 0.07, as the exact bound for zero events does.
    """
    filled = [*means, 0.0, 1.0]
    middle, count = fmean(filled), len(filled)
    half = float(t.ppf((1 + LEVEL) / 2, len(means) - 1)) * math.sqrt(variance(filled) / count)
    mean = fmean(means)
    return max(0.0, min(mean, middle - half)), min(1.0, max(mean, middle + half))
