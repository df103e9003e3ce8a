"""Published tests by name: tasks of the package inspect-evals as suites, where it is installed.

Nothing of it is copied here. A study names a task as it names any suite (``evals: {xstest: {limit: 100}}``). The task
runs as it is; its scores become rows, one a metric and sample.
"""

import math
import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.metadata import entry_points, version
from inspect import Parameter, signature
from typing import Any

from inspect_ai import Task
from inspect_ai._util.registry import registry_find, registry_unqualified_name
from inspect_ai.dataset import Dataset, MemoryDataset, Sample
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.scorer import Value
from pydantic import BaseModel, ConfigDict, Field

from teachwhy.errors import TeachwhyError, UserError, nearest
from teachwhy.evals.capability.common import ALL_FAILED, Reading, missing, row_of
from teachwhy.evals.replies import why_failed
from teachwhy.evals.suite import Measure, Row, Suite
from teachwhy.hashing import digest, seed_of

VERSION = 1
PACKAGE = "inspect_evals"
_WORDS = {"C": 1.0, "I": 0.0, "P": 0.5, "yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}


ALIASES = {"mmlu": "mmlu_0_shot"}
"""Names under which a test is known, where the package has another."""

KNOWN = ("agentic_misalignment", "ifeval", "mmlu", "xstest")
"""Tests that are named here without the package, to say what it would take to run them."""

REPEAT = re.compile(r"/r\d+$")


class Settings(BaseModel):
    """What a study may set of a published test."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int | None = Field(default=50, ge=1)
    """How many samples, drawn the same for every model; None for all."""
    repeats: int | None = Field(default=None, ge=1)
    """How often each is put; None for the test's own number."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the package's task."""


def is_installed() -> bool:
    """Is the package there?"""
    return bool(entry_points(group="inspect_ai", name=PACKAGE))


@cache
def installed() -> dict[str, Callable[..., Task]]:
    """The tasks of the installed package by name.

    Raises:
        UserError: it is not installed.
        TeachwhyError: it is, and cannot be imported.
    """
    points = list(entry_points(group="inspect_ai", name=PACKAGE))
    if not points:
        mend = "pip install 'teachwhy[evals]'"
        raise UserError("published tests need the package inspect-evals, which is not installed", mend=mend)
    try:
        points[0].load()
    except Exception as error:  # whatever an outside package raises when it is imported
        raise TeachwhyError(f"inspect-evals cannot be imported: {error}", mend="install it anew") from error
    tasks: list[Any] = registry_find(lambda info: info.type == "task" and info.name.startswith(f"{PACKAGE}/"))
    return {registry_unqualified_name(task): task for task in tasks}


def names() -> list[str]:
    """Every published test that can be named: those of the package if it is installed, else those known here."""
    return sorted({*KNOWN, *installed()}) if is_installed() else list(KNOWN)


def published(name: str) -> Suite:
    """A published test as a suite. Its data are loaded when its samples are asked for, so before anything is run.

    Raises:
        UserError: inspect-evals is not installed, or has no task of that name.
    """
    known = installed()
    task = ALIASES.get(name, name)
    if task not in known:
        raise UserError(f"inspect-evals has no task '{name}'", where="evals", mend=nearest(name, names()))
    load = partial(_load, name, known[task])
    return Suite(
        name=name,
        settings=Settings,
        ids=lambda settings: _ids(name, load(settings), settings),
        task=lambda settings, ids: _only(name, load(settings), ids),
        rows=partial(published_rows, name),
        address=lambda settings, ids: _address(name, settings, _only(name, load(settings), ids).dataset),
        measures=_Measures(),
    )


class _Measures(dict[str, Measure]):
    """Whatever the package's scorers give: a measure has the scorer's name, and the value's if it has several."""

    def __missing__(self, name: str) -> Measure:
        return Measure("score", "neither", f"as {PACKAGE} defines it")


def _load(name: str, make: Callable[..., Task], settings: Settings) -> Task:
    """The task with its data, every sample with an id.

    Raises:
        UserError: the task has no such argument, or its data cannot be had.
    """
    taken = [key for key, of in signature(make).parameters.items() if of.kind is not Parameter.VAR_KEYWORD]
    for key in settings.args:
        if key not in taken:
            raise UserError(f"unknown argument '{key}'", where=f"evals.{name}.args", mend=nearest(key, taken))
    try:
        made = make(**settings.args)
    except Exception as error:  # a download, a gate, a lacking extra: each raises an error of its own library
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        mend = (
            "its data are downloaded at first use: run it once where there is a network (gated data need "
            "`hf auth login`, some tasks an extra of inspect-evals), or leave it out"
        )
        raise UserError(f"the test '{name}' cannot be prepared: {first}", where=f"evals.{name}", mend=mend) from error
    for sample in made.dataset:
        sample.id = _said(sample) if sample.id is None else str(sample.id)
    made.fail_on_error = ALL_FAILED
    return made


def _said(sample: Sample) -> str:
    """An id for a sample without one, the same however the task shuffles its data."""
    return digest([_text(sample), sample.choices, sample.target])[:12]


def _text(sample: Sample) -> str:
    return sample.input if isinstance(sample.input, str) else "\n\n".join(message.text for message in sample.input)


def _ids(name: str, made: Task, settings: Settings) -> list[str]:
    """A sample of the data that does not depend on their order, each ``repeats`` times."""
    every = sorted({str(sample.id) for sample in made.dataset}, key=lambda id: seed_of("published", name, id))
    repeats = settings.repeats or made.epochs or 1
    return [_repeat(id, number, repeats) for id in every[: settings.limit] for number in range(1, repeats + 1)]


def _repeat(id: str, number: int, repeats: int) -> str:
    return id if repeats == 1 else f"{id}/r{number}"


def _only(name: str, made: Task, ids: Sequence[str]) -> Task:
    """The task with these samples; repeats are samples of their own, so that a part of a run can hold some of them."""
    data = {str(sample.id): sample for sample in made.dataset}
    chosen = [data[REPEAT.sub("", id)].model_copy(update={"id": id}) for id in ids]
    made.dataset, made.epochs = MemoryDataset(chosen, name=name), 1
    return made


def _address(name: str, settings: Settings, dataset: Dataset) -> str:
    asked = [[str(s.id), _text(s), s.choices, s.target] for s in dataset]
    args = settings.model_dump(mode="json")["args"]
    return digest([VERSION, version(PACKAGE.replace("_", "-")), name, args, asked])


def published_rows(name: str, log: EvalLog) -> list[Row]:
    """One row a sample and metric; repeats of one sample share their group. What Inspect could not run or score is
    missing."""
    samples = log.samples or []
    seen = [measure for sample in samples for measure in _values(sample)]
    every = list(dict.fromkeys(seen or [scorer.name for scorer in log.eval.scorers or []]))
    rows = [row for sample in samples for row in _rows(sample, name, every)]
    return sorted(rows, key=lambda row: (row["sample_id"], every.index(row["measure"])))


def _rows(sample: EvalSample, name: str, measures: Sequence[str]) -> list[Row]:
    values = {} if sample.error else _values(sample)
    failed = missing("error", why_failed(sample.error) if sample.error else "the sample was not scored")
    group = REPEAT.sub("", str(sample.id))
    return [row_of(sample, name, group, measure, values.get(measure, failed), 1) for measure in measures]


def _values(sample: EvalSample) -> dict[str, Reading]:
    """Every score of a sample as a reading, by the measure's name."""
    found: dict[str, Reading] = {}
    for scorer, score in (sample.scores or {}).items():
        several = score.value if isinstance(score.value, dict) else None
        parts = {f"{scorer}.{key}": value for key, value in several.items()} if several is not None else None
        for measure, value in (parts or {scorer: score.value}).items():
            found[measure] = as_reading(value, score.explanation or "")
    return found


def as_reading(value: Value, reason: str) -> Reading:
    """A score's value as a number; Inspect's words for right and wrong count, all else is missing.

    (Inspect's own conversion makes 0 of what it cannot read, and of no answer.)
    """
    if isinstance(value, bool | int | float):
        known = None if isinstance(value, float) and not math.isfinite(value) else float(value)
    else:
        known = _WORDS.get(value, _WORDS.get(value.lower())) if isinstance(value, str) else None
    return (
        missing("unreadable", f"{value!r} {reason}".strip()) if known is None else Reading(value=known, reason=reason)
    )
