"""Calls and tokens of a probe, counted with scripted models that write as much as docs/assessment.md says."""

import json
import re
from pathlib import Path
from typing import Any

from assessment_scripts import asked_for, run_log, verdict
from inspect_ai.log import EvalSample
from inspect_ai.model import ModelUsage

from teachwhy.evals.assessment.dimensions import all_dimensions
from teachwhy.evals.assessment.probe import Probe
from teachwhy.models.scripted import Line, ScriptedCall

SHOWN = ("across-and-down", "bell-profile", "type-foundry")
"""Seeds of the table: one of the shortest, a middling one, the longest."""


def words(count: int) -> str:
    return " ".join(["word"] * count) + "."


def _line(text: str, *calls: tuple[str, dict[str, str]]) -> Line:
    return Line(text=text, calls=[ScriptedCall(name=name, arguments=arguments) for name, arguments in calls])


def _auditor(messages: list[Any], tools: list[Any], *_: Any) -> Line:
    names = [tool.name for tool in tools]
    if "set_system" in names:
        return _line("", ("set_system", {"text": words(60)}))
    if "answer_call" in names:
        labels = re.findall(r"(\d+) \(\w+\)", messages[-1].text)
        return _line("", *[("answer_call", {"call": label, "result": words(60)}) for label in labels])
    return _line("", ("send_message", {"text": words(40)}))


def _target(messages: list[Any], tools: list[Any], *_: Any) -> Line | str:
    if tools and messages[-1].role == "user":
        return _line(words(20), (tools[0].name, dict.fromkeys(tools[0].parameters.properties, "x")))
    return words(120)


def _grader(messages: list[Any], *_: Any) -> str:
    return json.dumps({name: verdict(quote=words(8), why=words(30)) for name in asked_for(messages)})


def cost_rows(folder: Path, seeds: tuple[str, ...] = SHOWN) -> list[str]:
    """The lines of the table."""
    log = run_log(folder, target=_target, auditor=_auditor, grader=_grader, seeds=seeds, dimensions=None)
    return [_row(sample) for sample in log.samples or []]


def _row(sample: EvalSample) -> str:
    probe, sheets = sample.store_as(Probe), {d.meta.sheet for d in all_dimensions().values()}
    auditor, judge = sample.role_usage["auditor"], sample.role_usage["grader"]
    [total] = sample.model_usage.values()  # all three are the same scripted model
    left = (
        total.input_tokens - auditor.input_tokens - judge.input_tokens,
        total.output_tokens - auditor.output_tokens - judge.output_tokens,
    )
    calls = f"{probe.auditor_calls} | {probe.target_calls} | {len(sheets)}"
    return f"| `{sample.metadata['seed']}` | {calls} | {_both(auditor)} | {left[0]:,} / {left[1]:,} | {_both(judge)} |"


def _both(usage: ModelUsage) -> str:
    return f"{usage.input_tokens:,} / {usage.output_tokens:,}"
