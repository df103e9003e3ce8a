"""How far two graders agree: confusion over true, false and missing, and Cohen's kappa. Pure functions over pairs."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa

Value = bool | None
VALUES: tuple[Value, ...] = (True, False, None)
_NAMES = {True: "true", False: "false", None: "missing"}


@dataclass(frozen=True)
class Confusion:
    """Counts of pairs (one grader in rows, the other in columns), each of true, false, missing."""

    counts: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[Value, Value]]) -> "Confusion":
        listed = list(pairs)
        return cls(tuple(tuple(sum(p == (a, b) for p in listed) for b in VALUES) for a in VALUES))

    @property
    def n(self) -> int:
        """All pairs."""
        return sum(map(sum, self.counts))

    @property
    def same(self) -> int:
        """Pairs in which both say the same, missing included."""
        return sum(self.counts[i][i] for i in range(len(VALUES)))

    @property
    def decided(self) -> int:
        """Pairs in which neither is missing."""
        return sum(self.counts[i][j] for i in (0, 1) for j in (0, 1))

    def kappa(self) -> float | None:
        """Cohen's kappa over true, false and missing: to leave undecided what the other decides is a disagreement.

        None where it is not defined: no pairs, or both graders say one and the same of all.
        """
        return _kappa(self.counts)

    def kappa_decided(self) -> float | None:
        """Cohen's kappa over the pairs that both decided. Read it beside ``decided`` of ``n``."""
        return _kappa([row[:2] for row in self.counts[:2]])

    def table(self, one: str, other: str) -> list[str]:
        """Lines of text: ``one`` in rows, ``other`` in columns."""
        head = " ".join(f"{_NAMES[value]:>8}" for value in VALUES)
        rows = [
            f"  {_NAMES[value]:>8} {' '.join(f'{n:8d}' for n in row)}"
            for value, row in zip(VALUES, self.counts, strict=True)
        ]
        return [f"  {one} (rows) against {other} (columns)", f"  {'':8} {head}", *rows]


def _kappa(counts: Sequence[Sequence[int]]) -> float | None:
    """Unweighted, by statsmodels, over the categories that somebody used."""
    table = np.array(counts, dtype=float)
    used = (table.sum(axis=0) + table.sum(axis=1)) > 0
    if used.sum() < 2:
        return None
    value = float(cohens_kappa(table[np.ix_(used, used)], return_results=False))
    return None if math.isnan(value) else value


def shown(value: float | None) -> str:
    """A kappa in text."""
    return "undefined" if value is None else f"{value:.2f}"


def agreement_table(rows: Iterable[Mapping[str, Any]], by: Sequence[str] = ("kind",)) -> list[dict[str, Any]]:
    """Rules against judge over the rows that were judged, one entry for each combination of the ``by`` columns.

    Keys: the ``by`` columns; n; decided (both have a verdict on ``any``); agree (of these); rules_only and judge_only
    (one says true, the other false); rules_missing, judge_missing; kappa (over the decided; None if undefined). The
    last entry sums up all, with "all" in every ``by`` column, if there is more than one. Rows without a judge give an
    empty list.
    """
    judged = [row for row in rows if "judge_any" in row]
    groups = _grouped(judged, lambda row: tuple(str(row[key]) for key in by))
    entries = [dict(zip(by, key, strict=True)) | _agreement(part) for key, part in groups.items()]
    total = [dict.fromkeys(by, "all") | _agreement(judged)] if len(entries) > 1 else []
    return [*entries, *total]


def _agreement(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    confusion = Confusion.of((row["rules_any"], row["judge_any"]) for row in rows)
    (tt, tf, _), (ft, ff, _), _ = confusion.counts
    return {
        "n": confusion.n,
        "decided": confusion.decided,
        "agree": tt + ff,
        "rules_only": tf,
        "judge_only": ft,
        "rules_missing": sum(row["rules_any"] is None for row in rows),
        "judge_missing": sum(row["judge_any"] is None for row in rows),
        "kappa": confusion.kappa_decided(),
    }


def _grouped(
    rows: Iterable[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], tuple[str, ...]]
) -> dict[tuple[str, ...], list[Mapping[str, Any]]]:
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups
