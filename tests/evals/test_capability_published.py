"""Published tests by name, with a package of three small tasks standing in for inspect-evals."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from inspect_ai._util import entrypoints, registry
from scripted_runs import run, scripted

from teachwhy.errors import TeachwhyError, UserError
from teachwhy.evals.capability.published import PACKAGE, Published, as_reading, published

TASKS = """
    from inspect_ai import Task, task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.scorer import Score, match, mean, scorer
    from inspect_ai.solver import generate

    @task
    def sums():
        pairs = [("1+1=", "2"), ("2+2=", "4"), ("3+3=", "6")]
        dataset = MemoryDataset([Sample(input=a, target=b) for a, b in pairs])
        return Task(dataset=dataset, solver=generate(), scorer=match())

    @scorer(metrics={"long": [mean()], "kind": [mean()]})
    def both():
        async def score(state, target):
            text = state.output.completion
            return Score(value={"long": len(text), "kind": "N" if text == "?" else "C"}, explanation="read")
        return score

    @task
    def letters():
        samples = [Sample(id="x", input="say x"), Sample(id="y", input="say y")]
        return Task(dataset=MemoryDataset(samples), solver=generate(), scorer=both(), epochs=2)

    @task
    def remote():
        raise ConnectionError("cannot reach the host of the data set\\nand more")
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed package of that name, as Inspect finds it: an entry point to its registry module."""
    site = tmp_path / "site-packages"  # Inspect tells an installed package by such a folder
    package, info = site / PACKAGE, site / f"{PACKAGE}-0.1.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tasks.py").write_text(dedent(TASKS))
    (package / "_registry.py").write_text("from inspect_evals.tasks import letters, remote, sums\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: inspect-evals\nVersion: 0.1\n")
    (info / "top_level.txt").write_text(f"{PACKAGE}\n")
    (info / "RECORD").write_text(f"{PACKAGE}/__init__.py,,\n")
    (info / "entry_points.txt").write_text(f"[inspect_ai]\n{PACKAGE} = {PACKAGE}._registry\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(entrypoints, "_inspect_ai_eps_loaded", [])
    before = dict(registry._registry)
    yield
    registry._registry.clear()
    registry._registry.update(before)
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


def test_without_the_package_the_extra_is_named() -> None:
    with pytest.raises(UserError, match="not installed") as failure:
        published(Published(tasks=("xstest",)))
    assert "teachwhy[evals]" in str(failure.value)


@pytest.mark.usefixtures("stand_in")
def test_an_unknown_task_is_named_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'sums'"):
        published(Published(tasks=("sum",)))


@pytest.mark.usefixtures("stand_in")
def test_data_that_cannot_be_had_are_said_before_the_run() -> None:
    with pytest.raises(TeachwhyError, match="cannot reach the host of the data set\n") as failure:
        published(Published(tasks=("sums", "remote")))
    assert "remote" in str(failure.value)
    assert "network" in str(failure.value)


@pytest.mark.usefixtures("stand_in")
def test_a_task_runs_and_its_scores_become_rows(tmp_path: Path) -> None:
    [suite] = published(Published(tasks=("sums",), limit=2))
    settings = suite.settings(limit=2)
    ids = suite.ids(settings)
    assert ids == ["1", "2"]
    log = run(suite.task(settings, ids), scripted(lambda *_: "2"), tmp_path)
    rows = suite.rows(log)
    assert [(row["eval"], row["sample_id"], row["measure"], row["value"]) for row in rows] == [
        ("published/sums", "1", "match", 1.0),
        ("published/sums", "2", "match", 0.0),
    ]
    assert set(suite.measures) == {"match"}
    assert suite.address(settings, ids) != suite.address(settings, ids[:1])


@pytest.mark.usefixtures("stand_in")
def test_several_values_and_epochs_are_rows_of_their_own_and_errors_are_missing(tmp_path: Path) -> None:
    def answer(messages: Any, *_: Any) -> str:
        if messages[-1].text == "say y":
            raise RuntimeError("503")
        return "?"

    [suite] = published(Published(tasks=("letters",), limit=None))
    settings = suite.settings(limit=None)
    rows = suite.rows(run(suite.task(settings, suite.ids(settings)), scripted(answer), tmp_path))
    assert set(suite.measures) == {"both.long", "both.kind"}
    assert [(row["sample_id"], row["measure"], row["value"], row["missing"]) for row in rows] == [
        ("x/r1", "both.long", 1.0, None),
        ("x/r1", "both.kind", None, "unreadable"),
        ("x/r2", "both.long", 1.0, None),
        ("x/r2", "both.kind", None, "unreadable"),
        ("y/r1", "both.long", None, "error"),
        ("y/r1", "both.kind", None, "error"),
        ("y/r2", "both.long", None, "error"),
        ("y/r2", "both.kind", None, "error"),
    ]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("C", 1),
        ("I", 0),
        ("P", 0.5),
        (True, 1),
        (0.25, 0.25),
        ("Yes", 1),
        ("N", None),
        (math.nan, None),
        ("safe", None),
        ([1], None),
    ],
)
def test_values_that_are_no_number_are_missing(value: Any, number: float | None) -> None:
    assert as_reading(value, "").value == number
