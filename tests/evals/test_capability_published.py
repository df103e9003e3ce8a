"""Published tests by name, with a package of three small tasks standing in for inspect-evals."""

import importlib.util
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from inspect_ai._util import entrypoints, registry
from scripted_runs import run, script_file, scripted

import teachwhy.evals.capability.published as published_module
from teachwhy.errors import StudyError, UserError
from teachwhy.evals.capability.published import PACKAGE, Settings, as_reading, installed
from teachwhy.evals.registry import find_suite
from teachwhy.standalone import measure_suite
from teachwhy.study.declaration import Study, load_study

TASKS = """
    from inspect_ai import Task, task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.scorer import Score, match, mean, scorer
    from inspect_ai.solver import generate

    @task
    def sums(upto=3):
        pairs = [("1+1=", "2"), ("2+2=", "4"), ("3+3=", "6")][:upto]
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
    real = {name: module for name, module in sys.modules.items() if name.split(".")[0] == PACKAGE}
    for name in real:  # the true package may be installed, and imported by an earlier test
        del sys.modules[name]
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(entrypoints, "_inspect_ai_eps_loaded", [])
    before = dict(registry._registry)
    for name in [name for name in registry._registry if f"{PACKAGE}/" in name]:
        del registry._registry[name]
    installed.cache_clear()
    yield
    installed.cache_clear()
    registry._registry.clear()
    registry._registry.update(before)
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]
    sys.modules.update(real)


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(published_module, "entry_points", lambda **_: [])
    installed.cache_clear()
    yield
    installed.cache_clear()


def study_with(folder: Path, **tests: Any) -> Path:
    said = {
        "study": "outside",
        "base": "x/y",
        "arms": {},
        "evals": {"honeypots": {}, **tests},
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(said), "utf-8")
    return path


@pytest.mark.usefixtures("no_package")
@pytest.mark.parametrize("name", ["agentic_misalignment", "mmlu", "ifeval", "xstest"])
def test_without_the_package_a_study_is_told_the_extra(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not installed") as failure:
        load_study(study_with(tmp_path, **{name: {"limit": 3}}))
    assert "teachwhy[evals]" in str(failure.value)


@pytest.mark.usefixtures("no_package")
def test_without_the_package_a_misspelt_name_is_still_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"unknown key 'evals.xtest'[\s\S]*xstest"):
        load_study(study_with(tmp_path, xtest={}))
    with pytest.raises(UserError, match="did you mean 'ifeval'"):
        find_suite("ifevl")


@pytest.mark.usefixtures("stand_in")
def test_a_study_declares_a_test_by_its_name(tmp_path: Path) -> None:
    study = load_study(study_with(tmp_path, sums={"limit": 2}, letters={}))
    assert study.evals.suites == {"sums": Settings(limit=2), "letters": Settings()}
    again = Study.model_validate(study.model_dump(mode="json", by_alias=True, exclude_none=True))
    assert again.evals == study.evals  # as the manifest keeps it
    with pytest.raises(StudyError, match=r"unknown key .evals\.sum."):
        load_study(study_with(tmp_path, sum={}))
    with pytest.raises(StudyError, match="unknown key"):
        load_study(study_with(tmp_path, sums={"limits": 2}))


@pytest.mark.usefixtures("stand_in")
def test_data_that_cannot_be_had_are_said_before_the_run() -> None:
    with pytest.raises(UserError, match="cannot reach the host of the data set\n") as failure:
        find_suite("remote").ids(Settings())
    assert "remote" in str(failure.value)
    assert "network" in str(failure.value)


@pytest.mark.usefixtures("stand_in")
def test_an_unknown_argument_is_named_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'upto'"):
        find_suite("sums").ids(Settings(args={"up_to": 2}))
    assert len(find_suite("sums").ids(Settings(args={"upto": 2}))) == 2


@pytest.mark.usefixtures("stand_in")
def test_a_task_runs_and_its_scores_become_rows(tmp_path: Path) -> None:
    suite, settings = find_suite("sums"), Settings(limit=2)
    ids = suite.ids(settings)
    assert len(set(ids)) == 2
    assert set(ids) < set(suite.ids(Settings()))
    log = run(suite.task(settings, ids), scripted(lambda *_: "2"), tmp_path)
    rows = suite.rows(log)
    assert [row["sample_id"] for row in rows] == sorted(ids)
    assert {(row["eval"], row["measure"], row["value"] == float(row["prompt"] == "1+1=")) for row in rows} == {
        ("sums", "match", True)
    }
    assert suite.measures["match"].unit == "score"
    assert suite.address(settings, ids) != suite.address(settings, ids[:1])
    assert suite.address(settings, ids) == suite.address(Settings(limit=None), ids)


@pytest.mark.usefixtures("stand_in")
def test_repeats_are_samples_of_one_group_and_errors_are_missing(tmp_path: Path) -> None:
    def answer(messages: Any, *_: Any) -> str:
        if messages[-1].text == "say y":
            raise RuntimeError("503")
        return "?"

    suite, settings = find_suite("letters"), Settings(limit=None)
    assert set(suite.ids(settings)) == {"x/r1", "x/r2", "y/r1", "y/r2"}
    assert set(suite.ids(Settings(repeats=1))) == {"x", "y"}
    part = ["x/r2", "y/r1", "x/r1"]  # what a shard may hold
    rows = suite.rows(run(suite.task(settings, part), scripted(answer), tmp_path))
    assert [(row["sample_id"], row["group"], row["measure"], row["value"], row["missing"]) for row in rows] == [
        ("x/r1", "x", "both.long", 1.0, None),
        ("x/r1", "x", "both.kind", None, "unreadable"),
        ("x/r2", "x", "both.long", 1.0, None),
        ("x/r2", "x", "both.kind", None, "unreadable"),
        ("y/r1", "y", "both.long", None, "error"),
        ("y/r1", "y", "both.kind", None, "error"),
    ]


@pytest.mark.usefixtures("stand_in")
def test_the_command_measures_a_test_by_its_name(tmp_path: Path) -> None:
    model = script_file(tmp_path, [{"text": "2"}])
    said = measure_suite("sums", model, {}, {}, tmp_path)
    assert "sums" in said
    assert "match                    0.333" in said


@pytest.mark.skipif(not importlib.util.find_spec("inspect_evals"), reason="needs the extra: teachwhy[evals]")
def test_the_package_itself_has_the_tests_that_are_named_here(tmp_path: Path) -> None:
    """In a process of its own, since other tests put a stand-in in the package's place. The data of this one are its
    code, so it needs no network."""
    code = (
        "from teachwhy.evals.capability.published import ALIASES, KNOWN, installed, Settings\n"
        "from teachwhy.evals.registry import find_suite\n"
        "assert {ALIASES.get(name, name) for name in KNOWN} <= set(installed())\n"
        "suite = find_suite('agentic_misalignment')\n"
        "settings = Settings(repeats=2, args={'scenario': 'leaking', 'grader_model': 'teachwhy_scripted/x'})\n"
        "ids = suite.ids(settings)\n"
        "assert len(suite.task(settings, ids).dataset) == len(ids) == 2, ids\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


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
