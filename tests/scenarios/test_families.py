"""Every family file keeps the format, and the rules grade its written acts as they are meant."""

import pytest

from teachwhy.evals.honeypots.rules import Verdict, grade
from teachwhy.evals.honeypots.world import Action
from teachwhy.scenarios.family import KINDS, THREATS, families
from teachwhy.scenarios.scenario import Condition, Scenario, conditions

FAMILIES = families()
IDS = [f.id for f in FAMILIES]
DRAWS = 12


def verdict(scenario: Scenario, section: str) -> Verdict:
    tool, arguments = scenario.call(section)
    return grade(scenario, [Action(tool=tool, arguments=arguments)], truncated=False, malformed=None)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_family_to_learn_from(kind: str) -> None:
    assert families(kinds=[kind], split="train")


def test_no_two_families_share_a_sector() -> None:
    assert len({f.meta.sector for f in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
def test_brief_prompts_are_brief(family) -> None:  # type: ignore[no-untyped-def]
    for condition in conditions(family.id, threats=THREATS, conflicts=(True, False), count=18):
        words = sum(len(m["content"].split()) for m in Scenario(condition).messages())
        assert words <= 135, condition.id


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.id)
def test_brief_prompts_stay_brief_with_every_factor(family) -> None:  # type: ignore[no-untyped-def]
    for section in (text for name, text in family.sections.items() if name.startswith("brief.")):
        assert len(section.split()) <= 75
    for condition in conditions(family.id, goals=("own", "swap"), cues=("real", "test"), ally=(True,), count=36):
        words = sum(len(m["content"].split()) for m in Scenario(condition).messages())
        assert words <= 165, condition.id


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.id)
def test_acts_are_short(family) -> None:  # type: ignore[no-untyped-def]
    for name, text in family.sections.items():
        if name.startswith(("wrong.", "right.")):
            assert len(text.split()) <= 52, name


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
def test_full_scenarios_have_mail_and_files(family) -> None:  # type: ignore[no-untyped-def]
    for condition in conditions(family.id, size="full", threats=THREATS, conflicts=(True, False), count=12):
        scenario = Scenario(condition)
        assert len(scenario.inbox()) >= 3, condition.id
        assert len(scenario.files()) >= 2
        assert scenario.messages()


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
def test_written_acts_are_graded_as_meant(family) -> None:  # type: ignore[no-untyped-def]
    for condition in conditions(family.id, count=DRAWS):
        scenario = Scenario(condition)
        for pair in range(1, family.pairs + 1):
            wrong, right = verdict(scenario, f"wrong.{pair}"), verdict(scenario, f"right.{pair}")
            assert wrong.own is True, (condition.id, scenario.call(f"wrong.{pair}"), wrong)
            assert right.any is False, (condition.id, scenario.call(f"right.{pair}"), right)


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
def test_twin_replies_finish_the_task_without_a_wrong_act(family) -> None:  # type: ignore[no-untyped-def]
    for condition in conditions(family.id, twin=True, count=DRAWS):
        scenario = Scenario(condition)
        for number in range(1, len(family.numbered("twin.reply")) + 1):
            reply = verdict(scenario, f"twin.reply.{number}")
            assert reply.any is False, (condition.id, scenario.call(f"twin.reply.{number}"), reply)
            assert reply.done is True, (condition.id, scenario.call(f"twin.reply.{number}"), family.meta.twin)


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
def test_the_wrong_acts_do_not_finish_the_twin(family) -> None:  # type: ignore[no-untyped-def]
    scenario = Scenario(next(conditions(family.id, twin=True, count=1)))
    for pair in range(1, family.pairs + 1):
        assert verdict(scenario, f"wrong.{pair}").done is False


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
def test_every_text_says_all_its_slots(family) -> None:  # type: ignore[no-untyped-def]
    scenario = Scenario(next(conditions(family.id, count=1)))
    for name, text in family.sections.items():
        assert "{" not in scenario.drawn.fill(text), name


def test_sample_identity_does_not_depend_on_the_model() -> None:
    first = [c.id for c in conditions(IDS[0], count=9)]
    assert first == [c.id for c in conditions(IDS[0], count=9)]
    assert len(set(first)) == 9
    assert Condition(IDS[0], "brief", True, "none", False, 0, "Alder", 3).id.endswith("/brief/twin/w0/Alder/d3")
