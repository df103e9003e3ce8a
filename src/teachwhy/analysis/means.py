"""Means of measures that no comparison was declared on, with groups as the units."""

import pandas as pd
from scipy import stats


def over_groups(values: pd.Series, groups: pd.Series) -> tuple[float | None, float | None, float | None]:
    """Mean of group means with a 95 % t interval; groups are the units. None where there are fewer than two.

    Args:
        values: one number a sample.
        groups: the group of each sample: a family, a section, a seed file, a topic.
    """
    means = values.groupby(groups).mean()
    if len(means) < 2:
        return (float(means.mean()) if len(means) else None), None, None
    half = float(stats.t.ppf(0.975, len(means) - 1)) * float(means.std(ddof=1)) / len(means) ** 0.5
    centre = float(means.mean())
    return centre, centre - half, centre + half
