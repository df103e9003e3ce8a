"""Recipes over HTTP: an endpoint that fails in every way loses, doubles and shifts nothing."""

import asyncio
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai_server import FAULTS, Endpoint, serving
from recipes_help import obedient

from teachwhy.corpora.recipes.build import Made, build, prepare
from teachwhy.corpora.recipes.spec import Spec
from teachwhy.corpora.records import read_jsonl
from teachwhy.corpora.stages import Row, RowFailure, Stage, StageCount, run_stages
from teachwhy.errors import TeachwhyError


def said(messages: list[dict[str, Any]]) -> str:
    return obedient(messages[-1]["content"])


def made(endpoint: Endpoint, folder: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Made:
    monkeypatch.setenv("LOCAL_API_KEY", "none")
    monkeypatch.setenv("LOCAL_BASE_URL", endpoint.url)
    spec = {"recipe": "generic-chat", "count": 30, "concurrency": 16, "models": {"writer": "openai-api/local/tiny"}}
    return build(prepare(Spec.model_validate(spec | more)), folder)


def test_a_corpus_is_made_over_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Endpoint(said)) as endpoint:
        result = made(endpoint, tmp_path, monkeypatch)
    assert result.records == 30
    assert endpoint.did == {"ok": 120}


def test_with_three_faults_in_ten_calls_reruns_finish_the_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Endpoint(said)) as sound:
        made(sound, tmp_path / "sound", monkeypatch)
    whole = {record.id: record.messages for record in read_jsonl(tmp_path / "sound" / "records.jsonl")}
    with serving(Endpoint(said, share=0.3)) as faulty:
        for _ in range(12):
            try:
                result = made(faulty, tmp_path / "faulty", monkeypatch, timeout=2, retries=0, limits={"failed": 0.6})
            except TeachwhyError:  # too much failed this time; what was done is kept
                continue
            for stage in result.stages:
                assert stage.taken == stage.passed + stage.dropped + sum(stage.failed.values())
            records = read_jsonl(tmp_path / "faulty" / "records.jsonl")
            assert {record.id: record.messages for record in records}.items() <= whole.items()
            if result.records == 30:
                break
    assert set(faulty.did) == {*FAULTS, "ok"}
    assert {record.id: record.messages for record in records} == whole


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("429", "rate limit"),
        ("500", "error"),
        ("timeout", "timeout"),
        ("truncated", "cut off"),
        ("refusal", "refused"),
        ("malformed JSON", "error"),
        ("empty", "empty"),
    ],
)
def test_every_fault_has_its_cause_and_is_never_a_record(
    fault: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"count": 16, "skip": ["rewrite-answer", "score"], "retries": 0, "limits": {"failed": 0.9}}
    patience = 8 if fault == "timeout" else 60  # far above what a busy machine takes for an answer
    with serving(Endpoint(said, share=0.3, faults=(fault,), slow=12.0, sticky=True)) as endpoint:
        result = made(endpoint, tmp_path, monkeypatch, timeout=patience, **few)
    failed: Counter[str] = Counter()
    for stage in result.stages:
        failed.update(stage.failed)
    assert set(failed) == {cause}
    assert endpoint.did[fault] >= failed[cause] > 0


def test_a_busy_endpoint_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Endpoint(said, share=0.3, faults=("429",), seed=4)) as endpoint:
        result = made(endpoint, tmp_path, monkeypatch, count=3, retries=6, skip=["score", "rewrite-answer"])
    assert result.records == 3
    assert endpoint.did["429"] > 0
    assert sum(sum(stage.failed.values()) for stage in result.stages) == 0


ROWS = st.integers(1, 25)
FAILING = st.lists(st.sets(st.tuples(st.integers(0, 24), st.integers(0, 1))), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(ROWS, FAILING)
def test_whatever_fails_in_whatever_run_no_row_is_lost_doubled_or_shifted(
    count: int, runs: list[set[tuple[int, int]]]
) -> None:
    rows: list[Row] = [{"n": n} for n in range(count)]

    def stages(failing: set[tuple[int, int]]) -> list[Stage]:
        async def step(row: Row, number: int) -> list[Row]:
            await asyncio.sleep(0)
            if (row["n"], number) in failing:
                raise RowFailure("error", "planted")
            return [row | {f"s{number}": row["n"]}]

        return [
            Stage("a", "a", lambda row: step(row, 0)),
            Stage("b", "b", lambda row: step(row, 1)),
        ]

    with TemporaryDirectory() as folder:
        for failing in runs:
            counts: list[StageCount] = []
            try:
                got = asyncio.run(run_stages(rows, stages(failing), Path(folder), concurrency=5, counts=counts))
            except TeachwhyError:
                continue
            assert all(row["n"] == row["s0"] == row["s1"] for row in got)
            assert [row["n"] for row in got] == sorted({row["n"] for row in got})
            assert counts[0].taken == count
            assert counts[1].taken == counts[0].passed
            for one in counts:
                assert one.taken == one.passed + one.dropped + one.failed.total()
        got = asyncio.run(run_stages(rows, stages(set()), Path(folder)))
        assert [row["n"] for row in got] == list(range(count))
