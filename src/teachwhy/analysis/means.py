"""Means with intervals over groups: the one way in which measures are averaged that no comparison was declared on."""

from typing import Literal

import pandas as pd
from scipy import stats

from .intervals import LEVEL, at_most

Ends = tuple[Literal[0, -1], Literal[1]]
"""The least and the greatest value that there can be."""
RATE: Ends = (0, 1)
SHIFT: Ends = (-1, 1)


def over_groups(
    values: pd.Series, groups: pd.Series, ends: Ends | None = None
) -> tuple[float | None, float | None, float | None]:
    """Mean of group means with a 95 % t interval; groups are the units. None where there are fewer than two.

    Where values have ends, no interval is narrower than the exact bound for an event that was never seen
    (``intervals.at_most``): over all values, and over the groups if these agree to the last digit, as they do on a
    fault that never shows. Student's interval alone would print such agreement as certainty.

    Args:
        values: one number a sample.
        groups: the group of each sample: a family, a section, a seed file, a topic.
        ends: of rates and scores, and of their differences; None for measures without a scale.
    """
    means = values.groupby(groups).mean()
    if len(means) < 2:
        return (float(means.mean()) if len(means) else None), None, None
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(means) - 1)) * float(means.std(ddof=1)) / len(means) ** 0.5
    centre = float(means.mean())
    if ends is None:
        return centre, centre - half, centre + half
    half = max(half, at_most(len(means) if means.nunique() == 1 else len(values)))
    return centre, max(float(ends[0]), centre - half), min(float(ends[1]), centre + half)
