"""Factorial designs: which levels the samples get, every combination if they suffice, else a balanced part of them."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations, product
from math import prod
from typing import Any

from teachwhy.hashing import seed_of

# Trial swaps for each cell of the table of levels; more no longer lower the cost of tables of 8 to 64 samples.
_TRIALS, _MOST_TRIALS = 40, 60_000

Rows = tuple[tuple[int, ...], ...]


def design(factors: Mapping[str, Sequence[Any]], samples: int, seed: int) -> list[dict[str, Any]]:
    """The levels of every sample.

    As many whole crossings of all factors as ``samples`` allow; for what is left, a fraction in which every level of
    every factor stands equally often (within one) and pairs of levels as evenly as a search by swaps can make them.

    Args:
        factors: name of each factor and its levels, at least one and all different.
        samples: how many samples, 0 or more.
        seed: decides the order, and which of the equally good fractions is taken.
    """
    sizes = tuple(len(levels) for levels in factors.values())
    deal = random.Random(seed)
    whole, rest = divmod(samples, prod(sizes))
    rows: list[tuple[int, ...]] = []
    for _ in range(whole):
        crossing = list(product(*map(range, sizes)))
        deal.shuffle(crossing)
        rows += crossing
    return [
        {name: levels[at] for (name, levels), at in zip(factors.items(), row, strict=True)}
        for row in [*rows, *_renamed(_fraction(sizes, rest), sizes, deal)]
    ]


def _renamed(rows: Rows, sizes: tuple[int, ...], deal: random.Random) -> list[tuple[int, ...]]:
    """The same fraction in another order and with the levels of each factor exchanged, which keeps its balance."""
    names = [deal.sample(range(size), size) for size in sizes]
    return [tuple(name[at] for name, at in zip(names, row, strict=True)) for row in deal.sample(rows, len(rows))]


@lru_cache(maxsize=256)
def _fraction(sizes: tuple[int, ...], samples: int) -> Rows:
    """A balanced fraction as level numbers: columns in balance from the start, then swaps within columns."""
    deal = random.Random(seed_of("fraction", list(sizes), samples))
    columns = [deal.sample([n % size for n in range(samples)], samples) for size in sizes]
    movable = [n for n, size in enumerate(sizes) if size > 1]
    if samples > 1 and len(movable) > 1:
        _even_out(columns, movable, deal)
    return tuple(zip(*columns, strict=True)) if columns else ((),) * samples


def _even_out(columns: list[list[int]], movable: list[int], deal: random.Random) -> None:
    """Swap two values of one column wherever that makes pairs of levels, and whole rows, no less even."""
    samples = len(columns[0])
    pairs = Counter((f, g, columns[f][r], columns[g][r]) for f, g in combinations(movable, 2) for r in range(samples))
    rows = Counter(zip(*columns, strict=True))
    for _ in range(min(_MOST_TRIALS, _TRIALS * samples * len(movable))):
        factor, (one, other) = deal.choice(movable), deal.sample(range(samples), 2)
        if columns[factor][one] != columns[factor][other]:
            _try_swap(columns, movable, factor, (one, other), (pairs, rows))


def _try_swap(
    columns: list[list[int]],
    movable: list[int],
    factor: int,
    between: tuple[int, int],
    counts: tuple[Counter[Any], Counter[Any]],
) -> None:
    before = _cells(columns, movable, factor, between)
    _swap(columns[factor], between)
    after = _cells(columns, movable, factor, between)
    cost = 0
    for count, gone, come in zip(counts, before, after, strict=True):
        cost += _move(count, gone, come)
    if cost > 0:
        _swap(columns[factor], between)
        for count, gone, come in zip(counts, before, after, strict=True):
            _move(count, come, gone)


def _cells(
    columns: list[list[int]], movable: list[int], factor: int, between: tuple[int, int]
) -> tuple[list[Any], list[Any]]:
    """The pairs of levels that two rows hold with this factor, and the two rows."""
    found = []
    for row in between:
        for other in movable:
            if other != factor:
                f, g = min(factor, other), max(factor, other)
                found.append((f, g, columns[f][row], columns[g][row]))
    return found, [tuple(column[row] for column in columns) for row in between]


def _swap(column: list[int], between: tuple[int, int]) -> None:
    one, other = between
    column[one], column[other] = column[other], column[one]


def _move(count: Counter[Any], gone: list[Any], come: list[Any]) -> int:
    """Count what came instead of what is gone. Gives the change of the sum of squares: even counts have the least."""
    change = 0
    for key in gone:
        change += 1 - 2 * count[key]
        count[key] -= 1
    for key in come:
        change += 1 + 2 * count[key]
        count[key] += 1
    return change
