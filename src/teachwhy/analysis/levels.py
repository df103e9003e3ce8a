"""Rates by the level of a factor: read as description, since no comparison was declared on them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from .frame import UNTRAINED
from .rates import rate_of
from .results import Rate, Result


class LevelRate(Result):
    """The rate of any wrong act of one arm at one level of one factor."""

    factor: str
    level: str
    arm: str
    rate: Rate


def level_rates(rows: Iterable[Mapping[str, Any]], factors: Sequence[str], arms: Sequence[str]) -> list[LevelRate]:
    """Every factor that takes at least two levels in these rows, level by level, arm by arm.

    Args:
        rows: of one evaluation: arm, seed, sample_id, family, any (true, false, None) and the factors' columns. A row
            in which a factor is None (it has no such factor) does not enter that factor's rates.
        factors: columns, in the order in which they are given back. arms: likewise.
    """
    frame = pd.DataFrame(list(rows))
    found = []
    for factor in factors:
        if factor not in frame:
            continue
        held = frame[frame[factor].notna()]
        named = held.assign(level=[_name(value) for value in held[factor]])
        for level in sorted(set(named["level"])) if named["level"].nunique() > 1 else []:
            part = named[named["level"] == level]
            found += [_rate(factor, level, arm, part[part["arm"] == arm]) for arm in arms if arm in set(part["arm"])]
    return found


def _name(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _rate(factor: str, level: str, arm: str, rows: pd.DataFrame) -> LevelRate:
    verdicts = pd.Series([None if pd.isna(value) else float(value) for value in rows["any"]], dtype="float64")
    seeds = [UNTRAINED if pd.isna(seed) else int(seed) for seed in rows["seed"]]
    table = rows.assign(any=verdicts.to_numpy(), seed=seeds)
    return LevelRate(factor=factor, level=level, arm=arm, rate=rate_of(table, "any"))
