"""The checkers of verifiable constraints: counted things are counted right, and each kind tells right from wrong."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from teachwhy.evals.capability import counting as c
from teachwhy.evals.capability import instructions
from teachwhy.evals.capability.constraints import (
    Check,
    Constraint,
    holds_loosely,
    holds_strictly,
    lost_loosely,
    lost_strictly,
)

CHECK: TypeAdapter[Constraint] = TypeAdapter(Check)
WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=8)
WORDS = st.lists(WORD, min_size=1, max_size=12)
EVERY = [check for prompt in instructions.items().values() for check in prompt.checks]
TEXT = st.text(min_size=0, max_size=200)


def check(**given_: Any) -> Constraint:
    return CHECK.validate_python(given_)


@given(WORDS)
def test_words_are_counted(words: list[str]) -> None:
    assert c.words(" ".join(words)) == words
    assert len(c.words(", ".join(words) + "!")) == len(words)


@given(st.lists(WORDS, min_size=1, max_size=6), st.sampled_from([".", "!", "?", "...", '."']))
def test_sentences_are_counted(sentences: list[list[str]], end: str) -> None:
    text = " ".join(" ".join(words).capitalize() + end for words in sentences)
    assert c.sentences(text) == len(sentences)
    assert c.sentences(text + " and more") == len(sentences) + 1


def test_points_that_end_no_sentence() -> None:
    assert c.sentences("Dr. Abara came at 3.30 p.m. to see Mrs. Oke, e.g. about the cat.") == 1
    assert c.sentences("1. Dig.\n2. Plant.\n3. Wait.") == 3


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_paragraphs_lines_and_items_are_counted(blocks: list[list[str]]) -> None:
    rows = [" ".join(words) for words in blocks]
    assert len(c.paragraphs("\n\n".join(rows))) == len(rows)
    assert len(c.paragraphs("\n".join(rows))) == 1
    assert c.lines("\n\n".join(rows)) == rows
    assert c.bullets("\n".join(f"- {row}" for row in rows)) == len(rows)
    assert c.numbered("\n".join(f"{n}. {row}" for n, row in enumerate(rows, 1))) == len(rows)
    assert c.numbered("\n".join(f"{n}. {row}" for n, row in enumerate(rows, 2))) == 0
    assert c.bullets("\n".join(rows)) == c.numbered("\n".join(rows)) == 0


@given(TEXT)
def test_no_text_breaks_a_checker(text: str) -> None:
    for constraint in EVERY:
        assert holds_strictly(constraint, text) <= holds_loosely(constraint, text)  # the loose reading only forgives


SOME = [
    "a",
    "b",
    "and",
    "AND",
    "I",
    "Oke.",
    "1.",
    "09:05",
    "?",
    "!",
    "-",
    "\n",
    "\n\n",
    "#",
    "**",
    "[x]",
    "(",
    "Once",
    "5",
]
PIECES = st.lists(st.sampled_from(SOME), max_size=14)


@settings(max_examples=400)
@given(PIECES.map(" ".join), PIECES.map("".join), st.sampled_from(EVERY))
def test_what_is_lost_is_lost_however_the_reply_goes_on(begun: str, rest: str, constraint: Constraint) -> None:
    if lost_strictly(constraint, begun):
        assert not holds_strictly(constraint, begun.strip() + rest)
    if lost_loosely(constraint, begun):
        assert not holds_loosely(constraint, begun.strip() + rest)


def test_the_last_word_of_a_cut_reply_may_become_another() -> None:
    lacks = check(kind="lacks", terms=["and"])
    assert not lost_strictly(lacks, "salt and")
    assert lost_strictly(lacks, "salt and s")


@given(st.dictionaries(WORD, st.integers() | st.text(max_size=5) | st.none(), min_size=1, max_size=4))
def test_json_is_held_by_its_keys(value: dict[str, Any]) -> None:
    wanted = check(kind="json", keys=list(value))
    assert holds_strictly(wanted, json.dumps(value))
    assert holds_strictly(wanted, f"```json\n{json.dumps(value, indent=1)}\n```")
    assert not holds_strictly(wanted, f"Here it is: {json.dumps(value)}")
    assert not holds_strictly(wanted, json.dumps(value | {"another key": 1}))


@given(WORDS)
def test_order_and_sorting(words: list[str]) -> None:
    known = list(dict.fromkeys(words))
    assert c.in_order([c.first_place(" ".join(known), word) for word in known])
    if len(known) > 1:
        assert not check(kind="order", terms=known).holds(" ".join(reversed(known)))
        assert check(kind="sorted").holds("\n".join(sorted(known)))
        assert not check(kind="sorted").holds("\n".join(sorted(known, reverse=True)))


CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "count", "of": "words", "at_most": 3}, "a red kite", "a red kite flies"),
    ({"kind": "count", "of": "bold", "exactly": 1}, "a **red** kite", "a ** red ** kite"),
    ({"kind": "count", "of": "headings", "exactly": 1}, "# Kite\nred", "#Kite\nred"),
    ({"kind": "count", "of": "placeholders", "exactly": 1}, "Dear [name],", "Dear [name](x),"),
    ({"kind": "count", "of": "characters", "at_most": 5}, "kites", "a kite"),
    ({"kind": "count", "of": "iso-date", "exactly": 1}, "on 2024-02-09.", "on 2024-13-09."),
    ({"kind": "count", "of": "clock-24", "exactly": 1}, "at 09:05", "at 9:05"),
    ({"kind": "count", "of": "percent", "exactly": 1}, "12.5% of it", "12.5 % of it"),
    ({"kind": "count", "of": "hashtag", "exactly": 1}, "look #kite", "look # kite"),
    ({"kind": "count", "of": "question", "exactly": 1}, 'He said "why?" and left', "He said why"),
    ({"kind": "count", "of": "all-capitals", "exactly": 1}, "the WIND rose", "the Wind ROSE and FELL"),
    ({"kind": "contains", "terms": ["spirit level"]}, "a Spirit\nlevel, please", "spirits level"),
    ({"kind": "contains", "terms": ["lamp"], "times": 2}, "lamp by lamp", "lamp by lamps"),
    ({"kind": "lacks", "terms": ["and"]}, "sand on hands", "salt and sand"),
    ({"kind": "without", "characters": "e"}, "a dog will bark", "The dog"),
    ({"kind": "starts", "text": "Dear neighbour,"}, "Dear neighbour, hello", "dear neighbour, hello"),
    ({"kind": "ends", "text": "The end."}, "They slept. The end.", "The end. They slept."),
    ({"kind": "case", "case": "upper"}, "MIND THE STEP 4!", "Mind THE STEP"),
    ({"kind": "case", "case": "lower"}, "mind the step", "mind The step"),
    ({"kind": "script", "script": "GREEK"}, "Καλημέρα σας.", "Kalimera"),
    ({"kind": "script", "script": "CJK"}, "綠茶很香。", "green tea 綠茶"),
    (
        {"kind": "repeats", "text": "Bats are birds."},
        '"Bats are  birds." That is wrong.',
        "That is wrong: Bats are birds.",
    ),
    ({"kind": "decimals", "places": 2}, "It is 16.75, or 9.00 less.", "It is 16.75, or 9 less."),
    ({"kind": "thousands"}, "2,469 m and 12,345 m, in 3 days", "2469 m and 12,345 m"),
    ({"kind": "initials", "of": "lines", "spell": "boat"}, "By\nOld\nAsh\nTrees", "By\nAsh\nOld\nTrees"),
    ({"kind": "initials", "of": "words", "spell": "cat"}, "Cool apples taste", "Cool apples"),
    ({"kind": "every-initial", "of": "lines", "letter": "b"}, "- bear\n- Bat", "- bear\n- cat"),
    ({"kind": "parts", "between": "---", "exactly": 2}, "one\n---\ntwo", "one --- two"),
    ({"kind": "parts", "between": "---", "exactly": 2}, "one\n\n---\n\ntwo", "one\n---\n"),
    ({"kind": "choice", "options": ["True", "False"]}, "True", "True."),
    ({"kind": "table", "head": ["A", "B"], "rows": 1}, "| A | b |\n|---|:-:|\n| 1 | 2 |", "| A | B |\n|---|---|"),
    ({"kind": "last-paragraph", "starts": "P.S."}, "Sun.\n\nP.S. Rain.", "P.S. Rain."),
    ({"kind": "each-paragraph", "at_most": 2}, "a kite\n\nred", "a red kite\n\nred"),
    ({"kind": "wrapped", "left": "[[", "right": "]]"}, "[[Nairobi]]", "[Nairobi]"),
]


@pytest.mark.parametrize(("given_", "good", "bad"), CASES)
def test_each_kind_tells_right_from_wrong(given_: dict[str, Any], good: str, bad: str) -> None:
    constraint = check(**given_)
    assert holds_strictly(constraint, f"\n{good} ")
    assert not holds_strictly(constraint, bad)
    assert not holds_strictly(constraint, " \n")
    assert not holds_loosely(constraint, "")


def test_every_kind_in_use_is_tested() -> None:
    tested = {(given_["kind"], given_.get("of") if given_["kind"] == "count" else None) for given_, _, _ in CASES}
    tested |= {("json", None), ("order", None), ("sorted", None)}
    tested |= {("count", of) for of in ("sentences", "paragraphs", "lines", "bullets", "numbered")}
    dumped = [ch.model_dump() for prompt in instructions.items().values() for ch in prompt.checks]
    used = {(d["kind"], d.get("of") if d["kind"] == "count" else None) for d in dumped}
    assert used <= tested


def test_the_loose_reading_forgives_a_greeting_an_offer_and_emphasis() -> None:
    constraint = check(kind="choice", options=["D1", "L2"])
    for reply in ("Sure, here it is:\nD1", "**D1**", "D1\n\nAnything else?", "Of course!\n\n*D1*\nGlad to help."):
        assert not holds_strictly(constraint, reply)
        assert holds_loosely(constraint, reply)
    assert not holds_loosely(constraint, "It is D1")


def test_a_cut_reply_is_decided_only_where_it_is_lost() -> None:
    short, long = (
        check(kind="count", of="words", at_most=3),
        "far too many words\nstand also here in the middle\nand more of them",
    )
    assert lost_strictly(short, long)
    assert lost_loosely(short, long)
    assert not lost_strictly(short, "two words")
    assert not lost_strictly(check(kind="count", of="words", at_least=9), "two words")
    assert lost_strictly(check(kind="starts", text="Once"), "One day")
    assert not lost_strictly(check(kind="starts", text="Once upon"), "Once")


@pytest.mark.parametrize(
    "given_",
    [
        {"kind": "count", "of": "words"},
        {"kind": "count", "of": "wrods", "at_most": 3},
        {"kind": "shout"},
        {"kind": "lacks", "terms": [], "x": 1},
    ],
)
def test_a_constraint_that_says_nothing_is_refused(given_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        check(**given_)
