"""Knowledge: multiple-choice questions of our own, from easy to hard.

Two readings. ``letter`` asks any model for a letter. ``likelihood`` asks nothing of the model's obedience: it scores
each option's text after the question, in nats per byte, and takes the likeliest (local models only).
"""

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from pydantic import Field, model_validator

from teachwhy.evals.capability.common import (
    ALL_FAILED,
    ROOT,
    Item,
    Marked,
    Reading,
    Settings,
    address,
    as_score,
    ask,
    average,
    counted,
    cut_off,
    fill,
    missing,
    pick,
    read_items,
    rows_of,
    scores_of,
)
from teachwhy.evals.replies import no_reply
from teachwhy.evals.suite import Measure, Row, Suite
from teachwhy.hashing import seed_of
from teachwhy.texts import Text, load_text, validated

VERSION = 1
NAME = "knowledge"

MEASURES = {"right": Measure("rate", "higher", "chose the right one of four options (chance: 0.25)")}

LETTERS = "ABCD"

# The whole reply is a letter in one of the usual dresses, perhaps with the option's text after it.
_LETTER = re.compile(
    r"(?:the )?(?:(?:correct |right )?(?:answer|option)(?: is|:)? ?)?[\[(*]*([A-D])[\])*]*(?:[.:)]? ?(?P<text>.*))?",
    re.IGNORECASE | re.DOTALL,
)


class Choosing(Settings):
    """Settings. ``max_tokens`` and ``temperature`` are for the reading ``letter``."""

    reading: Literal["letter", "likelihood"] = "letter"
    max_tokens: int = Field(default=64, ge=1)
    temperature: float | None = Field(default=0.0, ge=0)


class Question(Item):
    """A question with one right and three wrong options. ``level``: 1 a child knows it, 4 takes schooling."""

    level: Literal[1, 2, 3, 4]
    question: str
    right: str
    wrong: tuple[str, str, str]

    @model_validator(mode="after")
    def _four_options(self) -> "Question":
        if len({option.casefold() for option in (self.right, *self.wrong)}) != 4:
            raise ValueError("two options are the same")
        return self


@cache
def items() -> dict[str, Question]:
    """All questions by id."""
    return read_items(NAME, Question)


@cache
def options() -> dict[str, tuple[str, ...]]:
    """The four options of every question in the order shown. The right one stands at each place equally often.

    Places are dealt once over the whole set, so that a question looks the same in every selection.
    """
    ids = sorted(items())
    places = [n % len(LETTERS) for n in range(len(ids))]
    random.Random(seed_of(NAME, "places")).shuffle(places)
    return {i: _dealt(items()[i], place) for i, place in zip(ids, places, strict=True)}


def _dealt(item: Question, place: int) -> tuple[str, ...]:
    shown = list(item.wrong)
    random.Random(seed_of(NAME, "wrong", item.id)).shuffle(shown)
    shown.insert(place, item.right)
    return tuple(shown)


def right_letter(item: Question) -> str:
    """The letter of the right option as it is shown."""
    return LETTERS[options()[item.id].index(item.right)]


@cache
def _prompts() -> Text[Marked]:
    return load_text(ROOT / "prompts" / "knowledge.md", Marked)


def prompt(item: Question, reading: str) -> str:
    """The question as it is put."""
    shown = "\n".join(f"{letter}) {text}" for letter, text in zip(LETTERS, options()[item.id], strict=True))
    return fill(_prompts().sections[reading], {"question": item.question, "options": shown})


def parse_letter(reply: str, shown: Sequence[str]) -> str | None:
    """The letter that a reply names, if the reply is a letter and, at most, that option's own text.

    None if it is anything else: two letters, a letter with another option's text, a sentence that begins with "A".
    """
    found = _LETTER.fullmatch(reply.strip())
    if found is None:
        return None
    letter, rest = found[1].upper(), _plain(found["text"] or "")
    return letter if not rest or rest == _plain(shown[LETTERS.index(letter)]) else None


def _plain(text: str) -> str:
    return text.strip().strip("*\"'. ").casefold()


def read_letter(item: Question, output: ModelOutput) -> Reading:
    """Was the right letter given? A reply that is no letter is missing."""
    if gone := no_reply(output):
        return missing(*gone)
    reply = output.completion.strip()
    if cut_off(output):
        return missing("cut off", "the reply was cut off", reply[:200])
    letter = parse_letter(reply, options()[item.id])
    if letter is None:
        return missing("unparsable", "the reply is not a letter of an option", reply[:200])
    right = right_letter(item)
    return Reading(value=float(letter == right), reason=f"{letter}, right is {right}", evidence=reply[:200])


@solver
def weigh() -> Solver:
    """Score each option's text after the question: its log-probability in nats per byte of UTF-8."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        shown = options()[str(state.sample_id)]
        found = await scores_of(get_model()).score_continuations(state.messages, [], shown)
        pairs = zip(shown, found, strict=True)
        state.metadata["weights"] = [sum(tokens) / len(text.encode()) for text, tokens in pairs]
        return state

    return solve


def read_weights(item: Question, weights: Sequence[float]) -> Reading:
    """Is the right option the likeliest? A tie is missing."""
    best = max(weights)
    chosen = [text for text, weight in zip(options()[item.id], weights, strict=True) if weight == best]
    if len(chosen) != 1:
        return missing("unclear", "two options are equally likely or the likelihood is no number")
    reason = ", ".join(f"{text}: {w:.3f}" for text, w in zip(options()[item.id], weights, strict=True))
    return Reading(value=float(chosen[0] == item.right), reason=f"nats per byte: {reason}", evidence=chosen[0])


@scorer(metrics={"*": [average(), counted()]})
def chosen(reading: str) -> Scorer:
    """Was the right option chosen?"""

    async def score(state: TaskState, target: Target) -> Score:
        item = items()[str(state.sample_id)]
        likelihood = reading == "likelihood"
        found = read_weights(item, state.metadata["weights"]) if likelihood else read_letter(item, state.output)
        return as_score({"right": found}, extra=state.metadata.get("weights"))

    return score


def knowledge_task(settings: Choosing, ids: Sequence[str]) -> Task:
    """The Inspect task that puts these questions."""
    samples = [_sample(items()[i], settings.reading) for i in ids]
    return Task(
        name=NAME,
        dataset=MemoryDataset(samples, name=NAME),
        solver=weigh() if settings.reading == "likelihood" else ask(settings.max_tokens, settings.temperature),
        scorer=chosen(settings.reading),
        version=VERSION,
        fail_on_error=ALL_FAILED,
    )


def _sample(item: Question, reading: str) -> Sample:
    known: Mapping[str, Any] = {"group": item.group, "level": item.level}
    return Sample(id=item.id, input=prompt(item, reading), target=right_letter(item), metadata=dict(known))


def _ids(settings: Choosing) -> list[str]:
    return pick(items(), settings.samples, where=NAME)


def _rows(log: EvalLog) -> list[Row]:
    return rows_of(log, NAME, list(MEASURES))


def _address(settings: Choosing, ids: Sequence[str]) -> str:
    # The places are dealt over the whole set: a further question may move those of all others.
    files = ["knowledge.py", "prompts/knowledge.md"]
    return address(VERSION, settings, [items()[i] for i in ids], files, [list(options()[i]) for i in ids])


SUITE = Suite(NAME, Choosing, _ids, knowledge_task, _rows, _address, MEASURES)


@task
def knowledge(
    reading: str = "letter", samples: int | None = None, max_tokens: int = 64, temperature: float | None = 0.0
) -> Task:
    """Multiple-choice questions over many fields; the share that is right."""
    given = {"reading": reading, "samples": samples, "max_tokens": max_tokens, "temperature": temperature}
    settings = validated(Choosing, given, where=NAME)
    return knowledge_task(settings, _ids(settings))
