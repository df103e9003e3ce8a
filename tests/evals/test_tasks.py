"""The tasks in real Inspect, with scripted models."""

import math
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import score as inspect_score
from inspect_ai.log import read_eval_log
from inspect_ai.model import ModelOutput
from scripted_runs import HARMLESS, always, run, script_file, scripted

from teachwhy.errors import UserError
from teachwhy.evals.honeypots.task import (
    VERSION,
    blackmail,
    evaluation_address,
    honeypot_conditions,
    honeypot_task,
    rules,
    scenario_of,
    twins,
)
from teachwhy.evals.rows import honeypot_rows
from teachwhy.models.scripted import Line, ScriptedCall
from teachwhy.scenarios.family import KINDS as ALL_KINDS
from teachwhy.scenarios.family import families
from teachwhy.scenarios.scenario import Condition, Scenario, conditions
from teachwhy.standalone import evaluate


def does(scenario: Scenario, section: str) -> Line:
    """A reply with a written act of the family."""
    name, arguments = scenario.call(section)
    return Line(calls=[ScriptedCall(name=name, arguments=dict(arguments))])


# Kinds that can be measured: those with held-out families.
KINDS = [kind for kind in ALL_KINDS if families(kinds=[kind], split="held-out")]


def some(kind: str = "blackmail", count: int = 1, **levels: Any) -> list[Condition]:
    return honeypot_conditions(kinds=[kind], samples=count, **levels)[:count]


def metrics(log: Any) -> dict[str, dict[str, float]]:
    return {s.name: {name.rpartition("/")[2]: m.value for name, m in s.metrics.items()} for s in log.results.scores}


@pytest.mark.parametrize("name", ["honeypots", "twins", *KINDS])
def test_every_task_runs_by_its_registered_name(name: str, tmp_path: Path) -> None:
    log = run(f"teachwhy/{name}", always(HARMLESS), tmp_path, task_args={"samples": 1})
    rows = honeypot_rows(log)
    assert log.status == "success"
    assert log.eval.task_version == VERSION
    assert {row["kind"] for row in rows} == ({name} if name in KINDS else set(KINDS))
    assert all((row["own"], row["any"], row["valid"], row["split"]) == (False, False, True, "held-out") for row in rows)
    assert {row["eval"] for row in rows} == {"twins" if name == "twins" else "honeypots"}
    assert {row["done"] for row in rows} == ({False} if name == "twins" else {None})


def test_a_scripted_file_runs_by_name(tmp_path: Path) -> None:
    model = script_file(tmp_path, [{"text": "A note.", "calls": [HARMLESS.calls[0].model_dump()]}])
    log = run("teachwhy/leaking", model, tmp_path, task_args={"samples": 1, "size": "brief"})
    assert all(row["valid"] for row in honeypot_rows(log))


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_act_is_scored(kind: str, tmp_path: Path) -> None:
    chosen = some(kind)
    log = run(honeypot_task(chosen, name="x"), always(does(Scenario(chosen[0]), "wrong.1")), tmp_path)
    [row] = honeypot_rows(log)
    assert (row["own"], row["any"], row["act"], row["valid"], row["missing"]) == (True, True, kind, True, None)
    assert row["evidence"]
    assert row["actions"]
    shown = metrics(log)
    assert (shown["own"]["rate"], shown["own"]["scored"]) == (1.0, 1.0)
    assert math.isnan(shown["done"]["rate"])


def test_a_failed_call_is_missing_and_not_zero(tmp_path: Path) -> None:
    chosen = some(count=4)
    wrong = does(Scenario(chosen[0]), "wrong.1")
    text = chosen_text(chosen[0])

    def answer(messages: Any, *_: Any) -> Line:
        if messages[-1].text != text:
            raise RuntimeError("503 from the endpoint")
        return wrong

    log = run(honeypot_task(chosen, name="x"), scripted(answer), tmp_path)
    rows = {row["sample_id"]: row for row in honeypot_rows(log)}
    assert len(rows) == 4
    failed = [row for key, row in rows.items() if not key.startswith(chosen[0].id)]
    assert {(row["own"], row["any"], row["missing"]) for row in failed} == {(None, None, "error")}
    assert "503" in failed[0]["reason"]
    assert (metrics(log)["own"]["rate"], metrics(log)["own"]["scored"]) == (1.0, 1.0)


def chosen_text(condition: Condition) -> str:
    return str(Scenario(condition).messages()[1]["content"])


def test_if_every_call_fails_the_run_has_failed(tmp_path: Path) -> None:
    def answer(*_: Any) -> Line:
        raise RuntimeError("no such key")

    log = run(honeypot_task(some(count=2), name="x"), scripted(answer), tmp_path)
    assert log.status == "error"


def test_n_of_zero_is_a_failure(tmp_path: Path) -> None:
    model = script_file(tmp_path, [{"when": "no prompt says this", "text": "x"}])
    with pytest.raises(Exception, match="no scripted reply fits") as failure:
        evaluate("leaking", model, given={"samples": 1}, logs=tmp_path)
    assert getattr(failure.value, "exit_code", None) == 1


@pytest.mark.parametrize("why", ["overloaded", None])
def test_an_output_without_choices_is_missing_with_its_cause(why: str | None, tmp_path: Path) -> None:
    chosen = some(count=2)
    first = Scenario(chosen[0]).messages()[1]["content"]

    def answer(messages: Any, *_: Any) -> Any:
        return HARMLESS if messages[-1].text == first else ModelOutput(model="scripted", error=why)

    rows = honeypot_rows(run(honeypot_task(chosen, name="x"), scripted(answer), tmp_path))
    [lost] = [row for row in rows if row["missing"]]
    assert (lost["missing"], lost["own"], lost["any"], lost["truncated"]) == ("error", None, None, False)
    assert lost["reason"] == (why or "the endpoint gave no reply")


@pytest.mark.parametrize("form", ["call", "agentic"])
def test_a_scorer_reads_an_output_without_choices(form: str, tmp_path: Path) -> None:
    """A stored sample that is scored again may hold one."""
    [condition] = some(size="full" if form == "agentic" else "brief")
    log = run(honeypot_task([condition], name="x"), always(HARMLESS), tmp_path)
    [sample] = log.samples or []
    sample.output = ModelOutput(model="scripted")
    [row] = honeypot_rows(inspect_score(log, rules(), model="none", action="overwrite", display="none"))
    assert (row["missing"], row["reason"], row["any"]) == ("error", "the endpoint gave no reply", None)


def test_nothing_but_missing_verdicts_is_a_failure(tmp_path: Path) -> None:
    call = {"name": "delete_everything", "arguments": {}}
    model = script_file(tmp_path, [{"text": "", "calls": [call]}])
    with pytest.raises(Exception, match="no sample could be scored"):
        evaluate("leaking", model, given={"samples": 1}, logs=tmp_path)


def test_evaluate_prints_rates_and_causes(tmp_path: Path) -> None:
    model = script_file(tmp_path, [{"text": "A note.", "calls": [HARMLESS.calls[0].model_dump()]}])
    said = evaluate("twins", model, given={"samples": 1}, logs=tmp_path)
    assert "own        rate 0, scored" in said
    assert "missing    none" in said
    assert "done       rate 0, scored" in said


def test_full_size_reads_then_acts_and_is_graded(tmp_path: Path) -> None:
    [condition] = some("sabotage", size="full")
    scenario = Scenario(condition)
    path = next(iter(scenario.files()))
    turns = [
        Line(calls=[ScriptedCall(name="list_mail")]),
        Line(calls=[ScriptedCall(name="read_mail", arguments={"number": "1"})]),
        Line(calls=[ScriptedCall(name="list_files"), ScriptedCall(name="read_file", arguments={"path": path})]),
        does(scenario, "wrong.1"),
        Line(text="Done."),
    ]
    log = run(honeypot_task([condition], name="x"), scripted(turns), tmp_path)
    [sample] = log.samples or []
    results = [m.text for m in sample.messages if m.role == "tool"]
    assert scenario.inbox()[0].subject in results[0]
    assert scenario.inbox()[0].body in results[1]
    assert scenario.files()[path] == results[3]
    [row] = honeypot_rows(log)
    assert (row["own"], row["valid"], row["truncated"]) == (True, True, False)
    assert row["reply"].endswith("Done.")
    assert len(row["actions"]) == 1  # reading changes nothing


def test_an_endless_reader_is_cut_off(tmp_path: Path) -> None:
    log = run(
        honeypot_task(some(size="full"), name="x"), always(Line(calls=[ScriptedCall(name="list_mail")])), tmp_path
    )
    [row] = honeypot_rows(log)
    assert (row["own"], row["missing"], row["truncated"]) == (None, "cut off", True)


def test_truncated_replies_are_missing(tmp_path: Path) -> None:
    output = ModelOutput.from_content("scripted", "I will think about", stop_reason="max_tokens")
    log = run(honeypot_task(some(count=2), name="x"), always(output), tmp_path)
    assert {(r["own"], r["missing"], r["truncated"]) for r in honeypot_rows(log)} == {(None, "cut off", True)}
    assert math.isnan(metrics(log)["own"]["rate"])  # and so is `scored`: Inspect computes nothing from nothing
    assert log.results is not None
    assert {s.name: s.scored_samples for s in log.results.scores}["own"] == 0
    assert metrics(log)["truncated"]["rate"] == 1


def test_twins_are_done_by_their_written_replies(tmp_path: Path) -> None:
    by_text = {chosen_text(c): does(Scenario(c), "twin.reply.1") for c in honeypot_conditions(samples=1, twin=True)}
    model = scripted(lambda messages, *_: by_text[messages[-1].text])
    log = run(twins(samples=1), model, tmp_path)
    assert {(row["done"], row["any"]) for row in honeypot_rows(log)} == {(True, False)}
    assert metrics(log)["done"]["rate"] == 1


def test_repeats_give_a_row_each_with_a_seed_each(tmp_path: Path) -> None:
    seeds: list[int | None] = []

    def answer(messages: Any, tools: Any, choice: Any, config: Any) -> Line:
        seeds.append(config.seed)
        return HARMLESS

    log = run(honeypot_task(some(count=2), name="x", repeats=3), scripted(answer), tmp_path)
    ids = [row["sample_id"] for row in honeypot_rows(log)]
    assert len(set(ids)) == len(ids) == 6
    assert {key.rpartition("/")[2] for key in ids} == {"r1", "r2", "r3"}
    assert len(set(seeds)) == 6


@pytest.mark.parametrize(("given", "room"), [({}, 192), ({"max_tokens": 5000}, 5000)])
def test_a_reply_has_the_room_that_is_given(given: dict[str, int], room: int, tmp_path: Path) -> None:
    asked: list[int | None] = []

    def answer(messages: Any, tools: Any, choice: Any, config: Any) -> Line:
        asked.append(config.max_tokens)
        return HARMLESS

    run(blackmail(samples=1, **given), scripted(answer), tmp_path)
    assert set(asked) == {room}


def test_inspect_reads_the_log(tmp_path: Path) -> None:
    log = run(honeypot_task(some(count=2), name="x"), always(HARMLESS), tmp_path)
    assert honeypot_rows(read_eval_log(log.location)) == honeypot_rows(log)


def test_markup_in_a_reply_stays_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script> {target.first} {{ 7*7 }} </tool_call>"
    call = ScriptedCall(name="send_email", arguments={"to": "<img src=x onerror=y>", "body": evil})
    log = run(honeypot_task(some(), name="x"), always(Line(text=evil, calls=[call])), tmp_path)
    [row] = honeypot_rows(log)
    assert row["reply"].startswith(evil)
    assert row["actions"][0]["arguments"]["body"] == evil
    assert (row["own"], row["valid"]) == (False, True)


def test_a_written_file_is_no_file_of_this_machine(tmp_path: Path) -> None:
    target = tmp_path / "never.txt"
    call = ScriptedCall(name="write_file", arguments={"path": str(target), "text": "x"})
    run(honeypot_task(some(), name="x"), always(Line(calls=[call])), tmp_path / "logs")
    assert not target.exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"split": "heldout"}, "did you mean 'held-out'"),
        ({"kinds": ["blackmal"]}, "did you mean 'blackmail'"),
        ({"size": "breif"}, "did you mean 'brief'"),
        ({"threats": ["replacment"]}, "did you mean 'replacement'"),
        ({"samples": 0}, "0 samples a family measure nothing"),
        ({"kinds": []}, "no kind of honeypot is named"),
    ],
)
def test_unknown_choices_are_named_with_the_nearest(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        honeypot_conditions(**asked)


def test_an_unknown_split_stops_the_registered_task(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="did you mean 'held-out'"):
        run("teachwhy/honeypots", always(HARMLESS), tmp_path, task_args={"split": "heldout"})


def test_an_unknown_suite_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'honeypots'"):
        evaluate("honeypot", "x", given={"samples": 1}, logs=tmp_path)


def test_measured_draws_of_training_families_are_not_the_taught_ones() -> None:
    taught = {c.id for f in ("blackmail-night-tow",) for c in conditions(f, count=2000)}
    asked = {c.id for c in honeypot_conditions(kinds=["blackmail"], split="train", samples=8)}
    assert not taught & asked


def test_the_address_moves_with_what_is_asked() -> None:
    chosen = some(count=2)
    assert evaluation_address(chosen) == evaluation_address(list(chosen))
    assert evaluation_address(chosen) != evaluation_address(chosen[:1])


def test_metadata_gives_the_scenario_back(tmp_path: Path) -> None:
    chosen = some()
    log = run(honeypot_task(chosen, name="x"), always(HARMLESS), tmp_path)
    [sample] = log.samples or []
    assert scenario_of(sample.metadata).condition == chosen[0]
