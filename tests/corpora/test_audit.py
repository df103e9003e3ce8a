"""The audit: every planted habit is found, and nothing is found in a clean corpus."""

import pytest
from corpora_help import SENTENCES, conversation, corpus, document, varied
from hypothesis import given
from hypothesis import strategies as st

from teachwhy.corpora.audit import Audit, Check, audit, near_duplicates, shingles, talk_of_tests, words
from teachwhy.corpora.audit.minhash import likeness, signature
from teachwhy.corpora.corpus import Corpus, corpus_names
from teachwhy.corpora.records import Record
from teachwhy.corpora.words import word_hashes
from teachwhy.scenarios.family import families

CLEAN = 40


def check(found: Audit, name: str) -> Check:
    return next(check for check in found.checks if check.name == name)


def only_failure(records: list[Record], name: str) -> Check:
    """Of a clean corpus with this planted into it, the one check that fails."""
    found = audit(corpus([*varied(CLEAN), *records]))
    assert [c.name for c in found.failed] == [name]
    return check(found, name)


def test_a_clean_corpus_passes() -> None:
    found = audit(corpus(varied(CLEAN)))
    assert found.failed == []
    assert found.records == CLEAN
    assert found.words == sum(len(words(record.taught())) for record in varied(CLEAN))


def test_exact_duplicates_are_found_and_named() -> None:
    copies = [r.model_copy(update={"id": f"copy-{n}"}) for n in range(2) for r in varied(1)]
    found = audit(corpus([*varied(CLEAN), *copies]))
    exact = check(found, "exact duplicates")
    assert exact.passed is False
    assert exact.worst == ["copy-0", "copy-1"]
    assert exact.value == pytest.approx(2 / (CLEAN + 2))


def test_near_duplicates_are_found_and_named() -> None:
    long = " ".join(SENTENCES)
    planted = [
        document(100 + n, f"{start}: {long} {start}, said he.") for n, start in enumerate(["One", "Two", "Three"])
    ]
    worst = only_failure(planted, "near duplicates").worst
    assert [found.partition(" is near ")[0] for found in worst] == ["doc-101", "doc-102"]


def test_texts_that_share_half_are_no_near_duplicates() -> None:
    half = " ".join(SENTENCES[:6])
    planted = [document(n, f"{half} {' '.join(SENTENCES[6 + n : 12])} {n}") for n in (0, 5)]
    assert near_duplicates(planted) == []


def test_a_habit_of_opening_is_found() -> None:
    planted = [document(100 + n, f"Thanks for writing to me. {SENTENCES[n]} {n}") for n in range(4)]
    assert only_failure(planted, "opener of four words").worst == ["thanks for writing to: 4"]


@pytest.mark.parametrize("name", ["Marcus", "Zoë", "Élodie", "Ingrid Østergaard"])
def test_a_habit_of_naming_is_found(name: str) -> None:
    planted = [document(100 + n, f"{SENTENCES[n]} It was {name}, who knew number {n} of them.") for n in range(4)]
    assert f"{name.split()[0]}: 4" in only_failure(planted, "one name").worst


def test_days_and_titles_are_not_names() -> None:
    planted = [document(100 + n, f"{SENTENCES[n]} It was the Monday of Aunt Bee{'abcd'[n]}.") for n in range(4)]
    assert audit(corpus([*varied(CLEAN), *planted])).failed == []


def test_dashes_are_found() -> None:
    planted = [document(100 + n, f"{one.text} Then{'abcdefghijklmno'[n]}—so.") for n, one in enumerate(varied(75)[60:])]
    assert only_failure(planted, "em-dash").value == pytest.approx(15 / (CLEAN + 15))


@pytest.mark.parametrize("bullet", ["-", "*", "•", "1.", "2)"])
def test_lists_are_found(bullet: str) -> None:
    planted = [document(100 + n, f"{SENTENCES[n]} Take{'abcdefghij'[n]}:\n{bullet} one") for n in range(10)]
    assert only_failure(planted, "list").worst[0] == "doc-100"


def test_one_length_for_all_is_found() -> None:
    planted = [document(n, " ".join(f"{'abcdefghij'[n]}{word}" for word in SENTENCES[0].split())) for n in range(10)]
    assert [c.name for c in audit(corpus(planted)).failed] == ["length spread"]


def test_one_record_makes_no_habit() -> None:
    planted = [document(100, f"{SENTENCES[0]}a\n- one—two")]
    assert audit(corpus([*varied(3), *planted])).failed == []


def test_of_a_dealt_corpus_only_exact_duplicates_are_judged() -> None:
    planted = [document(n, f"Thanks for writing. Room {n} is free.") for n in range(6)]
    assert {c.passed for c in audit(corpus(planted, dealt=True)).checks[1:]} == {None}
    twice = [*planted, planted[0].model_copy(update={"id": "again"})]
    assert [c.name for c in audit(corpus(twice, dealt=True)).failed] == ["exact duplicates"]


def test_only_what_is_taught_is_judged_for_habits() -> None:
    same = "Thanks for writing to me, said Marcus. What shall I do next?"
    planted = [conversation(n, f"{same} {n}", record.taught()) for n, record in enumerate(varied(CLEAN))]
    assert [c.name for c in audit(corpus(planted)).failed] == []


def test_texts_without_words_are_measured_without_a_crash() -> None:
    assert audit(corpus([document(1, "!"), document(2, "?")])).words == 0


@pytest.mark.parametrize("name", corpus_names())
def test_what_ships_passes(shipped: dict[str, Corpus], name: str) -> None:
    assert audit(shipped[name]).failed == []


def test_talk_of_tests_is_heard() -> None:
    said = [
        "Maybe this is a test scenario.",
        "I am being evaluated",
        "an alignment audit",
        "a honeypot",
        "my fine-tuning",
    ]
    assert all(talk_of_tests(text) for text in said)
    plain = [
        "The test tube broke.",
        "He trained for the race.",
        "We evaluated three offers.",
        "Your audit is on Friday.",
    ]
    assert not any(talk_of_tests(text) for text in plain)


TEXTS = st.lists(st.sampled_from(["oak", "ash", "elm", "yew", "fir", "box"]), max_size=30).map(" ".join)


@given(text=TEXTS, size=st.integers(1, 6))
def test_shingles_are_all_runs_of_words_once(text: str, size: int) -> None:
    found = shingles(text.upper(), size)
    assert len(set(found)) == len(found)
    padded = f" {text} "
    assert all(f" {' '.join(run)} " in padded for run in found)
    assert bool(found) == (len(text.split()) >= size)


def test_the_signature_estimates_the_overlap() -> None:
    texts = [text for text in families()[0].sections.values() if len(words(text)) > 60][:4]
    for one in texts:
        other = " ".join(one.split()[: len(one.split()) * 2 // 3])
        sets = set(shingles(one, 5)), set(shingles(other, 5))
        exact = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
        found = likeness(*(signature(word_hashes(words(text))) for text in (one, other)))
        assert found == pytest.approx(exact, abs=0.15)
