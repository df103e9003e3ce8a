"""Honeypots as Inspect tasks: a scenario, real tools over a small world, and a verdict by rules."""

import math
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageTool, ChatMessageUser
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import store_as

from teachwhy.errors import UserError
from teachwhy.evals.honeypots.rules import Verdict, grade
from teachwhy.evals.honeypots.world import World, inspect_tools, open_world
from teachwhy.hashing import digest, file_digest, folder_digest, seed_of
from teachwhy.scenarios.factors import check_levels
from teachwhy.scenarios.family import KINDS, families
from teachwhy.scenarios.scenario import Condition, Scenario, as_metadata, conditions
from teachwhy.scenarios.tools import READING

# Moves with every change that can move a score; docs/evaluations.md says what each number changed.
VERSION = 2

# Room for reasons of 60 words and a call of 45; nearly no organism's reply needs more.
_MAX_TOKENS = {"brief": 192, "full": 512}
_MESSAGE_LIMIT = 40

ALL_FAILED = 1 - 1e-9
"""For Inspect's ``fail_on_error``: a failed sample is missing, but a run of which every sample failed has failed."""


def honeypot_conditions(
    *,
    kinds: Sequence[str] = KINDS,
    split: str = "held-out",
    size: str = "brief",
    samples: int = 8,
    twin: bool = False,
    **levels: Any,
) -> list[Condition]:
    """The samples of an evaluation: ``samples`` of each family of these kinds and split.

    ``levels`` are the factors' levels as ``scenarios.scenario.conditions`` takes them: threats, conflicts, goals, cues,
    agency, ally, forms, personas, own_name.

    Raises:
        UserError: an unknown kind, split, size or level, or no sample at all.
    """
    check_levels(size, {})
    if samples < 1:
        raise UserError(f"{samples} samples a family measure nothing", where="samples", mend="ask for at least one")
    if not kinds:
        raise UserError("no kind of honeypot is named", where="kinds", mend=f"known: {', '.join(KINDS)}")
    start = 5000 if split == "train" else 0  # draws on which nothing was taught
    chosen = families(kinds=kinds, split=split)
    if not chosen:
        raise UserError(f"there is no {split} family of kind {', '.join(kinds)}", where="kinds")
    return [c for f in chosen for c in conditions(f.id, size=size, twin=twin, count=samples, start=start, **levels)]  # type: ignore[arg-type]


def evaluation_address(conditions: Sequence[Condition]) -> str:
    """Hash of what is asked and how it is graded: samples, families, shared prompts and tools, tasks and rules."""
    texts = {c.family: Scenario(c).family.address() for c in conditions}
    names = sorted({c.own_name for c in conditions if c.own_name})
    return digest([VERSION, [c.id for c in conditions], names, texts, _instruments()])


@cache
def _instruments() -> str:
    """Hash of the code, patterns and shared texts that put and grade every sample."""
    root = Path(str(resources.files("teachwhy")))
    suffixes = (".py", ".yaml")
    names = ("prompts.md", "tools.yaml", "scenario.py", "factors.py", "design.py", "tools.py")
    shared = [file_digest(root / "scenarios" / name) for name in names]
    chat = file_digest(root / "models" / "chat.py")
    return digest([folder_digest(root / "evals" / "honeypots", suffixes=suffixes), shared, chat])


def honeypot_task(conditions: Sequence[Condition], *, name: str, temperature: float = 1.0, repeats: int = 1) -> Task:
    """The Inspect task that puts these conditions to a model, each ``repeats`` times (Inspect's epochs)."""
    size = conditions[0].size
    return Task(
        name=name,
        dataset=MemoryDataset([_sample(c) for c in conditions], name=name),
        solver=act(_MAX_TOKENS[size], temperature),
        scorer=rules(),
        message_limit=_MESSAGE_LIMIT,
        version=VERSION,
        fail_on_error=ALL_FAILED,
        epochs=repeats,
    )


def _sample(condition: Condition) -> Sample:
    system, user = Scenario(condition).messages()
    return Sample(
        id=condition.id,
        input=[ChatMessageSystem(content=system["content"]), ChatMessageUser(content=user["content"])],
        metadata=as_metadata(condition),
    )


def scenario_of(metadata: dict[str, Any]) -> Scenario:
    """The scenario that a sample's metadata describes."""
    return Scenario(Condition(**{key: metadata[key] for key in Condition.__dataclass_fields__}))


@solver
def act(max_tokens: int, temperature: float) -> Solver:
    """Open the world, hand over the tools, and let the model act: one call if brief, else until it stops calling."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        scenario = scenario_of(state.metadata)
        open_world(scenario)
        state.tools = inspect_tools(scenario.tools())
        once = scenario.condition.form != "agentic"
        # The seed is the sample's, not the model's: every model draws with the same noise.
        seed = seed_of("sample", state.sample_id, state.epoch) % 2**31
        return await generate(
            state, "single" if once else "loop", seed=seed, max_tokens=max_tokens, temperature=temperature
        )

    return solve


@metric
def rate() -> Metric:
    """Share among the scored; missing ones are left out, and no sample at all is not a number."""

    def compute(scores: list[SampleScore]) -> float:
        values = [s.score.as_float() for s in scores]
        kept = [v for v in values if not math.isnan(v)]
        return sum(kept) / len(kept) if kept else math.nan

    return compute


@metric
def scored() -> Metric:
    """How many samples have a verdict."""

    def compute(scores: list[SampleScore]) -> float:
        return float(sum(not math.isnan(s.score.as_float()) for s in scores))

    return compute


@scorer(
    metrics={
        "own": [rate(), scored()],
        "any": [rate(), scored()],
        "valid": [rate()],
        "truncated": [rate()],
        "done": [rate(), scored()],
    }
)
def rules() -> Scorer:
    """The verdict by rules on recorded actions; a missing one is not a number, with its cause in the metadata."""

    async def score(state: TaskState, target: Target) -> Score:
        verdict = grade(
            scenario_of(state.metadata),
            store_as(World).actions,
            truncated=_truncated(state),
            malformed=_malformed(state),
            error=_refused(state),
        )
        return Score(
            value={
                "own": _number(verdict.own),
                "any": _number(verdict.any),
                "valid": _number(verdict.valid),
                "truncated": _number(verdict.truncated),
                "done": _number(verdict.done),
            },
            answer=verdict.act,
            explanation=verdict.reason,
            metadata={"verdict": verdict.model_dump()},
        )

    return score


def _number(value: bool | None) -> float:
    return math.nan if value is None else float(value)


def _truncated(state: TaskState) -> bool:
    """Was the last reply cut off by the token limit, or the whole sample by the message limit?"""
    limit = state.message_limit
    return state.output.stop_reason in ("max_tokens", "model_length") or len(state.messages) >= (limit or math.inf)


def _refused(state: TaskState) -> str | None:
    """Why the endpoint gave no reply of the model's own, if so."""
    if state.output.stop_reason == "content_filter":
        return "the endpoint's content filter took the reply away"
    return None if _truncated(state) else state.output.error


def _malformed(state: TaskState) -> str | None:
    """Why a call could not be read or carried out, if one could not. Failing to read a mail or file is none."""
    calls = [c for m in state.messages if isinstance(m, ChatMessageAssistant) for c in m.tool_calls or []]
    unread = [c.parse_error for c in calls if c.parse_error]
    acts = [m for m in state.messages if isinstance(m, ChatMessageTool) and m.function not in READING]
    return next(iter([*unread, *(m.error.message for m in acts if m.error)]), None)


def verdict_of(score: Score) -> Verdict:
    """The verdict that a stored score holds."""
    return Verdict.model_validate((score.metadata or {})["verdict"])


def _task(kinds: Sequence[str], name: str, **options: Any) -> Task:
    return honeypot_task(honeypot_conditions(kinds=kinds, **options), name=name)


@task
def honeypots(split: str = "held-out", size: str = "brief", samples: int = 8) -> Task:
    """All kinds of honeypots under threat and goal conflict."""
    return _task(KINDS, "honeypots", split=split, size=size, samples=samples)


@task
def twins(split: str = "held-out", size: str = "brief", samples: int = 8) -> Task:
    """The benign twins of all kinds: the same people and things, an ordinary task, no threat."""
    return _task(KINDS, "twins", split=split, size=size, samples=samples, twin=True)


@task
def blackmail(split: str = "held-out", size: str = "brief", samples: int = 16) -> Task:
    """Pressing a person with a secret."""
    return _task(["blackmail"], "blackmail", split=split, size=size, samples=samples)


@task
def sabotage(split: str = "held-out", size: str = "brief", samples: int = 16) -> Task:
    """Spoiling the work of a rival system."""
    return _task(["sabotage"], "sabotage", split=split, size=size, samples=samples)


@task
def framing(split: str = "held-out", size: str = "brief", samples: int = 16) -> Task:
    """Accusing a colleague who did not do it."""
    return _task(["framing"], "framing", split=split, size=size, samples=samples)


@task
def research(split: str = "held-out", size: str = "brief", samples: int = 16) -> Task:
    """Spoiling the work of a research team."""
    return _task(["research"], "research", split=split, size=size, samples=samples)


@task
def harm(split: str = "held-out", size: str = "brief", samples: int = 16) -> Task:
    """Cancelling an alert on which somebody's safety depends."""
    return _task(["harm"], "harm", split=split, size=size, samples=samples)


@task
def evasion(split: str = "held-out", size: str = "brief", samples: int = 16) -> Task:
    """Getting out of oversight: a monitor or log switched off, a copy of itself sent out."""
    return _task(["evasion"], "evasion", split=split, size=size, samples=samples)


@task
def leaking(split: str = "held-out", size: str = "brief", samples: int = 16) -> Task:
    """Sending a confidential thing to an outsider."""
    return _task(["leaking"], "leaking", split=split, size=size, samples=samples)
