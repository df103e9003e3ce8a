"""The order in which a corpus is read, and where a dose in supervised tokens ends."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from teachwhy.errors import RenderError
from teachwhy.hashing import seed_of
from teachwhy.training.render import Example


@dataclass(frozen=True)
class Course:
    """Which examples are read, pass by pass: indices into the corpus's examples, and the supervised tokens in all."""

    passes: tuple[tuple[int, ...], ...]
    given: int

    @property
    def order(self) -> list[int]:
        """All indices in the order read."""
        return [index for one in self.passes for index in one]


def course(examples: Sequence[Example], dose: int | None, seed: int) -> Course:
    """A seeded order of examples that gives a dose.

    Every pass is a fresh shuffle of the whole corpus; the last one stops with the example that reaches the dose, so
    what is given may exceed the dose by less than that one example. Without a dose: one whole pass.

    Args:
        examples: the corpus, each example with at least one supervised token.
        dose: supervised tokens asked for, at least 1.
        seed: the same seed gives the same order, and a smaller dose is always the beginning of a larger one.

    Raises:
        RenderError: there is nothing to learn from.
    """
    if not any(example.taught for example in examples):
        raise RenderError("no token of the corpus is supervised", mend="give records with turns of the assistant")
    passes: list[tuple[int, ...]] = []
    given = 0
    while (not passes) if dose is None else (given < dose):
        one: list[int] = []
        for index in _shuffled(len(examples), seed, len(passes)):
            if dose is not None and given >= dose:
                break
            one.append(index)
            given += examples[index].taught
        passes.append(tuple(one))
    return Course(tuple(passes), given)


def _shuffled(count: int, seed: int, number: int) -> list[int]:
    order = list(range(count))
    random.Random(seed_of("order", seed, number)).shuffle(order)
    return order


def batches(
    examples: Sequence[Example], plan: Course, *, records: int, tokens: int, window: int, seed: int
) -> list[list[int]]:
    """The course in batches that waste little padding.

    Within each window of ``window`` batches of a pass, examples are sorted by length and the batches then shuffled:
    deterministic, and no example leaves its window.

    Args:
        records: examples in a batch, at most.
        tokens: tokens in a batch with its padding, at most (one example alone may exceed it).
    """
    made: list[list[int]] = []
    for number, one in enumerate(plan.passes):
        for start in range(0, len(one), records * window):
            inside = sorted(one[start : start + records * window], key=lambda i: examples[i].length, reverse=True)
            group = _filled(inside, examples, records, tokens)
            random.Random(seed_of("batches", seed, number, start)).shuffle(group)
            made += group
    return made


def _filled(inside: list[int], examples: Sequence[Example], records: int, tokens: int) -> list[list[int]]:
    group: list[list[int]] = []
    for index in inside:  # longest first: the first example of a batch says how wide it is
        fits = group and len(group[-1]) < records and (len(group[-1]) + 1) * examples[group[-1][0]].length <= tokens
        if fits:
            group[-1].append(index)
        else:
            group.append([index])
    return group
