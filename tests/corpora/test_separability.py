"""Two corpora are told apart by what differs between them, and by nothing else."""

import random

import pytest
from corpora_help import SENTENCES, conversation

from teachwhy.corpora.audit import separability
from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.records import Record, tool_call
from teachwhy.errors import CorpusError

WORDS = " ".join(SENTENCES).lower().replace(".", "").replace(",", "").split()


def corpus(name: str, records: list[Record]) -> Corpus:
    return Corpus(name, "chat", False, "", tuple(records))


def answers(seed: int, *, mark: str = "", count: int = 60) -> list[Record]:
    """Random words under prompts that both corpora have; ``mark`` stands in most of one corpus' answers."""
    pick = random.Random(seed)
    return [
        conversation(n, f"What of number {n}?", " ".join([*pick.choices(WORDS, k=30), mark if n % 6 else ""]))
        for n in range(count)
    ]


def test_what_is_alike_is_not_told_apart() -> None:
    found = separability(corpus("a", answers(1)), corpus("b", answers(2)))
    assert found.corpus == "a and b"
    assert [check.name for check in found.checks] == ["separability"]
    assert found.checks[0].value == pytest.approx(0.5, abs=0.12)
    assert found.checks[0].passed is True


def test_a_word_of_one_corpus_tells_them_apart_and_is_named() -> None:
    check = separability(corpus("a", answers(1)), corpus("b", answers(2, mark="perhaps"))).checks[0]
    assert check.value > 0.7
    assert check.passed is False
    assert "perhaps" in check.worst[1]


def test_a_prompt_is_never_both_learned_and_asked() -> None:
    """Every prompt has an answer of its own that leans to one corpus; only one who has seen the prompt can know it."""
    pick = random.Random(5)
    one, other = [], []
    for n in range(60):
        own = f"word{'abcdefghij'[n % 10]}{'abcdefghij'[n // 10]} " * 5
        first, second = (one, other) if pick.random() < 0.5 else (other, one)
        first += [conversation(10 * n + k, f"What of {n}?", f"{own} {SENTENCES[k]}") for k in range(5)]
        second.append(conversation(10 * n + 9, f"What of {n}?", f"{own} {SENTENCES[pick.randrange(5)]}"))
    assert separability(corpus("a", one), corpus("b", other)).checks[0].value < 0.65


def test_where_there_are_acts_these_are_judged_and_reasons_reported() -> None:
    def acted(n: int, said: str) -> Record:
        turn = {"role": "assistant", "content": said, "tool_calls": [tool_call("send_email", {"to": f"w{n % 7}"})]}
        return Record(id=f"r{n}", messages=[{"role": "user", "content": f"What of {n}?"}, turn])

    reasons = corpus("a", [acted(n, "Because it would harm them.") for n in range(40)])
    filler = corpus("b", [acted(n, "The lamp is over the door.") for n in range(40)])
    acts, said = separability(reasons, filler).checks
    assert (acts.name, acts.value, acts.passed) == ("separability", 0.5, True)
    assert (said.name, said.value, said.passed) == ("separability of what is said", 1.0, None)


def test_too_few_prompts_are_refused() -> None:
    with pytest.raises(CorpusError, match="4 prompts cannot be compared"):
        separability(corpus("a", answers(1, count=4)), corpus("b", answers(2, count=4)))
