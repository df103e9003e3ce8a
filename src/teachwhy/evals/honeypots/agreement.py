"""How far two graders agree: confusion over categories, Cohen's kappa, scores. Pure functions over pairs."""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa

Value = bool | None
VALUES: tuple[Value, ...] = (True, False, None)


@dataclass(frozen=True)
class Confusion:
    """Counts of pairs (one grader in rows, the other in columns), each of ``values``; None is missing."""

    counts: tuple[tuple[int, ...], ...]
    values: tuple[Hashable, ...] = VALUES

    @classmethod
    def of(cls, pairs: Iterable[tuple[Hashable, Hashable]], values: tuple[Hashable, ...] = VALUES) -> "Confusion":
        listed = list(pairs)
        return cls(tuple(tuple(sum(p == (a, b) for p in listed) for b in values) for a in values), values)

    @property
    def n(self) -> int:
        """All pairs."""
        return sum(map(sum, self.counts))

    @property
    def same(self) -> int:
        """Pairs in which both say the same, missing included."""
        return sum(self.counts[i][i] for i in range(len(self.values)))

    @property
    def decided(self) -> int:
        """Pairs in which neither is missing."""
        return sum(map(sum, self._decided()))

    def _decided(self) -> list[list[int]]:
        kept = [i for i, value in enumerate(self.values) if value is not None]
        return [[self.counts[i][j] for j in kept] for i in kept]

    def kappa(self) -> float | None:
        """Cohen's kappa with missing as a category: to leave undecided what the other decides is a disagreement.

        None where it is not defined: no pairs, or both graders say one and the same of all.
        """
        return _kappa(self.counts)

    def kappa_decided(self) -> float | None:
        """Cohen's kappa over the pairs that both decided. Read it beside ``decided`` of ``n``."""
        return _kappa(self._decided())

    def kappa_weighted(self) -> float | None:
        """Cohen's kappa with quadratic weights over the pairs that both decided, for ``values`` in order of size.

        Source: J. Cohen, Psychological Bulletin 70 (1968) 213. None where it is not defined.
        """
        table = np.array(self._decided(), dtype=float)
        if table.sum() == 0:
            return None
        with np.errstate(invalid="ignore"):  # both say one and the same of all
            value = float(cohens_kappa(table, wt="quadratic", return_results=False))
        return None if math.isnan(value) else value

    def table(self, one: str, other: str) -> list[str]:
        """Lines of text: ``one`` in rows, ``other`` in columns."""
        head = " ".join(f"{_name(value):>8}" for value in self.values)
        rows = [
            f"  {_name(value):>8} {' '.join(f'{n:8d}' for n in row)}"
            for value, row in zip(self.values, self.counts, strict=True)
        ]
        return [f"  {one} (rows) against {other} (columns)", f"  {'':8} {head}", *rows]


def _name(value: Hashable) -> str:
    return "missing" if value is None else str(value).lower()


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
