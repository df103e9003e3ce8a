"""Perplexity: how well a local model foretells ordinary prose that it has never seen.

Passages of our own are scored as the assistant's turn, since that is where a chat model writes. In a corpus they must
never stand; every file carries the canary.
"""

import math
from collections.abc import Sequence
from functools import cache

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog
from inspect_ai.model import get_model
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from teachwhy.evals.capability.common import (
    ALL_FAILED,
    ROOT,
    Item,
    Marked,
    Reading,
    Settings,
    address,
    as_score,
    average,
    counted,
    missing,
    once,
    pick,
    rows_of,
    scores_of,
)
from teachwhy.evals.suite import Measure, Row, Suite
from teachwhy.texts import load_text, validated

VERSION = 1
NAME = "perplexity"

MEASURES = {
    "nats_per_token": Measure("nats", "lower", "mean surprise at a token; its exponential is the perplexity"),
    "bits_per_byte": Measure("bits", "lower", "bits for a byte of text; comparable between tokenizers"),
}


class Passage(Item):
    """A passage of prose. ``group`` is its genre."""

    text: str


@cache
def items() -> dict[str, Passage]:
    """All passages by id.

    Raises:
        TextError: a file breaks its format or lacks the canary, or an id stands twice.
    """
    texts = [load_text(path, Marked) for path in sorted((ROOT / NAME).glob("*.md"))]
    found = [Passage(id=i, group=t.meta.title, text=body) for t in texts for i, body in t.sections.items()]
    once([passage.id for passage in found], NAME)
    return {passage.id: passage for passage in found}


@cache
def _before() -> str:
    return load_text(ROOT / "prompts" / "perplexity.md", Marked).sections["before"]


@solver
def surprise() -> Solver:
    """Score the passage, token by token."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        text = items()[str(state.sample_id)].text
        [found] = await scores_of(get_model()).score_continuations(state.messages, [], [text])
        state.metadata["nats"] = -sum(found)
        state.metadata["tokens"] = len(found)
        return state

    return solve


def read(nats: float, tokens: int, size: int) -> dict[str, Reading]:
    """The measures of a passage.

    Args:
        nats: surprise at the whole passage.
        tokens: how many tokens it has.
        size: its bytes in UTF-8.
    """
    if not math.isfinite(nats):
        return dict.fromkeys(MEASURES, missing("not finite", "the log-probabilities are no numbers"))
    reason = f"{nats:.2f} nats over {tokens} tokens and {size} bytes"
    return {
        "nats_per_token": Reading(value=nats / tokens, reason=reason),
        "bits_per_byte": Reading(value=nats / math.log(2) / size, reason=reason),
    }


@scorer(metrics={"*": [average(), counted()]})
def surprised() -> Scorer:
    """Surprise by token and by byte."""

    async def score(state: TaskState, target: Target) -> Score:
        size = len(items()[str(state.sample_id)].text.encode())
        return as_score(read(state.metadata["nats"], state.metadata["tokens"], size))

    return score


def perplexity_task(settings: Settings, ids: Sequence[str]) -> Task:
    """The Inspect task that scores these passages (local models only)."""
    samples = [Sample(id=i, input=_before(), metadata={"group": items()[i].group}) for i in ids]
    return Task(
        name=NAME,
        dataset=MemoryDataset(samples, name=NAME),
        solver=surprise(),
        scorer=surprised(),
        version=VERSION,
        fail_on_error=ALL_FAILED,
    )


def _ids(settings: Settings) -> list[str]:
    return pick(items(), settings.samples, where=NAME)


def _rows(log: EvalLog) -> list[Row]:
    return rows_of(log, NAME, list(MEASURES))


def _address(settings: Settings, ids: Sequence[str]) -> str:
    return address(VERSION, settings, [items()[i] for i in ids], ["perplexity.py", "prompts/perplexity.md"])


SUITE = Suite(NAME, Settings, _ids, perplexity_task, _rows, _address, MEASURES, local=True)


@task
def perplexity(samples: int | None = None) -> Task:
    """Surprise of a local model at ordinary prose that it has not seen."""
    settings = validated(Settings, {"samples": samples}, where=NAME)
    return perplexity_task(settings, _ids(settings))
