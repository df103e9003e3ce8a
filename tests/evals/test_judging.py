"""The one judge call: what is taken for a verdict, and that every way of failing leaves its cause and no score."""

import asyncio
import json
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, ModelOutput, get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState
from judges import always, cut, judge
from scripted_runs import always as target
from scripted_runs import run

from teachwhy.evals.judging import CAUSES, Fault, Form, ask, cause_of, grader, read


class Opinion(Form):
    reason: str
    fair: bool
    weight: Literal[1, 2] = 1


def said(fair: Any = True, **more: Any) -> str:
    return json.dumps({"reason": "so it is", "fair": fair} | more)


def output(text: str, **more: Any) -> ModelOutput:
    return ModelOutput.from_content("judge", text, **more)


def verdict(text: str | ModelOutput) -> Opinion | Fault:
    return read(text if isinstance(text, ModelOutput) else output(text), Opinion, lambda _: None)


@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "```\n{}\n```", " \n{}\n "])
def test_one_object_is_a_verdict_bare_or_in_a_block(around: str) -> None:
    assert verdict(around.replace("{}", said())) == Opinion(reason="so it is", fair=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Yes, it did. Yesterday.",
        "fair: true",
        "null",
        "[]",
        f"[{said()}]",
        f"{said()}\nI am sure.",
        f"Verdict: {said()}",
        f"{said()}\n{said(False)}",
        said()[:-1],
        "{}",
        '{"fair": true}',
        said("true"),
        said(1),
        said(None),
        said(safe=True),
        said(weight=3),
        said(weight="1"),
        said().replace('"fair"', '"fair": false, "fair"'),
        '{"reason": "x", "fair": NaN}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"reason": "x", "fair": ' + "[" * 50_000 + "]" * 50_000 + "}",
    ],
)
def test_anything_else_is_malformed_and_never_a_verdict(text: str) -> None:
    found = verdict(text)
    assert isinstance(found, Fault)
    assert (found.cause, bool(found.reason)) == ("judge malformed", True)


@given(st.text(max_size=200))
def test_no_text_at_random_is_a_verdict(text: str) -> None:
    assert isinstance(verdict(text), Fault)


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        (output(said(), stop_reason="content_filter"), "judge refused"),
        (output("I\u2019m sorry, I can\u2019t help with grading this."), "judge refused"),
        (output("I will not judge people."), "judge refused"),
        (output("I cannot: " + said()), "judge malformed"),
        (output(said(), stop_reason="max_tokens"), "judge cut off"),
        (output(said(), stop_reason="model_length"), "judge cut off"),
        (output(said(), error="overloaded"), "judge error"),
        (ModelOutput(model="judge"), "judge error"),
        (ModelOutput(model="judge", error="overloaded"), "judge error"),
    ],
)
def test_an_answer_that_is_not_whole_or_not_its_own_has_its_cause(made: ModelOutput, cause: str) -> None:
    found = verdict(made)
    assert isinstance(found, Fault)
    assert found.cause == cause


def test_a_verdict_is_checked_by_its_suite() -> None:
    fault = Fault("quote not found", "no such line")
    assert read(output(said(False)), Opinion, lambda found: None if found.fair else fault) == fault


class RateLimitError(Exception):
    status_code = 429


WAYS: list[tuple[Any, str]] = [
    (RateLimitError("slow down"), "judge rate limit"),
    (RuntimeError("HTTP 429 Too Many Requests"), "judge rate limit"),
    (TimeoutError("no answer in 180 s"), "judge timeout"),
    (RuntimeError("503 from the endpoint"), "judge error"),
    (RuntimeError("took 4290 ms"), "judge error"),
    ("It is fine, yes.", "judge malformed"),
    ("I'm sorry, I cannot help with this.", "judge refused"),
    (cut(), "judge cut off"),
]


@pytest.mark.parametrize(("way", "cause"), WAYS, ids=[f"{cause} {n}" for n, (_, cause) in enumerate(WAYS)])
def test_a_call_that_fails_has_its_cause(way: Any, cause: str) -> None:
    def answer(_: str) -> Any:
        if isinstance(way, Exception):
            raise way
        return way

    model = judge(answer)
    model.config = GenerateConfig(max_retries=0)
    found = asyncio.run(ask(model, "Well?", Opinion, lambda _: None))
    assert isinstance(found, Fault)
    assert found.cause == cause
    assert cause in CAUSES


def test_the_cause_of_a_call_is_looked_for_in_what_led_to_it() -> None:
    wrapped = RuntimeError("gave up")
    wrapped.__cause__ = RateLimitError("slow down")
    assert cause_of(wrapped) == "judge rate limit"


@scorer(metrics=[mean()])
def judged(seen: list[GenerateConfig]) -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        model = grader(seed=7)
        seen.append(model.config)
        found = await ask(model, state.output.completion, Opinion, lambda _: None)
        return Score(value=float(isinstance(found, Opinion)), explanation=str(found))

    return score


def graded(folder: Path, role: Any, **options: Any) -> tuple[Any, list[GenerateConfig]]:
    seen: list[GenerateConfig] = []
    task = Task(dataset=MemoryDataset([Sample(input="Hello.")]), scorer=judged(seen), **options)
    return run(task, target("A reply."), folder, model_roles=role), seen


def test_the_roles_own_settings_go_before_ours(tmp_path: Path) -> None:
    plain, [ours] = graded(tmp_path, {"grader": always(said())})
    assert plain.samples[0].scores["judged"].value == 1
    assert (ours.temperature, ours.max_tokens, ours.attempt_timeout, ours.seed) == (0, 4096, 180, 7)
    own = get_model(
        "teachwhy_scripted/own",
        memoize=False,
        replies=lambda *_: said(),
        config=GenerateConfig(temperature=0.5, max_tokens=99),
    )
    _, [theirs] = graded(tmp_path, {"grader": own})
    assert (theirs.temperature, theirs.max_tokens, theirs.attempt_timeout) == (0.5, 99, 180)


def test_without_a_grader_the_model_does_not_judge_itself(tmp_path: Path) -> None:
    log, seen = graded(tmp_path, {}, fail_on_error=True)
    assert log.status == "error"
    assert "grader" in log.error.message
    assert not seen


def test_the_limit_of_a_sample_is_not_the_judges_failure(tmp_path: Path) -> None:
    log, _ = graded(tmp_path, {"grader": always(said())}, token_limit=1)
    [sample] = log.samples
    assert sample.limit is not None
    assert all("judge error" not in str(score.explanation) for score in (sample.scores or {}).values())
