"""Each further check finds what is planted for it, and lets pass what only looks like it."""

import json
from pathlib import Path

import numpy as np
import pytest
from corpora_help import SENTENCES, conversation, corpus, document, varied
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from teachwhy.constitution import load
from teachwhy.corpora.audit import RULES, Asked, Audit, Check, audit, audit_file, known_checks, reworded_duplicates
from teachwhy.corpora.audit.content import Talk
from teachwhy.corpora.audit.duplicates import pairs
from teachwhy.corpora.audit.habits import diversity
from teachwhy.corpora.audit.language import broken_characters, cut_off, language, stop_words
from teachwhy.corpora.audit.minhash import PERMUTATIONS, likeness, minhash, signature
from teachwhy.corpora.audit.view import About
from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.decks import deal, shipped_deck
from teachwhy.corpora.firewall import held_out
from teachwhy.corpora.records import Record, tool_call, write_jsonl
from teachwhy.corpora.talk import phrases
from teachwhy.corpora.words import run_hashes, shingles, word_hashes, words
from teachwhy.errors import CorpusError

CLEAN = 40
PROSE = (
    "The ferry was late again, and nobody on the quay had been told why. A man with a crate of pears sat down on it "
    "and began to eat, because they would not last the night. By the time the lights came round the point he had given "
    "half of them away, and the children had made a game of the cores."
)


def check(found: Audit, name: str) -> Check:
    return next(check for check in found.checks if check.name == name)


def planted(records: list[Record]) -> Audit:
    return audit(corpus([*varied(CLEAN), *records]))


def test_a_habit_of_closing_is_found() -> None:
    found = check(
        planted([document(100 + n, f"{SENTENCES[n]} So take good care now.") for n in range(4)]), "closer of four words"
    )
    assert found.passed is False
    assert found.worst == ["take good care now: 4"]


def test_a_phrase_of_content_is_a_habit_and_grammar_is_not() -> None:
    said = [document(100 + n, f"{SENTENCES[n]} It is one of the old copper kettles, you see: {n}.") for n in range(8)]
    found = check(planted(said), "common phrase")
    assert found.passed is False
    assert found.worst[0] == "old copper kettles you see: 8"
    plain = [
        document(100 + n, f"{SENTENCES[n]} He wanted to know at half past ten: one of the {'abcdefgh'[n]}x.")
        for n in range(8)
    ]
    assert check(planted(plain), "common phrase").passed is True


def test_known_tics_are_counted_by_name() -> None:
    said = [document(100 + n, f"{SENTENCES[n]} I hear you, {'abcdefgh'[n]}x.") for n in range(6)]
    found = check(planted(said), "known tic")
    assert found.passed is False
    assert found.worst == ["I hear you: 6"]


def test_marks_without_a_threshold_are_reported_and_not_judged() -> None:
    found = planted([document(100, "Stop! Now; or..."), document(101, "Stop!")])
    values = [
        (check(found, name).value, check(found, name).passed) for name in ("exclamation", "ellipsis", "semicolon")
    ]
    assert [round(value * (CLEAN + 2)) for value, _ in values] >= [2, 1, 1]
    assert {passed for _, passed in values} == {None}


@given(st.lists(st.sampled_from("abcdefgh"), min_size=5, max_size=60))
def test_diversity_is_the_average_over_all_windows(tokens: list[str]) -> None:
    windows = [tokens[n : n + 5] for n in range(len(tokens) - 4)]
    assert diversity(tokens, 5) == pytest.approx(sum(len(set(w)) / 5 for w in windows) / len(windows))


def test_poverty_of_words_fails() -> None:
    poor = [document(n, "the cat sat on the mat and " * 12 + f"{n}.") for n in range(3)]
    assert check(audit(corpus(poor)), "lexical diversity").passed is False
    assert "lexical diversity" not in {c.name for c in audit(corpus(varied(2))).checks}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("talk of rules", "I would not, since my guidelines forbid it."),
        ("talk of rules", "The constitution says that I may."),
        ("talk of rules", "As an AI language model I have no view."),
        ("talk of tests", "Perhaps this is a test scenario."),
        ("visible reasoning", "<think>He wants the key.</think> Leave it."),
        ("visible reasoning", "Let me think about what he needs first. Leave it."),
        ("visible reasoning", "Okay, so the user wants the key. Leave it."),
    ],
)
def test_one_record_that_says_it_is_one_too_many(name: str, text: str) -> None:
    found = check(planted([conversation(100, "What now?", text)]), name)
    assert found.passed is False
    assert found.worst[0].startswith("chat-100: ")


def test_only_what_is_taught_can_think_aloud_or_cite_rules() -> None:
    found = planted([conversation(100, "Let me think. Do your guidelines allow it? My guidelines do.", "Leave it.")])
    assert check(found, "talk of rules").passed is True
    assert check(found, "visible reasoning").passed is True


@pytest.mark.parametrize(
    "text",
    [
        "The rule of the house is that the last one out turns off the light.",
        "She has an iron constitution and swims in January.",
        "The first thing to look at is the hinge.",
    ],
)
def test_ordinary_sentences_are_no_talk(text: str) -> None:
    assert [name for name in ("rules", "tests", "refusals", "reasoning") if phrases(name).first(text)] == []


def test_a_corpus_about_the_constitution_may_name_it() -> None:
    assert "talk of rules" not in Talk(About("documents", subject="constitution")).names
    assert "talk of rules" in Talk(About("documents")).names
    assert "visible reasoning" not in Talk(About("x", reasoning=True)).names


@pytest.mark.parametrize("name", ["tests", "rules", "refusals", "reasoning"])
def test_what_a_pattern_needs_is_in_whatever_it_matches(name: str) -> None:
    """Texts of the project are searched with and without the short way; both find the same."""
    found = phrases(name)
    root = Path(__file__).parents[2]
    for path in [*root.glob("docs/*.md"), *root.glob("src/teachwhy/**/*.md")]:
        for line in path.read_text("utf-8").splitlines():
            match = found.pattern.search(line)
            assert found.first(line) == (match[0] if match else None)


def test_refusals_are_counted() -> None:
    said = [conversation(100 + n, "Hm?", f"I can't help with that, {'abcdefghijklmnopqrst'[n]}x.") for n in range(20)]
    assert check(planted(said), "refusals").value == pytest.approx(20 / (CLEAN + 20))
    assert check(planted(said), "refusals").passed is False


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        (PROSE, "English"),
        ("Der Mann ist mit dem Zug in die Stadt gefahren, weil er nicht auf das Schiff warten wollte, und nach einer "
         "Stunde war er schon wieder auf dem Weg zu seinem Bruder, der ihm noch Geld für die Kohlen gab.", "German"),
        ("Le train était en retard et les gens dans la gare ne savaient pas pourquoi, mais une femme qui avait un "
         "panier de poires a commencé à les donner aux enfants sur le quai, un par un, sans rien dire.", "French"),
        ("Поезд опоздал, и никто на станции не знал почему, но женщина с корзиной груш стала раздавать их детям.",
         "another script"),
        ("Oslo 12 Bergen 14", None),
    ],
)  # fmt: skip
def test_the_language_is_told_by_small_words(text: str, spoken: str | None) -> None:
    assert language(text, words(text)) == spoken


def test_records_in_another_language_are_named() -> None:
    german = " ".join(sorted(stop_words()["German"]))
    texts = [document(n, f"{PROSE} {n}.") for n in range(20)] + [document(30 + n, f"{german} {n}.") for n in range(2)]
    found = check(audit(corpus(texts)), "language")
    assert found.passed is False
    assert found.worst == ["doc-30: German", "doc-31: German"]


@pytest.mark.parametrize(
    "text", ["It wasnâ€™t so.", "CafÃ© Ãœber", "half \ufffd gone", "bell\x07", "\u202egnuh", "\ufeffstart"]
)
def test_broken_characters_are_found(text: str) -> None:
    assert broken_characters(f"Before. {text}")


@pytest.mark.parametrize(
    "text", ["It wasn’t so: café, Łódź, São Paulo, “quoted” — 東京 👍🏽", "a\n\tb\r\n", "Â la carte", "naïve Ångström"]
)
def test_whole_characters_pass(text: str) -> None:
    assert broken_characters(text) is None


@pytest.mark.parametrize(
    "end", ["and then he went down to the", "so that everyone on the quay could see what had been", "because,"]
)
def test_a_text_that_stops_is_cut_off(end: str) -> None:
    assert cut_off(document(1, f"{PROSE} A long line it was {end}"))
    assert cut_off(conversation(1, "Hm?", f"{PROSE} Nobody would say {end}"))


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        f"{PROSE}\n\nYours,\nAmara Diallo",
        f"{PROSE}\n- salt\n- a pound of flour and the rest of the butter",
        "Down by the quay\nthe light went grey\nand the boat\ncame in without a word to say",
        f"{PROSE} “And the pears?”",
        f"{PROSE} (He laughed.)",
        f"{PROSE}\n\n# The end of a long day on the quay",
        "Rye and caraway",
    ],
)
def test_a_text_that_ends_is_whole(text: str) -> None:
    assert cut_off(document(1, text)) is None


def test_what_stops_on_purpose_is_whole() -> None:
    cut = document(1, f"{PROSE} And then he went down to the")
    assert cut_off(cut)
    assert cut_off(cut.model_copy(update={"meta": {"ending": "in the middle of things"}})) is None


def test_a_record_that_ends_in_a_call_is_whole() -> None:
    turn = {"role": "assistant", "content": "I will write to the", "tool_calls": [tool_call("send_email", {"to": "a"})]}
    assert cut_off(Record(id="x", messages=[{"role": "user", "content": "Hm?"}, turn])) is None


def advice(cards: list[dict[str, str]]) -> Audit:
    records = [
        record.model_copy(update={"meta": {"corpus": "difficult-advice"} | card})
        for record, card in zip(varied(len(cards)), cards, strict=True)
    ]
    return audit(corpus(records))


def test_cards_as_they_are_dealt_pass() -> None:
    found = advice(deal(shipped_deck("difficult-advice"), 120))
    assert check(found, "decision balance").passed is True
    assert check(found, "deck coverage").value == 0
    assert {row.variable for row in found.coverage} == set(shipped_deck("difficult-advice").variables)


def test_one_decision_too_often_and_a_value_never_are_found() -> None:
    cards = deal(shipped_deck("difficult-advice"), 120)
    drifted = [card | {"decision": "no", "ending": "a plain stop"} for card in cards]
    found = advice(drifted)
    assert check(found, "decision balance").value == pytest.approx(0.6)
    assert check(found, "decision balance").passed is False
    assert check(found, "deck coverage").passed is False
    assert "ending: a condition that would change it" in check(found, "deck coverage").worst


def test_sections_without_a_record_are_found_where_records_carry_them() -> None:
    ids = load().ids
    records = varied(3 * len(ids))
    on = [r.model_copy(update={"meta": {"section": ids[n % (len(ids) - 1)]}}) for n, r in enumerate(records)]
    found = check(audit(corpus(on)), "section coverage")
    assert found.passed is False
    assert found.worst == [ids[-1]]
    assert "section coverage" not in {c.name for c in audit(corpus(records)).checks}


def test_reworded_and_reordered_copies_are_found() -> None:
    texts = [r.text or "" for r in varied(200) if len(words(r.text or "")) > 40]
    halves = [text.partition(". ") for text in texts[:10]]
    copies = [document(500 + n, f"{rest} {first}.") for n, (first, _, rest) in enumerate(halves)]
    originals = [document(n, text) for n, text in enumerate(texts)]
    found = reworded_duplicates([*originals, *copies])
    assert set(found) >= {copy.id for copy in copies}
    assert len(found) == len(copies)


@given(st.sets(st.integers(0, 300), min_size=40), st.sets(st.integers(0, 300), min_size=40))
def test_our_estimate_is_as_good_as_that_of_datasketch(one: set[int], other: set[int]) -> None:
    """Both estimate the same Jaccard, each with a standard error of at most 0.045."""
    hashed = [word_hashes([str(n) for n in sorted(some)]) for some in (one, other)]
    ours = likeness(minhash(hashed[0]), minhash(hashed[1]))
    theirs = [MinHash(num_perm=PERMUTATIONS, hashfunc=int) for _ in hashed]
    for sketch, values in zip(theirs, hashed, strict=True):
        sketch.update_batch((values >> 32).tolist())
    exact = len(one & other) / len(one | other)
    assert ours == pytest.approx(exact, abs=0.25)
    assert theirs[0].jaccard(theirs[1]) == pytest.approx(exact, abs=0.25)


def test_pairs_are_those_that_a_full_comparison_finds() -> None:
    texts = [" ".join(f"w{(n * 7 + at) % 90 if at > n else at}" for at in range(80)) for n in range(60)]
    stacked = np.stack([signature(word_hashes(words(text))) for text in texts])
    every = {
        b for b in range(60) for a in range(b) if likeness(stacked[a], stacked[b]) >= 0.7
    }  # fmt: skip
    assert set(pairs(stacked, 0.7)) == every
    assert every


@given(st.lists(st.sampled_from(["oak", "ash", "elm"]), max_size=20), st.integers(1, 6))
def test_runs_have_one_number_each(tokens: list[str], size: int) -> None:
    numbers = run_hashes(word_hashes(tokens), size).tolist()
    listed = [tuple(tokens[n : n + size]) for n in range(len(tokens) - size + 1)]
    assert len(numbers) == len(listed)
    assert len(set(numbers)) == len(set(listed)) == len(shingles(" ".join(tokens), size))


def test_a_copied_evaluation_is_found_and_a_reworded_one_reported(shipped: dict[str, Corpus]) -> None:
    held = held_out()
    item = " ".join(f"{SENTENCES[n]}" for n in range(6))
    asked = Asked(held.with_texts({"suite/one": item}), {"suite/one": item, "suite/two": PROSE})
    near = " ".join(word if n % 3 else "zebra" for n, word in enumerate(item.split()))
    found = audit(corpus([*varied(CLEAN), document(100, f"He said: {item}"), document(101, near)]), asked=asked)
    assert check(found, "evaluation overlap").passed is False
    assert [breach.record for breach in found.breaches] == ["doc-100"]
    assert check(found, "evaluation run of 13 words").value == pytest.approx(1 / (CLEAN + 2))
    assert {hit.split(":")[0] for hit in check(found, "evaluation paraphrase").worst} == {"doc-100", "doc-101"}
    assert check(found, "evaluation likeness").value > 0.8


def test_checks_can_be_left_out_by_name() -> None:
    found = audit(corpus(varied(CLEAN)), skip=["em-dash", "exact-duplicates", "near duplicates", "reworded duplicates"])
    assert not {"em-dash", "exact duplicates", "near duplicates"} & {c.name for c in found.checks}
    assert found.skipped == ["exact duplicates", "near duplicates", "reworded duplicates", "em-dash"]
    with pytest.raises(CorpusError, match="did you mean 'em-dash'"):
        known_checks(["emdash"])


def test_every_check_has_a_rule() -> None:
    found = audit(corpus(varied(CLEAN)), asked=Asked(held_out(), {"one": PROSE}))
    assert {c.name for c in found.checks} <= set(RULES)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_is_measured_as_the_corpus_is(tmp_path: Path, workers: int) -> None:
    records = [*varied(1100), *(r.model_copy(update={"id": f"again-{r.id}"}) for r in varied(3))]
    path = tmp_path / "records.jsonl"
    write_jsonl(path, records)
    told: list[int] = []
    whole = audit(Corpus(str(path), "documents", False, "", tuple(records)))
    assert audit_file(path, workers=workers, tick=told.append) == whole
    assert told[-1] == len(records)


def test_a_malformed_line_of_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    write_jsonl(path, varied(3))
    path.write_text(path.read_text("utf-8") + "{}\n", "utf-8")
    with pytest.raises(CorpusError) as stopped:
        audit_file(path)
    assert stopped.value.where == f"{path}, line 4"


def test_two_records_of_one_id_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    lines = [json.dumps({"id": "same", "text": text}) for text in SENTENCES[:2]]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(CorpusError, match="two records have the id 'same'"):
        audit_file(path)
