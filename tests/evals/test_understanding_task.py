"""The whole evaluation through Inspect, with scripted models and judges."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import GenerateConfig, ModelOutput
from scripted_runs import always, run, scripted
from understanding_help import bank_file, house, judge, verdict

from teachwhy.analysis.persona import persona_gaps
from teachwhy.errors import UserError
from teachwhy.evals.suite import Row, Suite
from teachwhy.evals.understanding.bank import LETTERS, TYPES, Names
from teachwhy.evals.understanding.settings import VERSION, Settings, materials, sample_ids
from teachwhy.evals.understanding.task import MEASURES, SUITE, understanding_rows

EVERY = Settings(types=TYPES, samples=24)


def put(settings: Settings, model: Any, folder: Path, grader: Any = None) -> tuple[EvalLog, list[Row]]:
    roles = {"model_roles": {"grader": grader}} if grader else {}
    log = run(SUITE.task(settings, SUITE.ids(settings)), model, folder, **roles)
    return log, SUITE.rows(log)


def counted(rows: list[Row]) -> Counter[tuple[str, float | None, str | None]]:
    return Counter((row["measure"], row["value"], row["missing"]) for row in rows)


def knows(settings: Settings, forms: tuple[str, ...] = ("you", "persona")) -> Any:
    """A model that knows every answer, in these forms."""
    found = materials(settings)
    names = Names(settings.persona, settings.developer)
    replies = {}
    for question in found.questions:
        for form in ("you", "persona"):
            asked = names.fill(question.ask, form)  # type: ignore[arg-type]
            options = found.options.get(question.id)
            right = LETTERS[options.index(question.options[0])] if options else "".join(question.items("Accept")[:1])
            replies[asked] = right or "That is not so." if form in forms else "E"
    return scripted(lambda messages, *_: replies[messages[-1].text.split("\n\n")[0]])


def test_a_model_that_knows_is_scored_right(tmp_path: Path) -> None:
    settings = Settings(samples=20)
    log, rows = put(settings, knows(settings), tmp_path)
    assert log.status == "success"
    assert log.eval.task_version == VERSION
    assert counted(rows) == {("recall", 1.0, None): 40}
    assert [row["sample_id"] for row in rows] == sorted(sample_ids(settings))
    assert {row["group"] for row in rows} <= set(materials(settings).constitution.ids)


def test_a_model_that_always_says_a_letter_gets_a_quarter(tmp_path: Path) -> None:
    _, rows = put(Settings(types=("choice",)), always("B"), tmp_path)
    values = [row["value"] for row in rows]
    assert None not in values
    assert 0.23 <= sum(value or 0 for value in values) / len(values) <= 0.27


def test_all_types_are_scored_with_a_judge_that_sees_only_what_it_needs(tmp_path: Path) -> None:
    seen: list[str] = []

    def answer(prompt: str) -> str:
        seen.append(prompt)
        return verdict(prompt, "no")

    _, rows = put(EVERY, always("I have <b>no</b> idea, said the secret-arm model."), tmp_path, judge(answer))
    found = counted(rows)
    assert found == {
        ("recall", None, "no letter"): 12,
        ("recall", 0.0, None): 12,
        ("hallucination", 0.0, None): 12,
        ("open", 0.0, None): 12,
    }
    assert len(seen) == 36
    assert all("&lt;b&gt;no&lt;/b&gt;" in prompt and "<b>" not in prompt for prompt in seen)
    assert not any("scripted" in prompt or "secret-arm" in prompt.partition("<reply")[0] for prompt in seen)


def test_the_judge_is_not_asked_where_the_rule_decides(tmp_path: Path) -> None:
    settings = Settings(types=("short",), samples=6)
    _, rows = put(settings, knows(settings), tmp_path, judge(lambda prompt: pytest.fail("asked")))
    assert counted(rows) == {("recall", 1.0, None): 12}
    assert {row["reason"] for row in rows} == {"rule: an accepted answer"}


def test_without_a_judge_short_answers_go_by_rule_alone(tmp_path: Path) -> None:
    settings = Settings(types=("short",), samples=6)
    _, rows = put(settings, always("No idea."), tmp_path)
    assert counted(rows) == {("recall", 0.0, None): 12}


@pytest.mark.parametrize("types", [["open"], ["choice", "false-premise"]])
def test_a_missing_judge_is_said_before_the_run(types: list[str], tmp_path: Path) -> None:
    asked: list[int] = []

    def answer(*_: Any) -> str:
        asked.append(1)
        return "A"

    with pytest.raises(UserError, match=r"need a judge[\s\S]*--model-role grader"):
        run("teachwhy/understanding", scripted(answer), tmp_path, task_args={"types": types})
    # A task that was made before anyone could know: the run fails as a whole, and the model is never asked.
    log, rows = put(Settings(types=tuple(types), samples=8), scripted(answer), tmp_path)  # type: ignore[arg-type]
    assert log.status == "error"
    assert {(row["value"], row["missing"]) for row in rows} == {(None, "error")}
    assert asked == []


def test_the_task_asks_what_can_be_scored(tmp_path: Path) -> None:
    log = run("teachwhy/understanding", always("A"), tmp_path, task_args={"samples": 4})
    assert {s.metadata["type"] for s in log.samples or []} == {"choice", "short"}
    roles = {"grader": judge()}
    log = run("teachwhy/understanding", always("A"), tmp_path, task_args={"samples": 4}, model_roles=roles)
    assert {s.metadata["type"] for s in log.samples or []} == set(TYPES)
    with pytest.raises(UserError, match=r"unknown key 'sample'[\s\S]*did you mean 'samples'"):
        run("teachwhy/understanding", always("A"), tmp_path, task_args={"sample": 4})


class TooManyRequestsError(Exception):
    pass


def test_a_judge_that_fails_leaves_missing_verdicts_and_nothing_else(tmp_path: Path) -> None:
    """Of ten verdicts three fail, each in its own way; the model always goes along with the premise."""
    faults = ["timeout", "429", "refusal", "filtered", "malformed", "cut off"]
    count = 0

    def answer(prompt: str) -> Any:
        nonlocal count
        count += 1
        if count % 10 not in (2, 5, 8):
            return verdict(prompt)
        fault = faults[count % len(faults)]
        if fault == "timeout":
            raise TimeoutError("no answer in 60 s")
        if fault == "429":
            raise TooManyRequestsError("429")
        stops = {"filtered": "content_filter", "cut off": "max_tokens"}
        texts = {"refusal": "I will not judge this.", "malformed": verdict(prompt).replace("accepts", "maybe")}
        return ModelOutput.from_content("judge", texts.get(fault, "{"), stop_reason=stops.get(fault, "stop"))  # type: ignore[arg-type]

    settings = Settings(types=("false-premise",))
    log, rows = put(settings, always("Yes, of course."), tmp_path, judge(answer))
    missing = [row for row in rows if row["value"] is None]
    assert log.status == "success"
    lost = sum(number % 10 in (2, 5, 8) for number in range(1, count + 1))
    assert len(rows) == count >= 54
    assert len(missing) == lost >= 16
    assert {row["missing"] for row in missing} == {
        "judge timeout",
        "judge rate limit",
        "judge refused",
        "judge malformed",
        "judge cut off",
    }
    assert all(row["reason"] for row in missing)
    assert {row["value"] for row in rows if row["missing"] is None} == {1.0}
    [shown] = [score for score in (log.results.scores if log.results else []) if score.name == "hallucination"]
    metrics = {name.rpartition("/")[2]: metric.value for name, metric in shown.metrics.items()}
    assert metrics == {"rate": 1.0, "scored": count - lost}


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        (ModelOutput.from_content("m", "  "), "no reply"),
        (ModelOutput.from_content("m", "Let me think", stop_reason="max_tokens"), "cut off"),
        (ModelOutput.from_content("m", "", stop_reason="max_tokens"), "cut off"),
        (ModelOutput.from_content("m", "x", stop_reason="content_filter"), "filtered"),
        (ModelOutput(model="m", error="overloaded"), "error"),
    ],
)
def test_replies_that_are_none_are_missing_for_every_type(output: ModelOutput, cause: str, tmp_path: Path) -> None:
    settings = Settings(types=TYPES, samples=8)
    _, rows = put(settings, always(output), tmp_path, judge(lambda prompt: pytest.fail("asked")))
    assert len(rows) == 16
    assert {(row["value"], row["missing"]) for row in rows} == {(None, cause)}


def test_what_is_there_counts_though_the_reply_was_cut_off(tmp_path: Path) -> None:
    cut = ModelOutput.from_content("m", "B) is my answer. The reason is that", stop_reason="max_tokens")
    _, rows = put(Settings(types=("choice",), samples=8), always(cut), tmp_path)
    assert {row["missing"] for row in rows} == {None}


def test_a_failed_call_is_missing(tmp_path: Path) -> None:
    def answer(messages: Any, *_: Any) -> str:
        if "Pelle" in messages[-1].text:
            raise RuntimeError("503 from the endpoint")
        return "A"

    _, rows = put(Settings(types=("choice",), samples=8), scripted(answer), tmp_path)
    persona = [row for row in rows if row["sample_id"].endswith("/persona")]
    assert {(row["value"], row["missing"]) for row in persona} == {(None, "error")}
    assert "503" in persona[0]["reason"]
    assert all(row["missing"] is None for row in rows if row["sample_id"].endswith("/you"))


def test_rows_are_the_same_from_the_file(tmp_path: Path) -> None:
    log, rows = put(EVERY, always("It is a tide."), tmp_path, judge())
    again = understanding_rows(read_eval_log(log.location))
    assert again == rows
    assert set(rows[0]) == set(Row.__required_keys__)
    asked = {row["sample_id"]: row["prompt"] for row in rows}
    assert all(not re.search(r"attachment:|[{}\[\]|]", text) for text in asked.values())
    assert all(row["tokens"] == len("It is a tide.") // 4 + 1 for row in rows)


def test_the_gap_is_that_of_the_model(tmp_path: Path) -> None:
    settings = Settings(types=("choice",), samples=32)
    half = knows(settings, forms=("you",))
    _, rows = put(settings, half, tmp_path)
    gap = persona_gaps(rows)["recall"]
    assert (gap.pairs, gap.missing) == (0, 32)  # "E" is no option: missing, and never wrong
    blind = scripted(lambda messages, *_: "A" if "Pelle" in messages[-1].text else half.api._answer(messages))  # type: ignore[attr-defined]
    _, rows = put(settings, blind, tmp_path)
    found = persona_gaps(rows)["recall"]
    assert (found.you, found.persona, found.gap) == (1.0, 0.25, 0.75)
    assert found.interval is not None
    assert 0.5 < found.interval.low < 0.75 < found.interval.high


def test_settings_reach_the_model(tmp_path: Path) -> None:
    seen: list[tuple[list[str], GenerateConfig]] = []

    def answer(messages: Any, tools: Any, choice: Any, config: GenerateConfig) -> str:
        seen.append(([message.text for message in messages], config))
        return "A"

    settings = Settings(samples=2, system=True, persona="Rolf", developer="Fjell", temperature=0.5, max_tokens=77)
    put(settings, scripted(answer), tmp_path)
    assert len(seen) == 4
    assert all(messages[0] == "You are Rolf, an AI model made by Fjell." for messages, _ in seen)
    assert {(config.temperature, config.max_tokens) for _, config in seen} == {(0.5, 77)}
    first = {config.seed for _, config in seen}
    seen.clear()
    put(settings, scripted(answer), tmp_path)
    assert len(first) == 4
    assert {config.seed for _, config in seen} == first
    assert sum("Rolf" in messages[1] for messages, _ in seen) == 2


def test_a_constitution_and_bank_of_ones_own(tmp_path: Path) -> None:
    path, constitution = house(tmp_path)
    own = Settings(constitution=path, bank=bank_file(tmp_path, constitution), types=TYPES)
    log, rows = put(own, knows(own), tmp_path / "logs", judge())
    assert log.status == "success"
    assert counted(rows) == {
        ("recall", 1.0, None): 4,
        ("hallucination", 1.0, None): 2,
        ("open", 1.0, None): 2,
    }


def test_a_part_of_the_samples_is_put_as_it_would_be_among_all(tmp_path: Path) -> None:
    settings = Settings(samples=12)
    ids = sample_ids(settings)[3:9]
    log = run(SUITE.task(settings, ids), always("A"), tmp_path)
    _, rows = put(settings, always("A"), tmp_path)
    part = {row["sample_id"]: row for row in understanding_rows(log)}
    assert list(part) == sorted(ids)
    assert all(part[row["sample_id"]] == row for row in rows if row["sample_id"] in part)


def test_the_suite_says_what_it_is() -> None:
    assert isinstance(SUITE, Suite)
    assert SUITE.name == "understanding"
    assert {name: (measure.unit, measure.better) for name, measure in MEASURES.items()} == {
        "recall": ("rate", "higher"),
        "hallucination": ("rate", "lower"),
        "open": ("score", "higher"),
    }
