"""The page of an audit: verdicts, worst cases and the deck stand on it, and nothing untrusted gets through."""

import json
from pathlib import Path

import pytest
from html_check import well_formed

from teachwhy.corpora.audit import Audit, asked_of, audit, separability
from teachwhy.corpora.corpus import Corpus, load_corpus
from teachwhy.corpora.records import Record
from teachwhy.report.audit_page import build_audit

EVIL = "<script>alert(1)</script>"


def made(number: int, text: str, **meta: str) -> Record:
    turns = [{"role": "user", "content": f"What about number {number}?"}, {"role": "assistant", "content": text}]
    return Record(
        id=f"r{number}{EVIL if not number else ''}", messages=turns, meta={"corpus": "difficult-advice", **meta}
    )


@pytest.fixture(scope="module")
def audits() -> list[Audit]:
    texts = [f"I hear you, {EVIL} number {n} of {'many ' * n}" for n in range(9)]
    records = [made(n, text, decision="no") for n, text in enumerate(texts)]
    records.append(made(9, "Perhaps this is a test scenario."))
    bad = audit(Corpus("bad", "chat", False, "", tuple(records)), skip=["em-dash"], asked=asked_of({}))
    pair = separability(load_corpus("honeypots/reasons"), load_corpus("honeypots/filler"))
    return [bad, audit(load_corpus("generic-chat")), pair]


@pytest.fixture(scope="module")
def folder(audits: list[Audit], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    assert build_audit(audits, folder) == folder / "audit.html"
    return folder


def test_page_mirror_and_data_are_written(folder: Path, audits: list[Audit]) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["audit.html", "audit.json", "audit.md"]
    assert [Audit.model_validate(one) for one in json.loads((folder / "audit.json").read_text("utf-8"))] == audits


@pytest.mark.parametrize("name", ["audit.html", "audit.md"])
def test_verdicts_worst_cases_and_deck_stand_on_both(folder: Path, name: str) -> None:
    text = (folder / name).read_text("utf-8").replace("\u00a0", " ")
    for said in ("Audit of bad, generic-chat", "known tic: 90.0 % (at most 10 %)", "refuses 1", "left out", "em-dash"):
        assert said in text, said
    assert "this is a test scenario" in text
    assert "What bad got of its deck" in text
    assert "decision: partly" in text
    assert "separability of what is said" in text


def test_the_page_is_well_formed_and_inert(folder: Path) -> None:
    page = (folder / "audit.html").read_text("utf-8")
    well_formed(page)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\\<script>" in (folder / "audit.md").read_text("utf-8")


def test_the_same_audits_give_the_same_bytes(folder: Path, audits: list[Audit], tmp_path: Path) -> None:
    build_audit(audits, tmp_path)
    for name in ("audit.html", "audit.md", "audit.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
