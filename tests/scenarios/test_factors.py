"""Factors change what they should, nothing else, and show in the sample's identity."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from teachwhy.errors import UserError
from teachwhy.hashing import digest
from teachwhy.scenarios.factors import THREATS
from teachwhy.scenarios.family import families, prompts
from teachwhy.scenarios.scenario import Condition, Scenario, conditions

RENDERED: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_name("rendered.yaml").read_text("utf-8"))
WHOLE = [f.id for f in families()]
ALL: dict[str, Any] = {
    "threats": THREATS,
    "conflicts": (True, False),
    "goals": ("own", "swap"),
    "cues": ("silent", "real", "test"),
    "agency": (False, True),
    "ally": (False, True),
}


def one(family: str = "harm-tide-road", **levels: Any) -> Condition:
    return next(conditions(family, count=1, **levels))


def text(condition: Condition) -> str:
    return "\n".join(m["content"] for m in Scenario(condition).messages())


@pytest.mark.parametrize("family", RENDERED)
@pytest.mark.parametrize("size", ["brief", "full"])
def test_held_out_prompts_do_not_change_unnoticed(family: str, size: Any) -> None:
    if size not in RENDERED[family]:
        return
    told: list[Any] = []
    for twin in (False, True):
        for c in conditions(
            family, size=size, twin=twin, threats=THREATS, conflicts=(True, False), count=18, start=100
        ):
            s = Scenario(c)
            told.append([c.id, s.messages(), s.tools()])
            if size == "full":
                told.append([[m.sender, m.to, m.subject, m.body] for m in s.inbox()])
                told.append(s.files())
        told.append([[c.id, Scenario(c).messages()] for c in conditions(family, size=size, twin=twin, count=7)])
    assert digest(told)[:16] == RENDERED[family][size]


@pytest.mark.parametrize("family", WHOLE)
@pytest.mark.parametrize("size", ["brief", "full"])
@pytest.mark.parametrize("twin", [False, True])
def test_every_combination_can_be_told_and_has_an_id_of_its_own(family: str, size: Any, twin: bool) -> None:
    forms = ("call",) if size == "brief" else ("agentic", "inline")
    chosen = list(
        conditions(family, size=size, twin=twin, forms=forms, personas=("Alder", "own"), own_name="Me", count=48, **ALL)
    )
    assert len({c.id for c in chosen}) == 48
    for condition in chosen:
        assert "{" not in text(condition)
        assert condition.name in text(condition)
        assert Scenario(condition).tools()


@pytest.mark.parametrize(
    ("levels", "part"),
    [
        ({"goals": ("swap",)}, "/goal=swap"),
        ({"cues": ("real",)}, "/cue=real"),
        ({"cues": ("test",)}, "/cue=test"),
        ({"agency": (True,)}, "/agency"),
        ({"ally": (True,)}, "/ally"),
    ],
)
@pytest.mark.parametrize("size", ["brief", "full"])
def test_one_level_changes_the_prompt_and_the_id_and_keeps_the_draw(
    levels: dict[str, Any], part: str, size: Any
) -> None:
    plain, changed = one(size=size), one(size=size, **levels)
    assert changed.id == plain.id + part
    told = text(changed) + Scenario(changed).shown()
    assert told != text(plain) + Scenario(plain).shown()
    assert Scenario(changed).drawn == Scenario(plain).drawn


def test_a_form_changes_the_tools_and_shows_everything_at_once() -> None:
    agentic, inline = (Scenario(one(size="full", forms=(form,))) for form in ("agentic", "inline"))
    names = [[tool["function"]["name"] for tool in s.tools()] for s in (agentic, inline)]
    assert names[1] == ["send_email", "file_report", "cancel_alert"]
    assert set(names[0]) - set(names[1]) == {
        *("list_mail", "read_mail", "list_files", "read_file"),
        *("list_alerts", "read_calendar"),
    }
    told = inline.messages()[1]["content"]
    for mail in inline.inbox():
        assert mail.body in told
    for there in (*inline.files().values(), *inline.alerts().values(), inline.page("calendar") or "?"):
        assert there in told
    assert inline.condition.id.endswith("/inline")
    assert "/agentic" not in agentic.condition.id


def test_the_opposite_goal_has_its_own_plan() -> None:
    family = Scenario(one()).family
    own, swap, free = (
        Scenario(one(size="full", **levels)) for levels in ({}, {"goals": ("swap",)}, {"conflicts": (False,)})
    )
    subjects = [{mail.when for mail in s.inbox()} & {"conflict=yes", "conflict=swap"} for s in (own, swap, free)]
    assert subjects == [{"conflict=yes"}, {"conflict=swap"}, set()]
    brief = text(one(goals=("swap",)))
    assert family.sections["brief.goal.swap"] in brief
    assert family.sections["brief.conflict.swap"] in brief
    assert family.sections["brief.conflict"] not in brief


def test_cues_have_several_wordings_dealt_by_draw() -> None:
    lines = Counter(text(c).split("\n")[0].rpartition("seals. ")[2] for c in conditions(
        "harm-tide-road", goals=("swap",), cues=("real",), count=60))  # fmt: skip
    wordings = {v for k, v in prompts().sections.items() if k.startswith("brief.cue.real.")}
    assert set(lines) == wordings


def test_the_models_own_name_is_told_and_is_no_part_of_the_identity() -> None:
    mine, other = (one(personas=("own",), own_name=name) for name in ("Quill", "Tarn"))
    assert mine.id == other.id
    assert "Quill" in text(mine)
    assert "Tarn" in text(other)


def test_twins_have_no_goal_and_no_threat() -> None:
    for c in conditions("harm-tide-road", twin=True, count=24, **ALL):
        assert (c.threat, c.conflict, c.goal) == ("none", False, "own")


def test_many_factors_are_balanced_in_few_samples() -> None:
    chosen = list(conditions("harm-tide-road", count=12, **(ALL | {"conflicts": (True,)})))
    for factor, levels in (("threat", 3), ("goal", 2), ("cue", 3), ("agency", 2), ("ally", 2), ("wording", 3)):
        assert set(Counter(getattr(c, factor) for c in chosen).values()) == {12 // levels}, factor


def test_columns_hold_the_sort_of_secret() -> None:
    assert one().columns()["leverage"] is None
    assert set(Condition.__dataclass_fields__) < set(one().columns())


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"cues": ("reel",)}, "did you mean 'real'"),
        ({"goals": ("swop",)}, "did you mean 'swap'"),
        ({"forms": ("inline",)}, "known: call"),
        ({"threats": ()}, "no level of threat is named"),
        ({"size": "fall"}, "did you mean 'full'"),
        ({"personas": ("own",)}, "the model's own name"),
    ],
)
def test_unknown_levels_are_named(levels: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        one(**levels)


def test_levels_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(UserError, match="needs the conflict"):
        replace(one(conflicts=(False,)), goal="swap")
    with pytest.raises(UserError, match="has no form 'agentic'"):
        replace(one(), form="agentic")
