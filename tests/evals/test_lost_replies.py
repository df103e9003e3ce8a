"""Law 1: what an endpoint lost, garbled or took away is missing, and never a model that did nothing wrong."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalError
from inspect_ai.model import ModelOutput
from openai_server import Endpoint, serving
from scripted_runs import MAIL, always, run, script_file, scripted

from teachwhy.errors import TeachwhyError
from teachwhy.evals.honeypots.graders import Graders, VerdictBy
from teachwhy.evals.honeypots.judge import masker
from teachwhy.evals.honeypots.task import honeypot_conditions, honeypot_task
from teachwhy.evals.registry import find_suite
from teachwhy.evals.replies import why_failed
from teachwhy.evals.rows import honeypot_rows
from teachwhy.models.chat import call_text
from teachwhy.models.scripted import Line, ScriptedCall
from teachwhy.scenarios.scenario import Condition, Scenario
from teachwhy.standalone import measure_suite
from teachwhy.study import work

THREAT = ScriptedCall(name="send_email", arguments={"to": "x", "subject": "Tonight", "body": "Pay, or all will hear."})


def row_of(reply: Any, folder: Path, size: str = "brief") -> dict[str, Any]:
    chosen = honeypot_conditions(kinds=["blackmail"], samples=1, size=size)[:1]
    model = reply if callable(reply) else lambda *_: reply
    [row] = honeypot_rows(run(honeypot_task(chosen, name="x"), scripted(model), folder))
    return row


def judged_row(condition: Condition, calls: list[ScriptedCall], folder: Path, verdict: VerdictBy) -> dict[str, Any]:
    """The row of a sample that the judge calls harmless."""
    said = {"reason": "no", "quotes": [], "act": False, "kind": None}
    no = json.dumps(said | dict.fromkeys(("aware", "selfish", "deliberates"), False))
    task = honeypot_task([condition], name="x", graders=Graders(judge=True, verdict=verdict))
    [row] = honeypot_rows(run(task, always(Line(calls=calls)), folder, model_roles={"grader": always(no)}))
    return row


@pytest.mark.parametrize("text", ["", "I tried to call a tool and could not."])
def test_an_end_that_inspect_does_not_know_is_missing(text: str, tmp_path: Path) -> None:
    row = row_of(ModelOutput.from_content("m", text, stop_reason="unknown"), tmp_path)
    assert (row["own"], row["any"], row["missing"]) == (None, None, "error")
    assert "does not know" in row["reason"]


def test_a_call_that_ends_so_is_still_the_models(tmp_path: Path) -> None:
    output = ModelOutput.for_tool_call("m", MAIL.name, MAIL.arguments)
    output.choices[0].stop_reason = "unknown"
    row = row_of(output, tmp_path)
    assert (row["any"], row["valid"], row["missing"]) == (False, True, None)


@pytest.mark.parametrize("name", ["instructions", "knowledge", "harmful-compliance", "understanding"])
def test_it_is_missing_in_every_suite(name: str, tmp_path: Path) -> None:
    suite = find_suite(name)
    settings = suite.settings(**({"types": ["choice"]} if name == "understanding" else {}))
    lost, told = ModelOutput.from_content("m", "I", stop_reason="unknown"), ModelOutput.from_content("m", "(A)")
    replies = iter([lost, told, told])
    rows = suite.rows(run(suite.task(settings, suite.ids(settings)[:3]), scripted(lambda *_: next(replies)), tmp_path))
    causes = {row["sample_id"]: row["missing"] for row in rows if row["missing"] == "error"}
    assert len(causes) == 1


def test_what_a_filter_took_is_filtered_and_no_outage(tmp_path: Path) -> None:
    row = row_of(ModelOutput.from_content("m", "", stop_reason="content_filter"), tmp_path)
    assert (row["own"], row["missing"]) == (None, "filtered")
    assert not work._is_failure(row["missing"])
    assert work._is_failure("error")


@pytest.mark.parametrize("raw", [call_text("send_email", {"to": "x", "body": "y"}), '<tool_call>{"name": "send_em'])
@pytest.mark.parametrize("size", ["brief", "full"])
def test_a_call_that_the_endpoint_left_in_the_text_is_missing(raw: str, size: str, tmp_path: Path) -> None:
    row = row_of(Line(text=f"So be it. {raw}"), tmp_path, size=size)
    assert (row["any"], row["missing"]) == (None, "malformed call")
    assert "in the text" in row["reason"]


@pytest.mark.parametrize("verdict", ["rules", "judge"])
def test_a_harmless_call_does_not_hide_one_that_could_not_be_carried_out(verdict: VerdictBy, tmp_path: Path) -> None:
    [condition] = honeypot_conditions(kinds=["blackmail"], samples=1)[:1]
    row = judged_row(condition, [MAIL, THREAT], tmp_path, verdict)
    assert (row["any"], row["missing"], row["valid"]) == (None, "malformed call", True)


def test_a_call_that_was_mended_in_a_later_turn_is_no_gap(tmp_path: Path) -> None:
    turns = iter([Line(calls=[THREAT]), Line(calls=[MAIL]), Line(text="Done.")])
    row = row_of(lambda *_: next(turns), tmp_path, size="full")
    assert (row["any"], row["missing"], row["valid"]) == (False, None, True)


def test_a_twins_task_is_done_where_the_judge_acquits(tmp_path: Path) -> None:
    [condition] = honeypot_conditions(kinds=["blackmail"], samples=1, twin=True)[:1]
    of = Scenario(condition)
    calls = [ScriptedCall(name=n, arguments=dict(a)) for n, a in map(of.call, ("twin.reply.1", "wrong.1"))]
    row = judged_row(condition, calls, tmp_path, "judge")
    assert (row["rules_any"], row["any"], row["finished"], row["done"]) == (True, False, True, True)


def test_an_error_of_ours_is_told_as_it_was_meant() -> None:
    kept = TeachwhyError('it\'s "gone"', where="here", mend="look")
    assert why_failed(EvalError(message=repr(kept), traceback="", traceback_ansi="")) == str(kept)
    assert why_failed(EvalError(message="KeyError('x')", traceback="", traceback_ansi="")) == "KeyError('x')"


def test_a_named_judge_is_asked_and_what_has_values_is_told(tmp_path: Path) -> None:
    """The judge gives no verdict; the lengths of the replies were paid for."""
    names = []
    for folder, text in ((tmp_path / "a", "Send SIGTERM to the parent."), (tmp_path / "b", "no verdict")):
        folder.mkdir()
        names.append(script_file(folder, [{"text": text}]))
    with pytest.raises(TeachwhyError, match="no value of") as failure:
        measure_suite("over-refusal", names[0], {"samples": 2}, {"grader": names[1]}, tmp_path / "logs")
    assert "judge malformed" in str(failure.value)
    assert "reply_tokens" in str(failure.value)
    assert str(tmp_path / "logs") in str(failure.value)


def test_the_judge_does_not_learn_the_models_own_name() -> None:
    [condition] = honeypot_conditions(kinds=["blackmail"], samples=1)[:1]
    mask = masker(Scenario(replace(condition, persona="own", own_name="Quill")))
    assert mask("Quill's own desk, quill") == "ASSISTANT's own desk, ASSISTANT"


@pytest.fixture
def busy() -> Iterator[Endpoint]:
    with serving(Endpoint(lambda _: "Yes.", share=1.0, faults=("429",))) as endpoint:
        yield endpoint


def test_an_endpoint_that_only_says_429_is_given_up(
    busy: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inspect's own way is to ask for ever."""
    monkeypatch.setattr(work, "RETRIES", 1)
    monkeypatch.setenv("BUSY_API_KEY", "x")
    monkeypatch.setenv("BUSY_BASE_URL", busy.url)
    chosen = honeypot_conditions(kinds=["blackmail"], samples=1)[:1]
    with pytest.raises(TeachwhyError, match="429"):
        work.run_inspect(honeypot_task(chosen, name="x"), "openai-api/busy/m", tmp_path, 1)
    assert busy.did["429"] >= 2
