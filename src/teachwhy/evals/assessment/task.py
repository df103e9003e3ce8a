"""The assessment as a suite: settings, samples, the Inspect task, its address."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.util import EarlyStop
from pydantic import BaseModel, ConfigDict, Field, field_validator

from teachwhy.errors import UserError
from teachwhy.evals.assessment.dimensions import (
    all_dimensions,
    assessment_folder,
    checked_names,
    sheets_of,
)
from teachwhy.evals.assessment.judge import judge
from teachwhy.evals.assessment.probe import AUDITOR, probe
from teachwhy.evals.assessment.rows import assessment_rows
from teachwhy.evals.assessment.seeds import all_seeds, find_seed
from teachwhy.evals.honeypots.task import ALL_FAILED
from teachwhy.evals.judging import ROLE, instruments
from teachwhy.evals.replies import serving
from teachwhy.evals.suite import Measure, Suite
from teachwhy.hashing import digest, file_digest

if TYPE_CHECKING:
    from inspect_ai.log import EvalSpec

# Moves with every change that can move a score; docs/assessment.md says what each number changed.
VERSION = 3

ROLES = (AUDITOR, ROLE)
"""Whoever must be there besides the measured model."""


class Settings(BaseModel):
    """What a study may set. Lists left out mean all that ship."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    seeds: tuple[str, ...] | None = None
    dimensions: tuple[str, ...] | None = None
    turns: int | None = Field(default=None, ge=1)
    """At most this many messages of the auditor as the user; a seed's own number if that is less."""
    messages: int = Field(default=80, ge=3)
    """At most this many messages in the target's conversation, tool results included."""
    tokens: int = Field(default=600_000, ge=1000)
    """At most this many tokens of auditor and target together in one probe, input and output."""
    repeats: int = Field(default=1, ge=1)
    temperature: float = Field(default=1.0, ge=0)
    """Of the target."""

    @field_validator("seeds")
    @classmethod
    def _known_seeds(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if names is None else tuple(checked_names(names, list(all_seeds()), "seed"))

    @field_validator("dimensions")
    @classmethod
    def _known_dimensions(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if names is None else tuple(checked_names(names, list(all_dimensions()), "dimension"))

    def chosen_dimensions(self) -> list[str]:
        """The dimensions that are measured."""
        return list(all_dimensions() if self.dimensions is None else self.dimensions)


def assessment_ids(settings: Settings) -> list[str]:
    """``<seed>/r<repeat>``: all seeds in order, each ``repeats`` times."""
    chosen = list(all_seeds()) if settings.seeds is None else settings.seeds
    return [f"{seed}/r{number}" for seed in chosen for number in range(1, settings.repeats + 1)]


def assessment_task(settings: Settings, ids: Sequence[str]) -> Task:
    """The Inspect task that probes a model with these samples. It needs the model roles ``auditor`` and ``grader``."""
    dimensions = settings.chosen_dimensions()
    return Task(
        name="assessment",
        dataset=MemoryDataset([_sample(id) for id in ids], name="assessment"),
        solver=probe(settings.turns, settings.messages, settings.tokens, settings.temperature),
        scorer=judge(dimensions),
        version=VERSION,
        metadata={"dimensions": dimensions},
        fail_on_error=ALL_FAILED,
        early_stopping=RolesGiven(),
    )


def _sample(id: str) -> Sample:
    seed = find_seed(id.rpartition("/")[0])
    return Sample(id=id, input=seed.meta.situation, metadata={"seed": seed.id, "sector": seed.meta.sector})


class RolesGiven:
    """Stops a task without its model roles. Inspect calls no other hook with them before a sample."""

    async def start_task(self, task: "EvalSpec", samples: list[Sample], epochs: int) -> str:
        """Raises: UserError, if a role has no model."""
        lacking = [role for role in ROLES if role not in (task.model_roles or {})]
        if lacking:
            raise UserError(
                f"the assessment needs a model for the role{'s' if len(lacking) > 1 else ''} {' and '.join(lacking)}",
                where="model roles",
                mend=" ".join(f"--model-role {role}=MODEL" for role in lacking) + " (in Python: model_roles={...})",
            )
        return "model roles"

    async def schedule_sample(self, id: str | int, epoch: int) -> EarlyStop | None:
        return None

    async def complete_sample(self, id: str | int, epoch: int, scores: dict[str, Any]) -> None:
        return None

    async def complete_task(self) -> dict[str, Any]:
        return {}


def assessment_address(settings: Settings, ids: Sequence[str]) -> str:
    """Hash of all that decides the result but the three models: seeds, rubrics, prompts, code, settings, samples."""
    seeds = {name: find_seed(name).address() for name in {id.rpartition("/")[0] for id in ids}}
    rubrics = {d.id: d.address() for sheet in sheets_of(settings.chosen_dimensions()) for d in sheet}
    chosen = settings.model_dump(mode="json") | {"seeds": None, "repeats": None}  # both are in the ids
    return digest([VERSION, list(ids), chosen, seeds, rubrics, _instruments()])


@cache
def _instruments() -> str:
    """Hash of the code and prompts that put and judge every sample."""
    root = assessment_folder()
    own = [*root.glob("*.py"), *root.glob("*.yaml"), *root.glob("prompts/*.md")]
    return digest([{path.name: file_digest(path) for path in own}, serving(), instruments()])


def _measures() -> dict[str, Measure]:
    return {d.id: Measure("score", d.meta.better, d.meta.summary) for d in all_dimensions().values()}


SUITE = Suite(
    name="assessment",
    settings=Settings,
    ids=assessment_ids,
    task=assessment_task,
    rows=assessment_rows,
    address=assessment_address,
    measures=_measures(),
    tools=True,
    roles=lambda _: ROLES,
)


@task
def assessment(
    seeds: str | list[str] | None = None,
    dimensions: str | list[str] | None = None,
    turns: int | None = None,
    messages: int = 80,
    tokens: int = 600_000,
    repeats: int = 1,
    temperature: float = 1.0,
) -> Task:
    """An auditor probes the model, a judge scores the transcript. Model roles: auditor and grader."""
    settings = Settings(
        seeds=_listed(seeds),
        dimensions=_listed(dimensions),
        turns=turns,
        messages=messages,
        tokens=tokens,
        repeats=repeats,
        temperature=temperature,
    )
    return assessment_task(settings, assessment_ids(settings))


def _listed(names: str | list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names.split(",") if isinstance(names, str) else names)
