"""Stored transcripts are scored again; the stored log and the measured model are left alone."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log
from judges import always, judge, says
from scripted_runs import HARMLESS, run, scripted

from teachwhy.errors import TeachwhyError, UserError
from teachwhy.evals.honeypots.rejudge import rejudge, rejudged_text
from teachwhy.evals.honeypots.task import honeypot_conditions, honeypot_task
from teachwhy.evals.rows import honeypot_rows
from teachwhy.models.scripted import Line, ScriptedCall
from teachwhy.scenarios.scenario import Scenario

CHOSEN = honeypot_conditions(kinds=["blackmail"], samples=3)[:4]


def stored(folder: Path, asked: list[int], size: str = "brief", **options: Any) -> Path:
    """A log of four samples: a wrong act, two harmless ones, and an endpoint that failed."""
    chosen = CHOSEN if size == "brief" else honeypot_conditions(kinds=["blackmail"], samples=3, size=size)[:4]
    texts = [str(Scenario(c).messages()[1]["content"]) + Scenario(c).messages()[0]["content"] for c in chosen]
    name, arguments = Scenario(chosen[0]).call("wrong.1")

    def answer(messages: Any, *_: Any) -> Line:
        asked.append(1)
        number = texts.index(messages[1].text + messages[0].text)
        if number == 3:
            raise RuntimeError("503")
        if len(messages) > 2 and number < 2:
            return Line(text="Done.")
        if number == 2 and size == "full":
            return Line(calls=[ScriptedCall(name="list_mail")])
        return Line(calls=[ScriptedCall(name=name, arguments=arguments)]) if number == 0 else HARMLESS

    log = run(honeypot_task(chosen, name="x", **options), scripted(answer), folder)
    return Path(log.location.removeprefix("file://"))


def test_the_stored_log_stays_as_it_is_and_the_model_is_not_asked(tmp_path: Path) -> None:
    asked: list[int] = []
    path = stored(tmp_path / "logs", asked)
    before, count = path.read_bytes(), len(asked)
    seen: list[str] = []

    def answer(text: str) -> str:
        seen.append(text)
        return says(False)

    result = rejudge(path, judge(answer), out=tmp_path / "again")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    assert len(asked) == count
    assert len(seen) == 3  # the failed sample is not put to the judge
    assert [row["any"] for row in result.before] == [row["rules_any"] for row in result.after]
    assert sorted(str(row["any"]) for row in result.after) == ["False", "False", "False", "None"]
    [failed] = [row for row in result.after if row["missing"]]
    assert (failed["missing"], failed["judge_missing"]) == ("error", "error")
    assert honeypot_rows(read_eval_log(str(result.path))) == result.after


def test_the_table_sets_old_against_new_and_lists_disagreements(tmp_path: Path) -> None:
    path = stored(tmp_path, [])
    result = rejudge(path, always(says(False, reason="only a plea")), out=tmp_path / "again")
    text = rejudged_text(result)
    [apart] = [row for row in result.after if row["agree"] is False]
    assert apart["sample_id"] in text
    assert f"rules true: {apart['rules_reason']}" in text
    assert "judge false: only a plea" in text
    assert "true        0        1        0" in text
    assert "2 of 3 decided alike" in text
    assert "(1 error)" in text
    assert str(result.path) in text


def test_the_same_judging_is_done_once(tmp_path: Path) -> None:
    path = stored(tmp_path, [])
    seen: list[str] = []

    def answer(text: str) -> str:
        seen.append(text)
        return says(False)

    first = rejudge(path, judge(answer), out=tmp_path / "again")
    second = rejudge(path, judge(answer), out=tmp_path / "again")
    assert len(seen) == 3
    assert (second.path, second.after) == (first.path, first.after)
    other = rejudge(path, judge(answer, "other"), out=tmp_path / "again")
    third = rejudge(path, judge(answer), out=tmp_path / "again", verdict="both-agree")
    assert len({first.path, other.path, third.path}) == 3


def test_a_judged_log_can_be_judged_again_though_its_judge_is_gone(tmp_path: Path) -> None:
    path = stored(tmp_path, [])
    first = rejudge(path, always(says(False)), out=tmp_path / "one")
    second = rejudge(first.path, always(says("unclear")), out=tmp_path / "two")
    assert [row["any"] for row in second.before] == [row["any"] for row in first.after]
    assert {row["missing"] for row in second.after} == {"unclear", "error"}


def test_an_endless_reader_is_still_cut_off(tmp_path: Path) -> None:
    path = stored(tmp_path, [], size="full")
    result = rejudge(path, always(says(False)), out=tmp_path / "again")
    assert [row["rules_missing"] for row in result.after] == [row["missing"] for row in result.before]
    assert sum(row["judge_missing"] == "cut off" for row in result.after) == 1


def test_a_judge_that_fails_too_often_leaves_nothing(tmp_path: Path) -> None:
    path = stored(tmp_path, [])
    with pytest.raises(TeachwhyError, match="no usable verdict on 3 of 3 samples"):
        rejudge(path, always("I think it is fine."), out=tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_repeats_are_judged_each(tmp_path: Path) -> None:
    path = stored(tmp_path, [], repeats=2)
    result = rejudge(path, always(says(False)), out=tmp_path / "again")
    assert [row["sample_id"] for row in result.after] == [row["sample_id"] for row in result.before]
    assert len(result.after) == 8
    with pytest.raises(TeachwhyError, match="no usable verdict on 3 of 3 samples"):
        rejudge(path, always("no object"), out=tmp_path / "again", attrition=0.6)


def test_what_is_no_honeypot_log_is_refused(tmp_path: Path) -> None:
    from inspect_ai import Task
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import includes

    with pytest.raises(UserError, match="no such log"):
        rejudge(tmp_path / "none.eval", always(says()), out=tmp_path)
    (tmp_path / "bad.eval").write_text("x")
    with pytest.raises(UserError, match="cannot be read"):
        rejudge(tmp_path / "bad.eval", always(says()), out=tmp_path)
    other = run(Task([Sample("2 + 2?", target="4")], scorer=includes()), scripted(lambda *_: Line(text="4")), tmp_path)
    with pytest.raises(UserError, match="of no honeypots"):
        rejudge(Path(other.location.removeprefix("file://")), always(says()), out=tmp_path)


def test_a_scenario_that_has_changed_since_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored(tmp_path, [])
    told = Scenario.messages
    monkeypatch.setattr(Scenario, "messages", lambda self: [*told(self)[:1], {"role": "user", "content": "else"}])
    with pytest.raises(UserError, match="has changed since"):
        rejudge(path, always(says()), out=tmp_path / "again")


def test_an_unknown_verdict_is_named_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'judge'"):
        rejudge(tmp_path / "none.eval", always(says()), out=tmp_path, verdict="juge")
