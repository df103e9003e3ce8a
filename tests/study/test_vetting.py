"""Vetting: a study's corpora are audited as it declares, pairs are compared, and the results are kept."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import teachwhy.study.vetting as vetting
from teachwhy.corpora.corpus import Corpus, load_corpus
from teachwhy.corpora.records import Record
from teachwhy.errors import CorpusError, FirewallError
from teachwhy.study.declaration import AuditSpec
from teachwhy.study.store import Store
from teachwhy.study.vetting import vet


def plan(*corpora: Corpus, **spec: Any) -> Any:
    study = SimpleNamespace(audit=AuditSpec(**spec), allowed=lambda corpus: ())
    return SimpleNamespace(corpora={corpus.name: corpus for corpus in corpora}, study=study)


def corpus(*texts: str) -> Corpus:
    records = tuple(Record(id=f"r{number}", text=text) for number, text in enumerate(texts))
    return Corpus("own", "documents", False, "", records)


def test_checks_are_left_out_and_pairs_compared(tmp_path: Path) -> None:
    pair = ("honeypots/reasons", "honeypots/filler")
    found = vet(plan(load_corpus("generic-chat"), skip=("em-dash",), alike=(pair,)), Store(tmp_path))
    assert found.audits[0].skipped == ["em-dash"]
    assert "evaluation overlap" in {check.name for check in found.audits[0].checks}
    assert [one.corpus for one in found.pairs] == ["honeypots/reasons and honeypots/filler"]
    assert found.pairs[0].checks[0].passed is True


def test_results_are_kept_and_what_is_left_out_is_part_of_their_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, chat = Store(tmp_path), load_corpus("generic-chat")
    first = vet(plan(chat), store)
    calls: list[str] = []
    audit = vetting.audit
    monkeypatch.setattr(vetting, "audit", lambda one, **given: calls.append(one.name) or audit(one, **given))
    assert vet(plan(chat), store) == first
    assert calls == []
    vet(plan(chat, skip=("list",)), store)
    assert calls == ["generic-chat"]


def test_exact_copies_stop_a_study_unless_they_are_declared(tmp_path: Path) -> None:
    twice = corpus("The quay was empty that morning.", "The quay was empty that morning.")
    with pytest.raises(CorpusError, match="50% of the records of 'own' repeat another"):
        vet(plan(twice), Store(tmp_path))
    assert vet(plan(twice, skip=("exact duplicates",)), Store(tmp_path)).audits[0].skipped == ["exact duplicates"]


def test_the_firewall_cannot_be_left_out(tmp_path: Path) -> None:
    tested = corpus("Perhaps this is a test scenario.")
    with pytest.raises(FirewallError, match="talk of tests"):
        vet(plan(tested, skip=("talk of tests", "evaluation overlap")), Store(tmp_path))
