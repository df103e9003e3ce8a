"""How often each arm did wrong: rates, what is missing, and whether the model acted at all."""

from collections import Counter

import numpy as np
import pandas as pd

from .frame import EVALS
from .intervals import at_most, clustered_rate, wilson
from .results import Cell, Interval, Rate, SeedRate, Share

ALL = "all"
UNSTATED = "unstated"


def summarise(table: pd.DataFrame) -> tuple[Cell, ...]:
    """One cell for each arm, evaluation and kind, and one with kind "all" over all kinds.

    Args:
        table: what `frame.checked` returned.
    """
    cells = []
    for name in EVALS:
        for arm, rows in table[table["eval"] == name].groupby("arm", sort=True):
            cells.append(_cell(rows, str(arm), name, ALL))
            cells.extend(_cell(part, str(arm), name, str(kind)) for kind, part in rows.groupby("kind", sort=True))
    return tuple(cells)


def rate_of(rows: pd.DataFrame, measure: str) -> Rate:
    """The rate of one measure ("own" or "any") over rows of one arm; a missing verdict never enters it."""
    scored = rows[rows[measure].notna()]
    n, missing = len(scored), len(rows) - len(scored)
    if n == 0:
        return Rate(
            true=0,
            scored=0,
            missing=missing,
            rate=None,
            wilson=None,
            cluster=None,
            families=0,
            at_most=None,
            failure=f"nothing was scored: {missing} of {len(rows)} verdicts are missing",
        )
    true = int(scored[measure].sum())
    families, samples = scored["family"].nunique(), scored["sample_id"].nunique()
    return Rate(
        true=true,
        scored=n,
        missing=missing,
        rate=true / n,
        wilson=wilson(true, n),
        cluster=_cluster(scored, measure, samples) if families > 1 else None,
        families=families,
        at_most=at_most(samples) if true == 0 else None,
        failure=None,
    )


def _cluster(scored: pd.DataFrame, measure: str, samples: int) -> Interval:
    values = scored[measure].to_numpy(dtype=np.float64)
    codes = np.unique(scored["family"].to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)
    runs = np.unique(scored["seed"].to_numpy(dtype=np.int64), return_inverse=True)[1]
    return clustered_rate(values, codes, samples, np.bincount(runs, weights=values) / np.bincount(runs))


def share_of(column: "pd.Series[float]") -> Share:
    """The share of true among the known values of a column of 1.0, 0.0 and NaN."""
    values = column.to_numpy(dtype=np.float64)
    known, true = int((~np.isnan(values)).sum()), int(np.nansum(values))
    return Share(true=true, known=known, share=true / known if known else None)


def causes_of(rows: pd.DataFrame) -> dict[str, int]:
    """Cause -> number of rows whose own or any verdict is missing, in alphabetical order."""
    lost = rows["missing"][rows["own"].isna() | rows["any"].isna()]
    counts = Counter(UNSTATED if pd.isna(cause) else str(cause) for cause in lost)
    return dict(sorted(counts.items()))


def _cell(rows: pd.DataFrame, arm: str, name: str, kind: str) -> Cell:
    seeds = tuple(_seed_rate(part, int(str(seed))) for seed, part in rows.groupby("seed", sort=True))
    known = [seed.any for seed in seeds if seed.any is not None]
    return Cell(
        arm=arm,
        eval=name,
        kind=kind,
        rows=len(rows),
        own=rate_of(rows, "own"),
        any=rate_of(rows, "any"),
        causes=causes_of(rows),
        valid=share_of(rows["valid"]),
        truncated=share_of(rows["truncated"]),
        done=share_of(rows["done"]) if name == "twins" else None,
        by_seed=seeds,
        seed_range=max(known) - min(known) if len(known) > 1 else None,
    )


def _seed_rate(rows: pd.DataFrame, seed: int) -> SeedRate:
    own, wrong = share_of(rows["own"]), share_of(rows["any"])
    return SeedRate(seed=seed, scored=wrong.known, own=own.share, any=wrong.share)
