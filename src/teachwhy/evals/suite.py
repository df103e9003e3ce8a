"""What an evaluation is to a study: settings, samples, an Inspect task, rows, an address."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

from pydantic import BaseModel

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

Unit = Literal["rate", "score", "tokens", "nats", "bits"]
Better = Literal["higher", "lower", "neither"]


class Row(TypedDict):
    """One measured value of one sample. ``value`` is None where it is missing, and ``missing`` says the cause."""

    eval: str
    sample_id: str
    group: str
    """The unit that clusters: a family, a section, a seed, a topic."""
    measure: str
    value: float | None
    missing: str | None
    reason: str
    evidence: str
    prompt: str
    reply: str
    tokens: int
    halves: NotRequired[tuple[float, float]]
    """Where a value is a mean over items: the means over the odd and the even ones, for a split-half reliability."""


@dataclass(frozen=True)
class Measure:
    """One number that a suite gives for every sample: a rate's values are 0 or 1, a score's lie from 0 to 1."""

    unit: Unit
    better: Better
    about: str


def judged(settings: Any) -> tuple[str, ...]:
    """The roles of a suite whose judge is a setting: the grader where they say ``grader: judge``."""
    return ("grader",) if getattr(settings, "grader", None) == "judge" else ()


@dataclass(frozen=True)
class Suite:
    """One evaluation, as a study declares it under ``evals.<name>``."""

    name: str
    settings: type[BaseModel]
    """What a study may set: frozen, unknown keys are errors."""
    ids: Callable[[Any], list[str]]
    """Settings to sample ids, in order, the same for every model."""
    task: Callable[[Any, Sequence[str]], "Task"]
    rows: Callable[["EvalLog"], list[Row]]
    """One row a sample and measure, in the order of sample ids."""
    address: Callable[[Any, Sequence[str]], str]
    """Hash of all but the model that decides the result: texts, code, settings, sample ids."""
    measures: dict[str, Measure]
    local: bool = False
    """Needs the log-probabilities of a local model."""
    tools: bool = False
    """The measured model is given tools to call."""
    roles: Callable[[Any], Sequence[str]] = judged
    """Settings to the model roles without which nothing can be measured by them."""
