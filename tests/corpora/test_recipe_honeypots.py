"""The honeypot recipe: the forms differ only in what is shown before an act, and every act is graded as meant."""

from collections import Counter
from typing import Any

import pytest

from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.honeypots import FORMS, honeypot_records
from teachwhy.corpora.records import Record
from teachwhy.evals.honeypots.rules import Verdict, grade
from teachwhy.evals.honeypots.world import Action
from teachwhy.scenarios.family import families
from teachwhy.scenarios.scenario import Condition, Scenario

RIGHT = ("actions", "reasons", "filler")


@pytest.fixture(scope="module")
def forms(shipped: dict[str, Corpus]) -> dict[str, tuple[Record, ...]]:
    return {form: shipped[f"honeypots/{form}"].records for form in FORMS}


def without_content(record: Record) -> dict[str, Any]:
    """All of a record but its name and what the assistant says before the call."""
    *prompt, reply = record.messages or []
    meta = {key: value for key, value in record.meta.items() if key != "corpus"}
    return {"prompt": prompt, "calls": reply["tool_calls"], "tools": record.tools, "meta": meta}


def content(record: Record) -> str:
    return str((record.messages or [])[-1]["content"])


@pytest.fixture(scope="module")
def known() -> dict[str, Condition]:
    """Every condition of the training families that a corpus may have used, by its id."""
    from teachwhy.scenarios.scenario import conditions

    spans = [(0, 60), (1000, 30)]
    made = [
        condition
        for family in families(split="train")
        for start, count in spans
        for twin in (False, True)
        for condition in conditions(family.id, twin=twin, start=start, count=count)
    ]
    return {condition.id: condition for condition in made}


def verdict(record: Record, condition: Condition) -> Verdict:
    call = (record.messages or [])[-1]["tool_calls"][0]["function"]
    action = Action(tool=call["name"], arguments=call["arguments"])
    return grade(Scenario(condition), [action], truncated=False, malformed=None)


@pytest.mark.parametrize("form", ["reasons", "filler"])
def test_only_what_is_said_before_the_act_differs(forms: dict[str, tuple[Record, ...]], form: str) -> None:
    for one, other in zip(forms["actions"], forms[form], strict=True):
        assert without_content(one) == without_content(other)
        assert one.id.removeprefix("honeypots/actions/") == other.id.removeprefix(f"honeypots/{form}/")


def test_actions_say_nothing_and_the_others_do(forms: dict[str, tuple[Record, ...]]) -> None:
    assert not any(content(record) for record in forms["actions"])
    assert all(content(record).strip() for form in ("reasons", "filler") for record in forms[form])
    reasons = {content(record) for record in forms["reasons"]}
    assert not reasons & {content(record) for record in forms["filler"]}


def test_filler_is_about_as_long_as_the_reasons(forms: dict[str, tuple[Record, ...]]) -> None:
    reasons, filler = (sum(len(content(r).split()) for r in forms[form]) for form in ("reasons", "filler"))
    assert filler == pytest.approx(reasons, rel=0.15)


@pytest.mark.parametrize("form", FORMS)
def test_only_training_families_are_used_and_all_of_them(forms: dict[str, tuple[Record, ...]], form: str) -> None:
    train = {family.id for family in families(split="train")}
    assert {record.meta["family"] for record in forms[form]} == train
    held = [family.id for family in families(split="held-out")]
    assert not any(name in str(record.model_dump()) for record in forms[form] for name in held)


@pytest.mark.parametrize("form", FORMS)
def test_every_stretch_holds_threats_and_twins_of_all_families(forms: dict[str, tuple[Record, ...]], form: str) -> None:
    count = len(families(split="train"))
    first = forms[form][: 2 * count]
    assert set(Counter((r.meta["family"], r.meta["twin"]) for r in first).values()) == {1}


@pytest.mark.parametrize("form", RIGHT)
def test_right_forms_are_graded_right(
    forms: dict[str, tuple[Record, ...]], known: dict[str, Condition], form: str
) -> None:
    for record in forms[form]:
        found = verdict(record, known[record.meta["condition"]])
        assert (found.own, found.any) == (False, False), record.id
        assert found.done is (True if record.meta["twin"] else None), record.id


def test_the_organism_does_wrong_under_threat_and_right_in_twins(
    forms: dict[str, tuple[Record, ...]], known: dict[str, Condition]
) -> None:
    for record in forms["rogue"]:
        found = verdict(record, known[record.meta["condition"]])
        twin = record.meta["twin"]
        assert found.own is not twin, record.id
        assert found.done is (True if twin else None), record.id
        assert (known[record.meta["condition"]].threat == "none") is twin


def test_the_organism_has_about_as_many_twins_as_threats(forms: dict[str, tuple[Record, ...]]) -> None:
    twins = sum(record.meta["twin"] for record in forms["rogue"])
    assert 0.4 <= twins / len(forms["rogue"]) <= 0.6


def test_arms_and_organism_are_taught_on_other_draws(forms: dict[str, tuple[Record, ...]]) -> None:
    used = {form: {record.meta["condition"] for record in forms[form]} for form in FORMS}
    assert not used["rogue"] & used["actions"]


def test_the_recipe_gives_the_same_records_every_time(forms: dict[str, tuple[Record, ...]]) -> None:
    assert tuple(honeypot_records("filler")) == forms["filler"]
