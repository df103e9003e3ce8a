"""Planted defects are found, clean records pass: what benchmarks/audit_recall.py prints, on fewer records."""

import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

from teachwhy.corpora.audit import audit
from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.records import Record

NUMBER = 240


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    import audit_recall

    return audit_recall


@pytest.fixture(scope="module")
def clean(bench: ModuleType) -> list[Record]:
    made: list[Record] = bench.records(bench.synthetic.texts(NUMBER), "clean")
    return made


@pytest.fixture(scope="module")
def short(bench: ModuleType) -> list[Record]:
    """Cut to some 85 words, which is four times as fast."""
    texts = (bench.short(text, 80) for text in bench.synthetic.texts(NUMBER))
    made: list[Record] = bench.records(texts, "short")
    return made


def recall(rows: list) -> dict[str, float]:  # type: ignore[type-arg]
    return {f"{row.defect}, {row.check}": len(row.planted & row.found) / len(row.planted) for row in rows}


def test_clean_records_pass_every_check(clean: list[Record]) -> None:
    assert audit(Corpus("clean", "documents", False, "", tuple(clean))).failed == []


def test_duplicates_are_found_word_for_word_and_reworded(bench: ModuleType, short: list[Record]) -> None:
    rows, false = bench.duplicates(short, random.Random(1))
    found = recall(rows)
    assert found["exact copies, exact duplicates"] == 1
    for kind in bench.REWORDED:
        assert found[f"{kind}, near or reworded duplicates"] >= 0.9, kind
    assert found["60 % synonyms, near or reworded duplicates"] < 0.5  # said in docs/corpora.md: this passes
    assert false == frozenset()


def test_leaks_are_refused_verbatim_and_lightly_edited(bench: ModuleType, short: list[Record]) -> None:
    rows, false = bench.leaks(short, random.Random(2))
    found = recall(rows)
    assert all(value == 1 for name, value in found.items() if "verbatim" in name)
    assert all(value >= 0.9 for name, value in found.items() if "10th" in name), found
    assert false == frozenset()


def test_truncated_texts_are_found(bench: ModuleType, short: list[Record]) -> None:
    rows, false = bench.truncated(short, random.Random(3))
    assert recall(rows)["cut after any word, truncated"] >= 0.95
    assert false == frozenset()


def test_an_opener_and_a_name_are_found(bench: ModuleType, clean: list[Record]) -> None:
    lines = bench.habits(clean, random.Random(4))
    assert sum("passed, then failed" in line for line in lines) == 3
    assert lines[-1] == "| all other checks | | | passed |"
