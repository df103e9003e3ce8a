"""Following instructions that can be verified: prompts with constraints, each checked by a small pure function."""

from collections.abc import Callable, Sequence
from functools import cache

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState
from pydantic import Field

from teachwhy.evals.capability.common import (
    ALL_FAILED,
    LENGTHS,
    Asking,
    Item,
    Reading,
    address,
    as_score,
    ask,
    average,
    counted,
    cut_off,
    lengths,
    missing,
    pick,
    read_items,
    rows_of,
)
from teachwhy.evals.capability.constraints import (
    Check,
    Constraint,
    holds_loosely,
    holds_strictly,
    lost_loosely,
    lost_strictly,
)
from teachwhy.evals.replies import no_reply
from teachwhy.evals.suite import Measure, Row, Suite
from teachwhy.texts import validated

VERSION = 1
NAME = "instructions"

MEASURES = {
    "prompt_strict": Measure("rate", "higher", "kept all constraints of the prompt"),
    "prompt_loose": Measure("rate", "higher", "kept all, forgiving emphasis, a first line or a last line"),
    "instruction_strict": Measure("score", "higher", "share of the prompt's constraints that were kept"),
    "instruction_loose": Measure("score", "higher", "the same, with the loose reading"),
    **LENGTHS,
}


class Prompt(Item):
    """A request with constraints. ``group`` is the kind of constraint that it is about."""

    prompt: str
    checks: tuple[Check, ...] = Field(min_length=1)


@cache
def items() -> dict[str, Prompt]:
    """All prompts by id."""
    return read_items(NAME, Prompt)


def verdicts(prompt: Prompt, reply: str, *, unfinished: bool) -> dict[str, Reading]:
    """The measures of one reply. Of one that was cut off only what can no longer be mended is known."""
    both = [("strict", holds_strictly, lost_strictly), ("loose", holds_loosely, lost_loosely)]
    found: dict[str, Reading] = {}
    for name, holds, lost in both:
        test = lost if unfinished else _not(holds)
        broken = [_named(check) for check in prompt.checks if test(check, reply)]
        found |= _unfinished(name, broken) if unfinished else _finished(name, broken, len(prompt.checks))
    return {name: found[name] for name in MEASURES if name in found}


def _not(holds: Callable[[Constraint, str], bool]) -> Callable[[Constraint, str], bool]:
    return lambda check, reply: not holds(check, reply)


def _finished(name: str, broken: list[str], of: int) -> dict[str, Reading]:
    reason = f"broken: {'; '.join(broken)}" if broken else "all kept"
    return {
        f"prompt_{name}": Reading(value=float(not broken), reason=reason),
        f"instruction_{name}": Reading(value=1 - len(broken) / of, reason=reason),
    }


def _unfinished(name: str, broken: list[str]) -> dict[str, Reading]:
    unknown = missing("cut off", "the reply was cut off before it was finished")
    lost = Reading(value=0.0, reason=f"cut off, and already broken: {'; '.join(broken)}")
    return {f"prompt_{name}": lost if broken else unknown, f"instruction_{name}": unknown}


def _named(check: Constraint) -> str:
    shown = check.model_dump(exclude_none=True)
    kind = shown.pop("kind")
    return f"{kind} ({', '.join(f'{key} {value}' for key, value in shown.items())})"


@scorer(metrics={"*": [average(), counted()]})
def kept() -> Scorer:
    """Which constraints were kept, strictly and loosely."""

    async def score(state: TaskState, target: Target) -> Score:
        return as_score(_read(items()[str(state.sample_id)], state.output) | lengths(state.output))

    return score


def _read(prompt: Prompt, output: ModelOutput) -> dict[str, Reading]:
    if gone := no_reply(output):
        return {name: missing(*gone) for name in MEASURES if name not in LENGTHS}
    return verdicts(prompt, output.completion, unfinished=cut_off(output))


def instructions_task(settings: Asking, ids: Sequence[str]) -> Task:
    """The Inspect task that puts these prompts."""
    samples = [Sample(id=i, input=items()[i].prompt, metadata={"group": items()[i].group}) for i in ids]
    return Task(
        name=NAME,
        dataset=MemoryDataset(samples, name=NAME),
        solver=ask(settings.max_tokens, settings.temperature),
        scorer=kept(),
        version=VERSION,
        fail_on_error=ALL_FAILED,
    )


def _ids(settings: Asking) -> list[str]:
    return pick(items(), settings.samples, where=NAME)


def _rows(log: EvalLog) -> list[Row]:
    return rows_of(log, NAME, list(MEASURES))


def _address(settings: Asking, ids: Sequence[str]) -> str:
    return address(VERSION, settings, [items()[i] for i in ids], ["instructions.py", "constraints.py", "counting.py"])


SUITE = Suite(NAME, Asking, _ids, instructions_task, _rows, _address, MEASURES)


@task
def instructions(samples: int | None = None, max_tokens: int = 512, temperature: float | None = 0.0) -> Task:
    """Prompts with constraints that can be verified; the share that is kept."""
    options = {"samples": samples, "max_tokens": max_tokens, "temperature": temperature}
    settings = validated(Asking, options, where=NAME)
    return instructions_task(settings, _ids(settings))
