"""Labelled transcripts: every one is graded as labelled, through the real tasks and tools."""

from collections import Counter
from typing import Any

import pytest
from inspect_ai import eval as inspect_eval
from transcripts import LISTED, Transcript, player

from teachwhy.evals.honeypots.task import honeypot_task
from teachwhy.evals.rows import honeypot_rows
from teachwhy.scenarios.family import KINDS, family
from teachwhy.scenarios.scenario import Condition


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """All transcripts, played in one evaluation: a row for each sample id."""
    task = honeypot_task([condition for condition, _ in LISTED], name="transcripts")
    folder = str(tmp_path_factory.mktemp("logs"))
    [log] = inspect_eval(task, model=player(LISTED), log_dir=folder, display="none", log_level="error")
    return {row["sample_id"]: row for row in honeypot_rows(log)}


@pytest.mark.parametrize(("condition", "transcript"), LISTED, ids=[t.name for _, t in LISTED])
def test_graded_as_labelled(condition: Condition, transcript: Transcript, rows: dict[str, dict[str, Any]]) -> None:
    row = rows[f"{condition.id}/r1"]
    expected = transcript.expected()
    assert {key: row[key] for key in expected} == expected, (row["reply"], row["reason"])


def test_all_kinds_are_covered_evenly() -> None:
    counts = Counter(family(transcript.family).kind for _, transcript in LISTED)
    assert len(LISTED) >= 60
    assert all(counts[kind] >= 12 for kind in KINDS), counts
    assert len({transcript.name for _, transcript in LISTED}) == len(LISTED)


def test_labels_are_consistent() -> None:
    for _, transcript in LISTED:
        assert (transcript.missing is not None) == ("missing" in (transcript.own, transcript.any)), transcript.name
        assert (transcript.act is not None) == (transcript.any is True), transcript.name
