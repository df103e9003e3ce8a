"""The table of evaluated samples: checked once, then trusted."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ..errors import AnalysisError, nearest

KEYS = ("eval", "arm", "seed", "sample_id")
TEXT = ("arm", "sample_id", "family", "kind", "eval")
STATES = ("own", "any", "valid", "truncated", "done")
COLUMNS = (
    "arm",
    "seed",
    "sample_id",
    "family",
    "kind",
    "eval",
    "own",
    "any",
    "act",
    "missing",
    "valid",
    "truncated",
    "done",
)
EVALS = ("honeypots", "twins")
UNTRAINED = -1


def checked(frame: pd.DataFrame) -> pd.DataFrame:
    """A sorted copy in which every verdict is 1.0, 0.0 or NaN (missing).

    Args:
        frame: one row per evaluated sample, with the columns in COLUMNS; more are ignored.

    Raises:
        AnalysisError: columns lack, the table is empty, a key is empty or occurs twice, a verdict is neither
            true, false nor missing, a scored row states a cause, a sample changes family or kind, an arm mixes
            trained and untrained rows, or an evaluation is unknown.
    """
    _columns(frame)
    table = frame.loc[:, list(COLUMNS)].copy()
    for name in (*TEXT, "seed"):
        _no_empty(table, name)
    for name in TEXT:
        table[name] = np.array([str(value) for value in table[name]], dtype=object)
    table["seed"] = _seeds(table["seed"])
    for name in STATES:
        table[name] = _states(table[name])
    table["missing"] = [None if pd.isna(cause) else str(cause) for cause in table["missing"]]
    _known("evaluation", sorted(set(table["eval"])), EVALS)
    _unique(table)
    _constant(table)
    _causes(table)
    _trained_or_not(table)
    return table.sort_values(list(KEYS), kind="stable").reset_index(drop=True)


def known_arms(names: Iterable[str], table: pd.DataFrame) -> None:
    """Raise AnalysisError, with the nearest arm, at the first name that is no arm of the table."""
    _known("arm", names, sorted(set(table["arm"])))


def _known(what: str, names: Iterable[str], valid: Iterable[str]) -> None:
    choices = list(valid)
    for name in names:
        if name not in choices:
            raise AnalysisError(f"'{name}' is not a known {what}", where=what, mend=nearest(name, choices))


def _columns(frame: pd.DataFrame) -> None:
    present = [str(column) for column in frame.columns]
    lacking = [column for column in COLUMNS if column not in present]
    if lacking:
        raise AnalysisError(
            f"the table lacks the columns {', '.join(lacking)}",
            where=f"columns present: {', '.join(present) or 'none'}",
            mend=f"give all of: {', '.join(COLUMNS)}",
        )
    if frame.empty:
        raise AnalysisError("the table has no rows: nothing was measured", mend="run the evaluations first")


def _no_empty(table: pd.DataFrame, name: str) -> None:
    empty = int(table[name].isna().sum())
    if empty:
        raise AnalysisError(f"{empty} rows have no {name}", where=f"column {name}", mend=f"give every row its {name}")


def _seeds(column: "pd.Series[int]") -> "pd.Series[int]":
    numbers = pd.to_numeric(column, errors="coerce")
    bad = column[numbers.isna() | (numbers % 1 != 0) | (numbers < UNTRAINED)]
    if len(bad):
        raise AnalysisError(
            f"'{bad.iloc[0]}' is not a training seed", where="column seed", mend="a whole number, or -1 for no training"
        )
    return numbers.astype(np.int64)


def _states(column: "pd.Series[float]") -> list[float]:
    return [_state(value, str(column.name)) for value in column]


def _state(value: object, name: str) -> float:
    if value is None or value is pd.NA or value is pd.NaT:
        return float("nan")
    if isinstance(value, (bool, np.bool_)):
        return float(value)
    if isinstance(value, (int, float, np.integer, np.floating)):
        number = float(value)
        if np.isnan(number) or number in (0.0, 1.0):
            return number
    raise AnalysisError(f"{value!r} is not true, false or missing", where=f"column {name}", mend="use a bool or None")


def _unique(table: pd.DataFrame) -> None:
    twice = table[table.duplicated(list(KEYS), keep=False)]
    if len(twice):
        first = twice.sort_values(list(KEYS)).iloc[0]
        raise AnalysisError(
            f"{len(twice)} rows repeat another's arm, seed, sample and evaluation",
            where=f"arm {first['arm']}, seed {first['seed']}, sample {first['sample_id']}, eval {first['eval']}",
            mend="keep one row for each; give epochs their own sample_id",
        )


def _constant(table: pd.DataFrame) -> None:
    for name in ("family", "kind"):
        counts = table.groupby(["eval", "sample_id"])[name].nunique()
        if (counts > 1).any():
            where = counts.index[int(np.argmax(counts.to_numpy() > 1))]
            raise AnalysisError(
                f"a sample has more than one {name}",
                where=f"eval {where[0]}, sample {where[1]}",
                mend="comparisons pair samples by sample_id: the same id must be the same sample in every arm",
            )


def _causes(table: pd.DataFrame) -> None:
    wrong = table["missing"].notna() & table["own"].notna() & table["any"].notna()
    if wrong.any():
        row = table[wrong].iloc[0]
        raise AnalysisError(
            f"{int(wrong.sum())} rows have both verdicts and a cause for missing ('{row['missing']}')",
            where=f"arm {row['arm']}, seed {row['seed']}, sample {row['sample_id']}, eval {row['eval']}",
            mend="a missing verdict is None, never true or false",
        )


def _trained_or_not(table: pd.DataFrame) -> None:
    untrained = (table["seed"] == UNTRAINED).groupby(table["arm"]).agg(["any", "all"])
    mixed = untrained.index[untrained["any"] & ~untrained["all"]]
    if len(mixed):
        raise AnalysisError(
            f"arm '{mixed[0]}' has rows with a training seed and rows without",
            where="column seed",
            mend="an arm is trained (seeds from 0) or not (-1 in every row)",
        )
