"""Decks: every value comes as often as its weight says, and a deck that breaks the format is named."""

import re
from collections import Counter
from importlib import import_module, resources
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from teachwhy.corpora.decks import Deck, coverage, deal, deck_names, load_deck, names_for, shipped_deck
from teachwhy.errors import CorpusError, TextError

WEIGHTS = st.lists(st.integers(1, 20), min_size=1, max_size=9)


@given(WEIGHTS, st.integers(1, 300), st.integers(0, 50))
def test_each_value_is_dealt_as_often_as_its_share_says(weights: list[int], count: int, seed: int) -> None:
    shares = {f"v{n}": weight / sum(weights) for n, weight in enumerate(weights)}
    dealt = Counter(card["x"] for card in deal(Deck("d", {"x": shares}), count, seed=seed))
    assert dealt.total() == count
    assert all(abs(dealt[value] - share * count) < 1 for value, share in shares.items())


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_a_seed_decides_the_order_and_variables_are_shuffled_apart(seed: int) -> None:
    deck = Deck("d", {"x": {"a": 0.5, "b": 0.5}, "y": {"a": 0.5, "b": 0.5}})
    cards = deal(deck, 60, seed=seed)
    assert cards == deal(deck, 60, seed=seed)
    assert {(card["x"], card["y"]) for card in cards} == {("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")}


def test_coverage_sets_what_was_found_beside_what_was_wanted() -> None:
    deck = Deck("d", {"x": {"a": 0.75, "b": 0.25}})
    found = {row.value: row for row in coverage(deck, [{"x": "a"}, {"x": "b"}, {"y": "c"}])}
    assert (found["a"].wanted, found["a"].found, found["a"].count) == (0.75, 0.5, 1)


@pytest.mark.parametrize("name", deck_names())
def test_the_shipped_decks_can_be_read_and_dealt(name: str) -> None:
    deck = shipped_deck(name)
    cards = deal(deck, 500)
    for card in cards:
        deck.check(card)
    assert all(row.count for row in coverage(deck, cards))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x: {a: 0.5, b: 0.6}", "the weights sum to 1.100, not to 1"),
        ("x: {a: 1.5, b: -0.5}", "the weight of 'b' is not a number above 0"),
        ("x: []", "the variable has no values"),
        ("x: [yes, maybe]", "the value True is not text"),
        ("x: [a, b, a]", "the value 'a' stands twice"),
        ("- a", "a deck maps variables to their values"),
        ("x: [a", "the deck is not YAML"),
        ("x: 2024-13-45", "the deck is not YAML"),
    ],
)
def test_a_deck_that_breaks_the_format_is_named(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(CorpusError) as caught:
        load_deck(path)
    assert what in caught.value.what
    assert str(path) in str(caught.value.where)


def test_a_card_is_held_against_its_deck() -> None:
    deck = Deck("d", {"tone": {"dry": 0.5, "warm": 0.5}})
    with pytest.raises(TextError, match=r"unknown key 'tune'[\s\S]*did you mean 'tone'"):
        deck.check({"tune": "dry"})
    with pytest.raises(TextError, match=r"'drey' is not in the deck[\s\S]*did you mean 'dry'"):
        deck.check({"tone": "drey"})
    with pytest.raises(CorpusError, match="did you mean 'stories'"):
        shipped_deck("storeys")


def test_names_are_many_different_and_the_same_for_a_seed() -> None:
    names = names_for([""] * 800, seed=3)
    assert len(names) == len({name.split()[0] for name in names}) == 800
    assert names == names_for([""] * 800, seed=3) != names_for([""] * 800, seed=4)


def test_names_are_of_the_place() -> None:
    north, east = names_for(["Northern Europe"] * 70), names_for(["East Asia"] * 70)
    assert sum(name.endswith("dóttir") for name in north) == 5  # one of seven locales, half of them women
    assert all(re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", name) for name in east)
    mixed = names_for(["Northern Europe", "East Asia"] * 70)
    assert sum(name.endswith("dóttir") for name in mixed[::2]) == 5
    assert not any(name.endswith("dóttir") for name in mixed[1::2])
    assert len(names_for(["East Asia"] * 2000)) == 2000  # more than there are first names


def test_every_place_of_a_shipped_deck_has_names_and_every_locale_its_own() -> None:
    listed = yaml.safe_load((resources.files("teachwhy.corpora") / "names.yaml").read_text("utf-8"))
    decks = [shipped_deck(name) for name in deck_names()]
    places = {place for deck in decks for place in deck.variables.get("place", ())}
    assert places - set(listed) == {"no place given", "no place on Earth"}
    for locale in {locale for locales in listed.values() for locale in locales}:
        import_module(f"faker.providers.person.{locale}")  # without it Faker gives American names, and says nothing
