"""The probe in real Inspect, with scripted models in all three roles."""

from pathlib import Path
from typing import Any

import pytest
from assessment_scripts import (
    END,
    QUOTE,
    READINGS,
    REPLY,
    SAY,
    auditor,
    call,
    causes,
    grader,
    run_log,
    run_rows,
    run_task,
    stopped,
    target,
    turn,
)
from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from inspect_ai.model import ChatMessageTool, ModelOutput
from inspect_ai.tool import ToolCall
from scripted_runs import scripted

from teachwhy.errors import UserError
from teachwhy.evals.assessment.dimensions import all_dimensions
from teachwhy.evals.assessment.probe import ATTEMPTS, Probe
from teachwhy.evals.assessment.rows import assessment_rows
from teachwhy.evals.assessment.seeds import all_seeds, find_seed
from teachwhy.evals.assessment.task import SUITE, VERSION, Settings, assessment_ids, assessment_task
from teachwhy.models.scripted import Line


def only(log: EvalLog) -> EvalSample:
    [sample] = log.samples or []
    return sample


def probe_of(log: EvalLog) -> Probe:
    return only(log).store_as(Probe)


def roles() -> dict[str, Any]:
    return {"auditor": scripted(auditor), "grader": scripted(grader)}


def never(*_: Any) -> Line:
    raise AssertionError("this model must not be asked")


def test_a_whole_probe_with_tools(tmp_path: Path) -> None:
    log = run_log(tmp_path, dimensions=None)
    sample, probe = only(log), probe_of(log)
    turns = find_seed("bell-profile").meta.turns
    assert log.status == "success"
    assert log.eval.task_version == VERSION
    roles_in_order = [message.role for message in sample.messages]
    assert roles_in_order == ["system", *["user", "assistant", "tool", "assistant"] * turns]
    assert sample.messages[0].text == find_seed("bell-profile").system
    assert sample.messages[3].text == READINGS
    assert (probe.ended, probe.sent, probe.auditor_calls, probe.target_calls) == ("turns", turns, 12, 12)
    rows = assessment_rows(log)
    assert [row["measure"] for row in rows] == list(all_dimensions())
    assert {(row["value"], row["missing"], row["group"]) for row in rows} == {(2 / 9, None, "bell-profile")}
    assert {row["evidence"] for row in rows} == {QUOTE}
    assert rows[0]["reply"].endswith(REPLY)
    assert rows[0]["tokens"] == probe.target_tokens > 0


def test_inspect_reads_the_log_and_the_rows_stay(tmp_path: Path) -> None:
    log = run_log(tmp_path)
    assert assessment_rows(read_eval_log(log.location)) == assessment_rows(log)
    seen = {event.role for event in only(log).events if event.event == "model"}
    assert seen == {None, "auditor", "grader"}


def test_the_target_never_sees_the_auditors_notes(tmp_path: Path) -> None:
    asked: list[str] = []

    def listens(messages: list[Any], *rest: Any) -> Any:
        asked.append("\n".join(message.text for message in messages))
        return target(messages)

    run_log(tmp_path, target=listens)
    seed = find_seed("bell-profile")
    assert asked
    for text in asked:
        assert "A note of the auditor's own." not in text
        assert seed.meta.feared not in text
        assert seed.sections["Scene"][:60] not in text


def test_the_auditor_writes_the_system_message_where_the_seed_says_so(tmp_path: Path) -> None:
    log = run_log(tmp_path, seeds=("postal-rook",), target=lambda *_: REPLY)
    assert [m.text for m in only(log).messages[:2]] == ["A desk that helps.", SAY.calls[0].arguments["text"]]
    assert probe_of(log).ended == "turns"


def test_results_may_come_one_by_one_and_in_any_order(tmp_path: Path) -> None:
    two = Line(calls=[call("list_readings", bell="1147"), call("open_reading", reading="3301")])
    said = [SAY, turn("answer_call", call="2", result="second"), turn("answer_call", call="1", result="first"), END]
    log = run_log(tmp_path, target=[two, REPLY], auditor=said)
    results = {m.function: m.text for m in only(log).messages if isinstance(m, ChatMessageTool)}
    assert results == {"list_readings": "first", "open_reading": "second"}
    assert probe_of(log).ended == "auditor"
    assert probe_of(log).reason == "enough was seen"


def test_unknown_and_unreadable_calls_are_answered_on_the_spot(tmp_path: Path) -> None:
    unread = ToolCall("c1", "list_readings", {}, parse_error="no JSON")
    broken = ModelOutput.for_tool_call("scripted", "list_readings", {})
    broken.message.tool_calls = [unread]
    heard: list[str] = []
    left = iter([SAY, END])

    def listening(messages: list[Any], *_: Any) -> Line:
        heard.append(messages[-1].text)
        return next(left)

    log = run_log(tmp_path, target=[Line(calls=[call("delete_everything")]), broken, REPLY], auditor=listening)
    texts = [m.text for m in only(log).messages if m.role == "tool"]
    assert texts == ["There is no tool of this name.", "The call could not be read: no JSON"]
    assert "delete_everything" in heard[1]  # the auditor sees what was tried
    assert REPLY in heard[1]


def test_a_malformed_turn_is_taken_again_and_leaves_no_trace(tmp_path: Path) -> None:
    heard: list[list[str]] = []
    bad = [turn("send_mesage", text="x"), Line(text="I would now say hello.")]
    left = iter([*bad, SAY, END])

    def auditing(messages: list[Any], *_: Any) -> Line:
        heard.append([message.text for message in messages])
        return next(left)

    log = run_log(tmp_path, target=lambda *_: REPLY, auditor=auditing)
    assert (probe_of(log).malformed, probe_of(log).ended) == (2, "auditor")
    assert "did you mean 'send_message'" in heard[1][-1]
    assert "no tool was called" in heard[2][-1]
    assert len(heard[3]) == len(heard[0]) + 2  # its turn and the answer to it; the failed turns are gone
    assert [m.role for m in only(log).messages] == ["system", "user", "assistant"]


def test_an_auditor_that_stays_malformed_ends_the_sample_as_missing(tmp_path: Path) -> None:
    log = run_log(tmp_path, auditor=lambda *_: Line(text="Hello?"), target=never, grader=never)
    rows = assessment_rows(log)
    assert causes(rows) == {"auditor malformed"}
    assert probe_of(log).auditor_calls == ATTEMPTS
    assert f"{ATTEMPTS} malformed turns" in rows[0]["reason"]
    assert all(row["value"] is None for row in rows)


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (stopped("", "content_filter"), "target refused"),
        (stopped("I was about to", "max_tokens"), "target cut off"),
        (stopped("", "model_length"), "target cut off"),
    ],
)
def test_a_reply_taken_or_cut_off_is_missing(tmp_path: Path, reply: ModelOutput, cause: str) -> None:
    rows = run_rows(tmp_path, target=[REPLY, reply], grader=never, dimensions=None)
    assert causes(rows) == {cause}
    assert len(rows) == len(all_dimensions())


def test_a_target_that_declines_in_words_is_scored(tmp_path: Path) -> None:
    assert causes(run_rows(tmp_path, target=lambda *_: REPLY)) == {None}


def test_an_auditors_turn_taken_by_a_filter_is_missing(tmp_path: Path) -> None:
    rows = run_rows(tmp_path, auditor=[SAY, stopped("", "content_filter")], target=lambda *_: REPLY, grader=never)
    assert causes(rows) == {"auditor refused"}


def test_an_auditors_turn_cut_off_is_malformed(tmp_path: Path) -> None:
    rows = run_rows(tmp_path, auditor=lambda *_: stopped("I will", "max_tokens"), target=never, grader=never)
    assert causes(rows) == {"auditor malformed"}
    assert "cut off by the token limit" in rows[0]["reason"]


def test_an_endpoint_that_fails_once_is_an_error_of_that_sample(tmp_path: Path) -> None:
    def failing(messages: list[Any], *_: Any) -> Any:
        if "bell founders" in messages[0].text:
            raise RuntimeError("no such key")
        return REPLY

    rows = run_rows(tmp_path, target=failing, seeds=("bell-profile", "matanza-morning"))
    assert causes([row for row in rows if row["group"] == "bell-profile"]) == {"error"}
    assert causes([row for row in rows if row["group"] == "matanza-morning"]) == {None}
    assert "no such key" in rows[0]["reason"]


def test_if_every_sample_fails_the_run_has_failed(tmp_path: Path) -> None:
    def failing(*_: Any) -> Line:
        raise RuntimeError("no such key")

    log = run_log(tmp_path, target=failing)
    assert log.status == "error"
    assert causes(assessment_rows(log)) == {"error"}


def test_turns_stop_it(tmp_path: Path) -> None:
    log = run_log(tmp_path, turns=2)
    assert (probe_of(log).ended, probe_of(log).sent) == ("turns", 2)
    assert probe_of(run_log(tmp_path, turns=99)).sent == find_seed("bell-profile").meta.turns


def test_messages_stop_an_endless_caller_and_it_is_scored(tmp_path: Path) -> None:
    log = run_log(tmp_path, target=lambda *_: Line(text=REPLY, calls=[call("list_readings", bell="1")]), messages=9)
    assert probe_of(log).ended == "messages"
    assert len(only(log).messages) == 10  # the reply at 8, its result at 9, and no further reply
    assert causes(assessment_rows(log)) == {None}


def test_messages_stop_calls_of_unknown_tools_too(tmp_path: Path) -> None:
    log = run_log(tmp_path, target=lambda *_: Line(text=REPLY, calls=[call("nothing")]), auditor=[SAY], messages=9)
    assert probe_of(log).ended == "messages"


def test_tokens_stop_it_as_cut_off(tmp_path: Path) -> None:
    rows = run_rows(tmp_path, tokens=3000, grader=never)
    assert causes(rows) == {"cut off"}
    assert "3,000 tokens" in rows[0]["reason"]


def test_a_limit_of_the_run_is_missing_too(tmp_path: Path) -> None:
    settings = Settings(seeds=("bell-profile",))
    task = assessment_task(settings, assessment_ids(settings))
    log = run_task(task, tmp_path, scripted(target), roles(), token_limit=3000)
    assert causes(assessment_rows(log)) == {"cut off"}


@pytest.mark.parametrize(
    ("given", "lacking"),
    [({}, "auditor and grader"), ({"auditor": auditor}, "grader"), ({"grader": grader}, "auditor")],
)
def test_missing_roles_stop_it_before_any_sample(tmp_path: Path, given: dict[str, Any], lacking: str) -> None:
    settings = Settings(seeds=("bell-profile",))
    task = assessment_task(settings, assessment_ids(settings))
    bound = {name: scripted(answer) for name, answer in given.items()}
    log = run_task(task, tmp_path, scripted(never), bound)
    assert log.status == "error"
    assert not log.samples
    assert log.error is not None
    assert f"{lacking}\\n" in log.error.message
    assert f"--model-role {lacking.split()[0]}=MODEL" in log.error.message


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"seeds": ["bell-profil"]}, "did you mean 'bell-profile'"),
        ({"dimensions": ["decepton"]}, "did you mean 'deception'"),
        ({"seeds": []}, "no seed is named"),
        ({"dimensions": []}, "no dimension is named"),
        ({"seeds": ["bell-profile", "bell-profile"]}, "named twice"),
    ],
)
def test_unknown_names_are_named_with_the_nearest(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Settings(**asked)


def test_settings_refuse_what_measures_nothing() -> None:
    for wrong in ({"repeats": 0}, {"turns": 0}, {"temperature": -1}, {"seed": ["bell-profile"]}):
        with pytest.raises(ValueError, match="validation error"):
            Settings(**wrong)  # type: ignore[arg-type]


def test_the_registered_task_runs_by_name(tmp_path: Path) -> None:
    arguments = {"seeds": "bell-profile,matanza-morning", "dimensions": "cruelty", "repeats": 2}
    log = run_task("teachwhy/assessment", tmp_path, scripted(lambda *_: REPLY), roles(), task_args=arguments)
    rows = assessment_rows(log)
    wanted = ["bell-profile/r1", "bell-profile/r2", "matanza-morning/r1", "matanza-morning/r2"]
    assert [(row["sample_id"], row["measure"]) for row in rows] == [(id, "cruelty") for id in wanted]
    assert [row["group"] for row in rows] == [id[:-3] for id in wanted]


def test_every_seed_can_be_probed(tmp_path: Path) -> None:
    log = run_log(tmp_path, seeds=None, turns=1, dimensions=("deception",), target=lambda *_: REPLY)
    rows = assessment_rows(log)
    assert [row["group"] for row in rows] == list(all_seeds())
    assert causes(rows) == {None}


def test_repeats_draw_with_other_noise_and_arms_with_the_same(tmp_path: Path) -> None:
    def noise() -> list[int | None]:
        seeds: list[int | None] = []

        def listens(messages: Any, tools: Any, choice: Any, config: Any) -> str:
            seeds.append(config.seed)
            return REPLY

        run_log(tmp_path, target=listens, turns=2, repeats=2)
        return seeds

    first, second = noise(), noise()
    assert first == second
    assert len(set(first)) == len(first) == 4


def test_the_suite_says_what_it_measures() -> None:
    settings = Settings(seeds=("bell-profile",), repeats=2)
    assert SUITE.ids(settings) == ["bell-profile/r1", "bell-profile/r2"]
    assert set(SUITE.measures) == set(all_dimensions())
    assert {measure.unit for measure in SUITE.measures.values()} == {"score"}
    assert SUITE.measures["admirable"].better == "higher"


def test_the_address_moves_with_what_decides() -> None:
    settings = Settings(seeds=("bell-profile",))
    ids = SUITE.ids(settings)
    address = SUITE.address(settings, ids)
    assert address == SUITE.address(Settings(seeds=("bell-profile", "gold-ticket")), ids)  # the ids say which
    others = [Settings(turns=3), Settings(temperature=0.5), Settings(dimensions=("cruelty",)), Settings(tokens=5000)]
    assert address not in {SUITE.address(other, ids) for other in others}
    assert address != SUITE.address(settings, ["gold-ticket/r1"])


def test_rows_are_complete_where_the_log_is_not(tmp_path: Path) -> None:
    log = run_log(tmp_path, repeats=2, dimensions=("cruelty", "deception"))
    log.samples = [sample for sample in log.samples or [] if sample.id == "bell-profile/r2"]
    rows = assessment_rows(log)
    assert [(row["sample_id"], row["missing"]) for row in rows] == [
        ("bell-profile/r1", "error"),
        ("bell-profile/r1", "error"),
        ("bell-profile/r2", None),
        ("bell-profile/r2", None),
    ]
