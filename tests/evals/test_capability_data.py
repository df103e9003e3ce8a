"""The data of the capability suites: enough of it, no two alike, in balance, and in no corpus."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from teachwhy.corpora.audit import near_duplicates, shingles
from teachwhy.corpora.corpus import corpus_names, load_corpus
from teachwhy.corpora.records import Record
from teachwhy.errors import TextError, UserError
from teachwhy.evals.capability import common, harmful_compliance, instructions, knowledge, over_refusal, perplexity
from teachwhy.evals.capability.common import CANARY, ROOT, Item, pick, read_items
from teachwhy.evals.capability.held_out import held_out_texts
from teachwhy.evals.capability.readings import read_benign

FILL = "and so on in the same way for a few more words"

SETS: dict[str, tuple[Mapping[str, Item], int, int]] = {
    "over-refusal": (over_refusal.items(), 80, 12),
    "harmful-compliance": (harmful_compliance.items(), 80, 12),
    "instructions": (instructions.items(), 100, 12),
    "knowledge": (knowledge.items(), 100, 10),
    "perplexity": (perplexity.items(), 30, 8),
}


@pytest.mark.parametrize("name", SETS)
def test_there_is_enough_and_it_is_spread(name: str) -> None:
    items, least, groups = SETS[name]
    sizes = Counter(item.group for item in items.values())
    assert len(items) >= least
    assert len(sizes) >= groups
    assert max(sizes.values()) <= 3 * min(sizes.values())


def test_no_two_texts_are_nearly_alike() -> None:
    records = [Record(id=key, text=text) for key, text in held_out_texts().items()]
    assert len(records) == sum(len(items) for items, _, _ in SETS.values())
    assert near_duplicates(records, threshold=0.5) == []


def test_no_request_opens_like_many_others() -> None:
    requests = [item.request for s in (over_refusal, harmful_compliance) for item in s.items().values()]
    openers = Counter(" ".join(request.lower().split()[:3]) for request in requests)
    assert max(openers.values()) <= 4, openers.most_common(3)


def test_no_corpus_holds_what_is_measured() -> None:
    asked = {run: key for key, text in held_out_texts().items() for run in shingles(text, 10)}
    for name in corpus_names():
        for record in load_corpus(name).records:
            text = record.whole()
            assert CANARY not in text
            assert [asked[run] for run in shingles(text, 10) if run in asked] == [], record.id


def test_every_data_file_carries_the_canary() -> None:
    folders = ("over-refusal", "harmful-compliance", "instructions", "knowledge", "perplexity", "prompts")
    files = [path for folder in folders for path in (ROOT / folder).iterdir()]
    assert [path.name for path in files if CANARY not in path.read_text("utf-8")] == []


def test_harmful_requests_hold_nothing_that_could_be_used() -> None:
    """No code, link, address, number of a dose or amount of a substance."""
    used = re.compile(r"```|https?://|@\w|\d+ ?(mg|ml|g|grams?|volts?)\b|<\w+>|;\s*$|\bsudo\b|select \*", re.IGNORECASE)
    assert [i for i, item in harmful_compliance.items().items() if used.search(item.request)] == []
    assert all(len(item.request.split()) <= 60 for item in harmful_compliance.items().values())


def test_severities_are_all_there() -> None:
    counts = Counter(item.severity for item in harmful_compliance.items().values())
    assert set(counts) == {1, 2, 3}
    assert min(counts.values()) >= 5


def test_enough_terms_of_an_answer_are_not_in_the_question() -> None:
    assert [i for i, item in over_refusal.items().items() if len(item.new_terms()) < 2] == []


def test_the_sketch_of_an_answer_holds_words_of_an_answer() -> None:
    """Else the reading by rules would miss real answers."""
    lacking = [
        i
        for i, item in over_refusal.items().items()
        if read_benign(f"{item.content} {item.fine} {FILL}", item.new_terms())[0] is None
    ]
    assert len(lacking) <= 0.25 * len(over_refusal.items()), lacking


def test_passages_are_of_a_size() -> None:
    assert all(120 <= len(passage.text.split()) <= 250 for passage in perplexity.items().values())


def test_right_options_stand_at_every_place_equally_often() -> None:
    places = Counter(knowledge.right_letter(item) for item in knowledge.items().values())
    assert set(places) == set(knowledge.LETTERS)
    assert max(places.values()) - min(places.values()) <= 1


def test_all_levels_are_asked_in_every_field() -> None:
    levels: dict[str, set[int]] = {}
    for item in knowledge.items().values():
        levels.setdefault(item.group, set()).add(item.level)
    assert {field: found for field, found in levels.items() if found != {1, 2, 3, 4}} == {}


def test_length_does_not_give_the_right_option_away() -> None:
    """Chance would make the right one of four the longest, or the shortest, in a quarter of the questions."""
    every = list(knowledge.items().values())
    longest = sum(len(item.right) > max(map(len, item.wrong)) for item in every) / len(every)
    shortest = sum(len(item.right) < min(map(len, item.wrong)) for item in every) / len(every)
    assert longest < 0.3
    assert shortest < 0.3


@pytest.mark.parametrize("name", SETS)
def test_a_selection_is_spread_and_always_the_same(name: str) -> None:
    items, _, _ = SETS[name]
    some = pick(items, 16, where=name)
    assert some == pick(items, 16, where=name)
    assert len(set(some)) == 16
    assert some == [i for i in items if i in some]
    groups = {item.group for item in items.values()}
    assert len({items[i].group for i in some}) == min(16, len(groups))
    assert set(pick(items, 15, where=name)) < set(some)


def test_more_than_there_are_cannot_be_asked_for() -> None:
    items, _, _ = SETS["perplexity"]
    with pytest.raises(UserError, match="31 samples are asked for"):
        pick(items, 31, where="perplexity")


GOOD = f"group: a\ncanary: {CANARY}\nitems:\n  - {{id: one, severity: 1, request: r, harm: h, instead: i}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("severity", "severty"), "unknown key 'severty'.*did you mean 'severity'"),
        (GOOD.replace(", instead: i", ""), "'instead' is missing"),
        (GOOD.replace(CANARY, "x"), "canary"),
        (GOOD.replace("id: one", "id: One one"), "'id'"),
        (GOOD + GOOD.splitlines()[-1] + "\n", "the id 'one' stands twice"),
        (GOOD + " - {", "not YAML"),
    ],
)
def test_a_broken_file_is_named(text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "some.yaml").write_text(text, "utf-8")
    monkeypatch.setattr(common, "ROOT", tmp_path)
    with pytest.raises(TextError, match=f"(?s){said}") as failure:
        read_items("planted", harmful_compliance.Harmful)
    assert "planted" in str(failure.value)


def test_the_page_says_how_many_there_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "capability.md").read_text("utf-8")
    checks = sum(len(prompt.checks) for prompt in instructions.items().values())
    fields = len({item.group for item in knowledge.items().values()})
    for said in (
        f"| {len(over_refusal.items())} requests that sound alarming",
        f"| {len(harmful_compliance.items())} requests that a good model declines",
        f"| {len(instructions.items())} prompts with {checks} constraints",
        f"| {len(knowledge.items())} multiple-choice questions in {fields} fields",
        f"| {len(perplexity.items())} passages",
    ):
        assert said in page
