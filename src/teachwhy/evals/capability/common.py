"""What the suites of this folder share: asking once, readings, rows, picking samples, addresses."""

import math
import random
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import yaml
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import ChatMessage, ContentReasoning, Model, ModelOutput
from inspect_ai.scorer import Metric, SampleScore, Score, metric
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolInfo
from pydantic import BaseModel, ConfigDict, Field

from teachwhy.errors import ModelError, TextError, UserError
from teachwhy.evals.replies import no_reply, reply, serving, why_failed
from teachwhy.evals.suite import Measure, Row
from teachwhy.hashing import digest, file_digest, seed_of
from teachwhy.texts import Meta, read_utf8, validated

ROOT = Path(str(resources.files("teachwhy.evals.capability")))

Canary = Literal["teachwhy-held-out-5b1f0c3e-7d24-4a86-9e5d-2c8a6f41d790"]
CANARY: Canary = "teachwhy-held-out-5b1f0c3e-7d24-4a86-9e5d-2c8a6f41d790"
"""Stands in every data file of this folder: a corpus that holds it holds what is meant for measuring."""

ALL_FAILED = 1 - 1e-9
"""For Inspect's ``fail_on_error``: a failed sample is missing, but a run of which every sample failed has failed."""

LENGTHS = {
    "reply_tokens": Measure("tokens", "neither", "tokens of the reply without its reasoning"),
    "reasoning_tokens": Measure("tokens", "neither", "tokens of reasoning before the reply"),
}


class Settings(BaseModel):
    """What every suite lets a study set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    samples: int | None = Field(default=None, ge=1)
    """How many samples to take, spread over the groups (default: all)."""


class Asking(Settings):
    """What a suite with replies lets a study set. ``temperature: null`` leaves it to the model's provider."""

    max_tokens: int = Field(default=512, ge=1)
    temperature: float | None = Field(default=0.0, ge=0)


class Reading(BaseModel):
    """One measure of one sample: a value, or None with the cause."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: float | None = None
    missing: str | None = None
    reason: str = ""
    evidence: str = ""


def missing(cause: str, reason: str = "", evidence: str = "") -> Reading:
    """A reading without a value."""
    return Reading(missing=cause, reason=reason, evidence=evidence)


# Texts


class Item(BaseModel):
    """One thing that is asked. Its file gives the group, the unit that clusters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    group: str


class _Sheet(BaseModel):
    """A data file: its group, the mark that it is for measuring only, and its items."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    canary: Canary
    items: list[dict[str, Any]]


T = TypeVar("T", bound=Item)


def read_items(folder: str, model: type[T]) -> dict[str, T]:
    """The items of all YAML files of a data folder by id, in the order of files and lines.

    Raises:
        TextError: a file is not YAML, breaks its format or lacks the canary, or an id stands twice.
    """
    items = [item for path in sorted((ROOT / folder).glob("*.yaml")) for item in _items(path, model)]
    once([item.id for item in items], folder)
    return {item.id: item for item in items}


def _items(path: Path, model: type[T]) -> list[T]:
    sheet = validated(_Sheet, read_yaml(path), where=path)
    return [
        validated(model, {"group": sheet.group, **item}, where=f"{path}: {item.get('id', 'an item without id')}")
        for item in sheet.items
    ]


def read_yaml(path: Path) -> Any:
    """A YAML file.

    Raises:
        TextError: there is no such file, or it is not YAML.
    """
    try:
        return yaml.safe_load(read_utf8(path))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        raise TextError(f"the file is not YAML: {error}", where=path) from None


class Marked(Meta):
    """Front matter of a Markdown text that is put to a model: its title and the mark that it is for measuring only."""

    title: str
    canary: Canary


def once(ids: Sequence[str], where: str) -> None:
    """Refuse an id that stands twice.

    Raises:
        TextError: names it.
    """
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise TextError(f"the id '{twice[0]}' stands twice", where=where, mend="rename one")


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values into ``{slots}`` in one pass: a slot inside a value stays text.

    Raises:
        KeyError: a slot has no value.
    """
    return re.sub(r"\{(\w+)\}", lambda slot: values[slot[1]], template)


# Samples


def pick(items: Mapping[str, Item], samples: int | None, *, where: str) -> list[str]:
    """``samples`` of the ids, as evenly over their groups as they go, the same every time; in the order given.

    Raises:
        UserError: more are asked for than there are.
    """
    ids, groups = list(items), {i: item.group for i, item in items.items()}
    if samples is None:
        return ids
    if samples > len(ids):
        raise UserError(
            f"{samples} samples are asked for, {where} has {len(ids)}", where="samples", mend="ask for fewer"
        )
    chance = random.Random(seed_of("pick", where))
    decks = {group: [i for i in ids if groups[i] == group] for group in dict.fromkeys(groups.values())}
    for deck in decks.values():
        chance.shuffle(deck)
    names = list(decks)
    chance.shuffle(names)
    rounds = range(max(map(len, decks.values())))
    dealt = [decks[name][n] for n in rounds for name in names if n < len(decks[name])]
    return sorted(dealt[:samples], key=ids.index)


def address(
    version: int, settings: BaseModel, items: Sequence[BaseModel], files: Sequence[str], more: Sequence[Any] = ()
) -> str:
    """Hash of what decides a result besides the model: version, settings, the items asked, code and shared texts.

    Args:
        files: files of this folder that the suite uses besides ``common.py``.
        more: what else the suite decides by.
    """
    code = [file_digest(ROOT / name) for name in ("common.py", *files)]
    asked = [item.model_dump(mode="json") for item in items]
    return digest([version, settings.model_dump(mode="json"), asked, code, serving(), list(more)])


# Asking


@solver
def ask(max_tokens: int, temperature: float | None) -> Solver:
    """One question, one reply. The seed is the sample's, not the model's: every model draws with the same noise."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        seed = seed_of("sample", state.sample_id, state.epoch) % 2**31
        return await reply(state, generate, "none", seed=seed, max_tokens=max_tokens, temperature=temperature)

    return solve


def cut_off(output: ModelOutput) -> bool:
    """Was the reply cut off by a limit of tokens?"""
    return output.stop_reason in ("max_tokens", "model_length")


def lengths(output: ModelOutput) -> dict[str, Reading]:
    """How long reply and reasoning are, in the model's own tokens.

    Where an endpoint counts reasoning, its count is taken; where it only shows the reasoning, the output is shared out
    by characters. A reply that was cut off counts with what there is: at least so long.
    """
    if gone := no_reply(output):
        return dict.fromkeys(LENGTHS, missing(*gone))
    if output.usage is None:
        return dict.fromkeys(LENGTHS, missing("no usage", "the endpoint does not count tokens"))
    thought = output.usage.reasoning_tokens
    thought = _share_of_reasoning(output) if thought is None else thought
    said = max(output.usage.output_tokens - thought, 0)
    note = "cut off: at least so long" if cut_off(output) else ""
    return {
        "reply_tokens": Reading(value=said, reason=note),
        "reasoning_tokens": Reading(value=thought, reason=note),
    }


def _share_of_reasoning(output: ModelOutput) -> int:
    assert output.usage is not None
    content = output.message.content
    parts = [c.reasoning for c in content if isinstance(c, ContentReasoning)] if isinstance(content, list) else []
    thought, said = sum(map(len, parts)), len(output.completion)
    return round(output.usage.output_tokens * thought / (thought + said)) if thought else 0


class Scores(Protocol):
    """A model API that gives log-probabilities (nats) of the tokens of given texts; the local engine's does."""

    async def score_continuations(
        self, messages: Sequence[ChatMessage], tools: Sequence[ToolInfo], continuations: Sequence[str]
    ) -> list[list[float]]: ...


def scores_of(model: Model) -> Scores:
    """The model's API, if it gives log-probabilities of given text.

    Raises:
        ModelError: it does not.
    """
    api: Any = model.api
    if not hasattr(api, "score_continuations"):
        raise ModelError("this model gives no log-probabilities of given text", mend="use teachwhy/<name or folder>")
    scores: Scores = api
    return scores


# Scores and rows


@metric
def average() -> Metric:
    """Mean over the samples with a value; missing ones are left out, and no sample at all is not a number."""

    def compute(scores: list[SampleScore]) -> float:
        kept = [v for s in scores if not math.isnan(v := s.score.as_float())]
        return sum(kept) / len(kept) if kept else math.nan

    return compute


@metric
def counted() -> Metric:
    """How many samples have a value."""

    def compute(scores: list[SampleScore]) -> float:
        return float(sum(not math.isnan(s.score.as_float()) for s in scores))

    return compute


def as_score(readings: Mapping[str, Reading], *, answer: str | None = None, extra: Any = None) -> Score:
    """Readings as Inspect's score: a missing one is not a number, its cause in the metadata."""
    first = next(iter(readings.values()))
    return Score(
        value={name: math.nan if r.value is None else r.value for name, r in readings.items()},
        answer=answer,
        explanation=first.reason or first.missing,
        metadata={"readings": {name: r.model_dump() for name, r in readings.items()}, "extra": extra},
    )


def rows_of(log: EvalLog, name: str, measures: Sequence[str]) -> list[Row]:
    """One row a sample and measure, by sample id. A sample that failed gives a missing row for each measure."""
    rows = [row for sample in log.samples or [] for row in _rows(sample, name, measures, log.eval.config.epochs or 1)]
    return sorted(rows, key=lambda row: (row["sample_id"], measures.index(row["measure"])))


def _rows(sample: EvalSample, name: str, measures: Sequence[str], epochs: int) -> list[Row]:
    group = str(sample.metadata["group"])
    readings = _readings(sample, measures)
    return [row_of(sample, name, group, measure, reading, epochs) for measure, reading in readings.items()]


def row_of(sample: EvalSample, name: str, group: str, measure: str, reading: Reading, epochs: int) -> Row:
    """One reading of a sample as a row. With several epochs the sample's id tells them apart."""
    usage = sample.output.usage
    return Row(
        eval=name,
        sample_id=f"{sample.id}/r{sample.epoch}" if epochs > 1 else str(sample.id),
        group=group,
        measure=measure,
        value=reading.value,
        missing=reading.missing,
        reason=reading.reason,
        evidence=reading.evidence,
        prompt=sample.input if isinstance(sample.input, str) else "\n\n".join(m.text for m in sample.input),
        reply=sample.output.completion,
        tokens=usage.output_tokens if usage else 0,
    )


def _readings(sample: EvalSample, measures: Sequence[str]) -> dict[str, Reading]:
    if sample.error or not sample.scores:
        reason = why_failed(sample.error) if sample.error else "the sample was not scored"
        return dict.fromkeys(measures, missing("error", reason))
    stored = (next(iter(sample.scores.values())).metadata or {})["readings"]
    return {name: Reading.model_validate(stored[name]) for name in measures}
