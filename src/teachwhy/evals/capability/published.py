"""Published tests by name: tasks of the package inspect-evals as suites, where it is installed.

Nothing of it is copied here. Its tasks run as they are; their scores become rows, one a metric and sample.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.metadata import entry_points, version
from typing import Any

from inspect_ai import Task
from inspect_ai._util.registry import registry_find, registry_info, registry_unqualified_name
from inspect_ai.dataset import Dataset, Sample
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.scorer import Value
from inspect_ai.scorer._scorer import scorer_metrics
from pydantic import BaseModel, ConfigDict, Field

from teachwhy.errors import TeachwhyError, UserError, nearest
from teachwhy.evals.capability.common import ALL_FAILED, Reading, missing, row_of
from teachwhy.evals.suite import Measure, Row, Suite
from teachwhy.hashing import digest

VERSION = 1
PACKAGE = "inspect_evals"
_WORDS = {"C": 1.0, "I": 0.0, "P": 0.5, "yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}


class Published(BaseModel):
    """What a study may set: names of tasks of inspect-evals, and how many samples of each (the first ones)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tasks: tuple[str, ...] = Field(min_length=1)
    limit: int | None = Field(default=50, ge=1)


class One(BaseModel):
    """The settings of one published task."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int | None = Field(default=50, ge=1)


def published(settings: Published) -> list[Suite]:
    """One suite a named task, called ``published/<task>``. The tasks' data are loaded here, so that what cannot be
    had is said before a run.

    Raises:
        UserError: inspect-evals is not installed, or has no task of that name.
        TeachwhyError: a task's data cannot be loaded.
    """
    known = installed()
    for name in settings.tasks:
        if name not in known:
            raise UserError(f"inspect-evals has no task '{name}'", where="published.tasks", mend=nearest(name, known))
    return [_suite(name, known[name]) for name in settings.tasks]


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


def _suite(name: str, make: Callable[..., Task]) -> Suite:
    load = partial(_load, name, make)
    return Suite(
        name=f"published/{name}",
        settings=One,
        ids=lambda settings: [str(sample.id) for sample in _first(load().dataset, settings.limit)],
        task=lambda settings, ids: _only(load(), ids),
        rows=partial(published_rows, f"published/{name}", list(_measures(load()))),
        address=lambda settings, ids: _address(name, settings, _only(load(), ids).dataset),
        measures=_measures(load()),
    )


def _load(name: str, make: Callable[..., Task]) -> Task:
    """The task with its data, every sample with an id."""
    try:
        made = make()
    except Exception as error:  # a download, a gate, a lacking extra: each raises an error of its own library
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        mend = (
            "its data are downloaded at first use: run it once where there is a network (gated data need "
            "`hf auth login`, some tasks an extra of inspect-evals), or leave it out"
        )
        raise TeachwhyError(f"the task '{name}' cannot be prepared: {first}", where=name, mend=mend) from error
    for number, sample in enumerate(made.dataset, start=1):  # as Inspect numbers them itself
        sample.id = number if sample.id is None else sample.id
    made.fail_on_error = ALL_FAILED
    return made


def _first(dataset: Dataset, limit: int | None) -> list[Sample]:
    return list(dataset)[:limit]


def _only(made: Task, ids: Sequence[str]) -> Task:
    wanted = set(ids)
    made.dataset = made.dataset.filter(lambda sample: str(sample.id) in wanted)
    return made


def _measures(made: Task) -> dict[str, Measure]:
    """A measure for every scorer, or for every named value of a scorer that gives several."""
    names = [name for scorer in made.scorer or [] for name in _named(scorer)]
    return {name: Measure("score", "neither", f"as {PACKAGE} defines it") for name in names}


def _named(scorer: Any) -> list[str]:
    name, metrics = registry_unqualified_name(registry_info(scorer)), scorer_metrics(scorer)
    groups = [metrics] if isinstance(metrics, dict) else [part for part in metrics if isinstance(part, dict)]
    keys = [key for group in groups for key in group if "*" not in key]
    return [f"{name}.{key}" for key in keys] or [name]


def _address(name: str, settings: One, dataset: Dataset) -> str:
    asked = [[str(s.id), s.input if isinstance(s.input, str) else [m.text for m in s.input], s.target] for s in dataset]
    return digest([VERSION, version(PACKAGE.replace("_", "-")), name, settings.model_dump(), asked])


def published_rows(name: str, measures: Iterable[str], log: EvalLog) -> list[Row]:
    """One row a sample, epoch and metric. What Inspect could not run or score is missing."""
    samples = log.samples or []
    seen = [measure for sample in samples for measure in _values(sample)]
    every = list(dict.fromkeys([*seen, *([] if seen else measures)]))
    epochs = log.eval.config.epochs or 1
    rows = [row for sample in samples for row in _rows(sample, name, every, epochs)]
    return sorted(rows, key=lambda row: (row["sample_id"], every.index(row["measure"])))


def _rows(sample: EvalSample, name: str, measures: Sequence[str], epochs: int) -> list[Row]:
    values = {} if sample.error else _values(sample)
    failed = missing("error", sample.error.message if sample.error else "the sample was not scored")
    group = str(sample.id)
    return [row_of(sample, name, group, measure, values.get(measure, failed), epochs) for measure in measures]


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
