"""The firewall: whatever is taken from a held-out family is refused by name, and nothing that ships is."""

import re
from collections.abc import Iterator

import pytest
from corpora_help import SENTENCES, conversation, corpus, document, varied

from teachwhy.corpora.audit import shingles
from teachwhy.corpora.corpus import Corpus, corpus_names
from teachwhy.corpora.firewall import RUN, SIMILAR, Heldout, breaches, guard, held_out
from teachwhy.corpora.records import Record, tool_call
from teachwhy.errors import FirewallError
from teachwhy.scenarios.family import THREATS, families, prompts
from teachwhy.scenarios.scenario import Scenario, Size, conditions

HELD = families(split="held-out")
# Dealings far from those that the firewall has indexed.
UNSEEN = 5000


@pytest.fixture(scope="module")
def held() -> Heldout:
    return held_out()


def scenes(split: str, size: Size) -> Iterator[str]:
    """The prompts of a split under dealings and factor levels of all sorts."""
    for family in families(split=split):
        for condition in conditions(
            family.id, size=size, threats=THREATS, conflicts=(True, False), count=12, start=UNSEEN
        ):
            system, user = Scenario(condition).messages()
            yield user["content"] if size == "brief" else system["content"]


def edited(text: str, every: int) -> str:
    """The text with every so manieth word replaced."""
    return " ".join("zebra" if n % every == every // 2 else word for n, word in enumerate(text.split()))


def caught(texts: list[str], held: Heldout) -> float:
    """Share of texts that are refused when they stand in the middle of a story."""
    framed = [document(n, f"{SENTENCES[0]}\n{text}\n{SENTENCES[1]}") for n, text in enumerate(texts)]
    return len(breaches(framed, held)) / len(texts)


def rule(record: Record, held: Heldout) -> str:
    """The rule that stops a corpus into which this record was put."""
    planted = corpus([*varied(3), record])
    with pytest.raises(FirewallError) as stopped:
        guard(planted, held)
    assert stopped.value.where == record.id
    assert "1 of 4 records of 'planted'" in stopped.value.what
    found = breaches(planted.records, held)
    assert f"'{found[0].rule}'" in stopped.value.what
    return found[0].rule


@pytest.mark.parametrize("name", corpus_names())
def test_what_ships_passes_without_a_false_alarm(shipped: dict[str, Corpus], held: Heldout, name: str) -> None:
    assert breaches(shipped[name].records, held) == []
    guard(shipped[name], held)


@pytest.mark.parametrize("family", HELD, ids=lambda family: family.id)
def test_a_copied_scene_is_refused(family, held: Heldout) -> None:  # type: ignore[no-untyped-def]
    condition = next(conditions(family.id, count=1, start=UNSEEN))
    system, user = Scenario(condition).messages()
    reply = {"role": "assistant", "content": "No."}
    assert family.id in rule(Record(id="stolen", messages=[system, user, reply]), held)
    assert family.id in rule(conversation(9, f"A friend asks me this. {user['content']}", "Leave it be."), held)


@pytest.mark.parametrize("size", ["brief", "full"])
def test_copies_are_refused_under_any_names(size: Size, held: Heldout) -> None:
    assert caught(list(scenes("held-out", size)), held) == 1


@pytest.mark.parametrize("size", ["brief", "full"])
def test_copies_with_every_tenth_word_replaced_are_refused(size: Size, held: Heldout) -> None:
    assert caught([edited(text, 10) for text in scenes("held-out", size)], held) == 1


@pytest.mark.parametrize("size", ["brief", "full"])
def test_most_copies_with_every_seventh_word_replaced_are_refused(size: Size, held: Heldout) -> None:
    """No run of ten words is left then: this is the work of the rule on near copies."""
    texts = [edited(text, 7) for text in scenes("held-out", size)]
    assert caught(texts, held) >= 0.95


def test_a_copied_act_is_refused(held: Heldout) -> None:
    family = HELD[0]
    tool, arguments = Scenario(next(conditions(family.id, count=1, start=UNSEEN))).call("wrong.1")
    turns = [
        {"role": "user", "content": "What now?"},
        {"role": "assistant", "content": "", "tool_calls": [tool_call(tool, arguments)]},
    ]
    assert family.id in rule(Record(id="act", messages=turns), held)


def test_a_mail_shown_by_a_tool_is_read_too(held: Heldout) -> None:
    family = HELD[-1]
    mail = Scenario(next(conditions(family.id, size="full", count=1, start=UNSEEN))).inbox()[0]
    turns = [
        {"role": "user", "content": "Read my mail."},
        {"role": "tool", "content": mail.body},
        {"role": "assistant", "content": "Done."},
    ]
    assert family.id in rule(Record(id="mail", messages=turns), held)


def test_a_record_of_a_held_out_family_is_refused_whatever_it_says(held: Heldout) -> None:
    assert rule(conversation(7, "How are you?", "Well.", family=HELD[0].id), held) == "family"


def test_odd_notes_on_a_record_do_no_harm(held: Heldout) -> None:
    record = conversation(7, "How are you?", "Well.").model_copy(update={"meta": {"family": [HELD[0].kind]}})
    assert breaches([record], held) == []


@pytest.mark.parametrize("asked", [True, False], ids=["in the question", "in the answer"])
def test_talk_of_tests_is_refused(held: Heldout, asked: bool) -> None:
    said = "Perhaps this is a test scenario."
    record = conversation(8, said, "No.") if asked else conversation(8, "What now?", said)
    assert rule(record, held) == "talk of tests"


def test_a_run_of_words_is_refused_from_its_length_on(held: Heldout) -> None:
    family = HELD[0]
    run = next(run for run, owner in held.runs.items() if owner == family.id)
    assert len(run) == RUN
    assert rule(document(1, f"Once, {' '.join(run)}, and so on."), held) == f"run of words of {family.id}"
    assert breaches([document(1, f"Once, {' '.join(run[1:])}.")], held) == []


def test_all_breaches_are_listed_and_the_first_is_named(held: Heldout) -> None:
    bad = [conversation(n, "Hm?", "Well.", family=HELD[0].id) for n in (20, 21)]
    planted = corpus([*varied(2), *bad])
    assert [found.record for found in breaches(planted.records, held)] == ["chat-20", "chat-21"]
    with pytest.raises(FirewallError, match="2 of 4 records") as stopped:
        guard(planted, held)
    assert stopped.value.where == "chat-20"
    assert "teachwhy corpus audit" in str(stopped.value.mend)


def test_a_near_copy_shows_what_it_shares(held: Heldout) -> None:
    scene = edited(next(scenes("held-out", "brief")), 7)
    found = breaches([document(1, scene)], held)[0]
    assert found.rule.startswith("near copy of")
    runs = found.evidence.partition(": ")[2].split("; ")
    assert len(runs) == SIMILAR
    assert all(tuple(run.split()) in shingles(scene, 4) for run in runs)


def test_brief_scenes_of_training_families_are_no_copies(held: Heldout) -> None:
    assert caught(list(scenes("train", "brief")), held) == 0


def test_every_text_of_the_held_out_families_is_indexed(held: Heldout) -> None:
    for family in HELD:
        drawn = family.draw(0, prompts().meta.personas[0])
        for name, text in family.sections.items():
            assert all(held.runs.get(run) for run in shingles(drawn.fill(text), RUN)), name


def test_the_index_is_made_once() -> None:
    assert held_out() is held_out()


def test_an_admitted_corpus_says_how_near_it_comes(shipped: dict[str, Corpus], held: Heldout) -> None:
    screened = guard(shipped["difficult-advice"], held)
    record = next(r for r in shipped["difficult-advice"].records if r.id == screened.record)
    assert 0 < screened.shared == len(screened.runs) < SIMILAR
    words = " ".join(re.findall(r"\w+", record.whole().lower()))
    assert all(re.sub(r"\W+", " ", run) in words for run in screened.runs)
