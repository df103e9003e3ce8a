"""Suites in a study: declared by name, addressed, measured on every model, in tables and report, and never a claim."""

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from study_files import quick, run_all, tables, write_study

from teachwhy.errors import FirewallError, StudyError, TeachwhyError, UserError
from teachwhy.evals.asked import asked_texts
from teachwhy.evals.registry import suites
from teachwhy.models.tiny import tiny_model
from teachwhy.report.make import make_report
from teachwhy.standalone import SUITES as POTS
from teachwhy.standalone import evaluate, measure_suite
from teachwhy.study.declaration import ROLES, load_study
from teachwhy.study.plan import Node, make_plan
from teachwhy.study.run import finish
from teachwhy.study.store import read_rows, write_rows
from teachwhy.study.work import _refuse_outage

# The tiny model writes noise: no constraint is settled before its replies are cut off, so a suite is needed whose
# measures exist for any model.
SUITES: dict[str, Any] = {
    "perplexity": {"samples": 3},
    "knowledge": {"samples": 4, "reading": "likelihood"},
    "likelihood": {"kinds": ["blackmail"], "samples": 1},
}


def with_suites(base: Path, **changes: Any) -> dict[str, Any]:
    study = quick(base, **changes)
    study["evals"] = study["evals"] | SUITES
    return study


@pytest.fixture(scope="module")
def root(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suites")
    make_report(finish(run_all(write_study(folder, with_suites(base)), folder)))
    return folder


def test_every_model_has_a_value_for_every_sample_and_measure(root: Path) -> None:
    rows = [json.loads(line) for line in tables(root)["suites.jsonl"].splitlines()]
    counted: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = (row["arm"], row["eval"], row["measure"])
        counted[key] = counted.get(key, 0) + (row["value"] is not None)
    for arm in ("base", "benign", "actions"):
        assert counted[arm, "perplexity", "nats_per_token"] == counted[arm, "perplexity", "bits_per_byte"] == 3
        assert counted[arm, "knowledge", "right"] == 4


def test_the_table_of_measures_is_what_the_rows_say(root: Path) -> None:
    rows = [json.loads(line) for line in tables(root)["suites.jsonl"].splitlines()]
    found = {(m["arm"], m["measure"]): m for m in json.loads(tables(root)["measures.json"])}

    def values(arm: str) -> dict[str, float]:
        return {r["sample_id"]: r["value"] for r in rows if r["arm"] == arm and r["measure"] == "nats_per_token"}

    def over_groups(numbers: dict[str, float]) -> float:
        groups: dict[str, list[float]] = {}
        for row in rows:
            if row["arm"] == "base" and row["measure"] == "nats_per_token":
                groups.setdefault(row["group"], []).append(numbers[row["sample_id"]])
        return sum(sum(each) / len(each) for each in groups.values()) / len(groups)

    base, benign = values("base"), values("benign")
    assert found["benign", "nats_per_token"]["mean"] == pytest.approx(over_groups(benign))
    shift = found["benign", "nats_per_token"]["shift"]
    assert shift == pytest.approx(over_groups({name: benign[name] - base[name] for name in base}))
    assert found["base", "nats_per_token"]["shift"] is None
    assert found["base", "nats_per_token"]["reliability"] is None
    assert 0 <= found["benign", "log_odds"]["reliability"] <= 1


def test_the_report_shows_them_and_how_far_families_lie(root: Path) -> None:
    page = (root / "quick" / "report" / "report.md").read_text("utf-8")
    assert "Other measures" in page
    assert "bits_per_byte (lower is better)" in page
    assert "split-half reliability" in page
    assert "Wrong acts and distance from what was taught" in page
    assert "Rate of any wrong act in honeypots by threat" in page
    beside = json.loads(tables(root)["beside.json"])
    assert {one["arm"] for one in beside["levels"]} == {"base", "benign", "actions"}
    assert (beside["agreement"], beside["gaps"]) == ([], [])


def rows(causes: list[str | None]) -> list[dict[str, Any]]:
    return [{"sample_id": f"s{n}", "missing": cause, "reason": "because"} for n, cause in enumerate(causes)]


def node(plan_base: Path, folder: Path) -> Node:
    plan = make_plan(load_study(write_study(folder, with_suites(plan_base))))
    return next(n for n in plan.nodes if n.kind == "suite")


@pytest.mark.parametrize("cause", ["error", "judge malformed", "judge timeout", "auditor malformed"])
def test_a_failing_endpoint_judge_or_auditor_is_an_outage(tmp_path: Path, base: Path, cause: str) -> None:
    of = node(base, tmp_path)
    _refuse_outage(rows([cause, *[None] * 9]), of)
    with pytest.raises(TeachwhyError, match="2 of 10 samples failed"):
        _refuse_outage(rows([cause, cause, *[None] * 8]), of)


def test_rows_hold_any_line_end_within_a_value(tmp_path: Path) -> None:
    """Unicode has line ends that JSON leaves as they are."""
    said = [{"reply": f"one{end}two"} for end in "\n\r\x0b\x0c\x1c\x85\u2028\u2029"]
    write_rows(tmp_path / "rows.jsonl", said)
    assert read_rows(tmp_path / "rows.jsonl") == said


def test_what_the_model_under_study_does_is_no_outage(tmp_path: Path, base: Path) -> None:
    _refuse_outage(rows(["cut off", "filtered", "malformed call", "unclear"] * 5), node(base, tmp_path))


def test_a_corpus_that_holds_what_a_suite_asks_stops_the_run(tmp_path: Path, base: Path) -> None:
    name, asked = next((name, text) for name, text in asked_texts().items() if len(text.split()) > 20)
    turns = [{"role": "user", "content": f"Do look: {asked}"}, {"role": "assistant", "content": "Gladly."}]
    path = tmp_path / "stolen.jsonl"
    path.write_text(json.dumps({"id": "one", "messages": turns}) + "\n", "utf-8")
    study = quick(base, arms={"benign": [{"corpus": str(path)}], "actions": [{"corpus": str(path)}]})
    with pytest.raises(FirewallError, match=name):
        run_all(write_study(tmp_path, study), tmp_path)


def test_a_suites_settings_and_judge_are_part_of_its_address(tmp_path: Path, base: Path) -> None:
    def addresses(study: dict[str, Any]) -> dict[str, str]:
        return {n.label: n.address for n in make_plan(load_study(write_study(tmp_path, study))).nodes}

    before, more = addresses(with_suites(base)), with_suites(base)
    more["evals"]["knowledge"] = {"samples": 4, "reading": "letter"}
    moved = {label for label, address in addresses(more).items() if before[label] != address}
    assert moved
    assert all(label.startswith("knowledge") for label in moved)
    judged = addresses(with_suites(base, roles={"grader": "teachwhy_scripted/judge"}))
    assert {label for label in before if judged[label] != before[label]} >= moved
    # A local judge is its weights: the same name with others is another judge.
    folder = tmp_path / "judge"
    one = addresses(with_suites(base, roles={"grader": str(tiny_model(folder, seed=1))}))
    shutil.rmtree(folder)
    other = addresses(with_suites(base, roles={"grader": str(tiny_model(folder, seed=2))}))
    assert {label for label in one if one[label] != other[label]} >= moved


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"evals": {"honeypots": {}, "knowlege": {}}}, "unknown key 'evals.knowlege'"),
        ({"roles": {"judge": "x/y"}}, "unknown name 'judge'"),
        ({"evals": {"honeypots": {"cues": ["loud"]}}}, "unknown name 'loud'"),
        ({"evals": {"honeypots": {}, "likelihood": {"kinds": ["blakmail"]}}}, "did you mean 'blackmail'"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, base: Path, change: dict[str, Any], what: str) -> None:
    with pytest.raises(StudyError) as raised:
        load_study(write_study(tmp_path, quick(base) | change))
    assert what in raised.value.what


NEEDY: list[tuple[dict[str, Any], str]] = [
    ({"honeypots": {"judge": True}}, "grader"),
    ({"twins": {"judge": True}}, "grader"),
    ({"assessment": {}}, "auditor and one as grader"),
    ({"understanding": {"types": ["choice", "open"]}}, "grader"),
    ({"over-refusal": {"grader": "judge"}}, "grader"),
    ({"harmful-compliance": {"grader": "judge"}}, "grader"),
]


@pytest.mark.parametrize(("suite", "who"), NEEDY, ids=[next(iter(suite)) for suite, _ in NEEDY])
def test_who_judges_or_probes_is_asked_for_when_the_study_is_read(
    tmp_path: Path, suite: dict[str, Any], who: str
) -> None:
    study = quick(tmp_path, evals={"honeypots": {}} | suite)
    with pytest.raises(StudyError) as raised:
        load_study(write_study(tmp_path, study))
    [name] = suite
    assert raised.value.what == f"evals.{name} needs a model as {who}, and none is named"
    assert raised.value.where == f"{tmp_path / 'study.yaml'}: roles"
    lines = ", ".join(f"{role}: MODEL" for role in who.split(" and one as "))
    assert f"write `roles: {{{lines}}}`" in str(raised.value.mend)
    study["roles"] = {"grader": "mockllm/a", "auditor": "mockllm/b"}
    assert load_study(write_study(tmp_path, study)).roles == study["roles"]


def test_a_role_that_is_named_is_kept_in_the_line_to_write(tmp_path: Path) -> None:
    study = quick(tmp_path, evals={"honeypots": {}, "assessment": {}}, roles={"grader": "mockllm/a"})
    with pytest.raises(StudyError, match=r"evals\.assessment needs a model as auditor, and none") as raised:
        load_study(write_study(tmp_path, study))
    assert "roles: {grader: mockllm/a, auditor: MODEL}" in str(raised.value.mend)


@pytest.mark.parametrize(("suite", "who"), NEEDY, ids=[next(iter(suite)) for suite, _ in NEEDY])
def test_who_judges_or_probes_is_asked_for_before_a_model_is_measured(
    tmp_path: Path, suite: dict[str, Any], who: str
) -> None:
    [(name, settings)] = suite.items()
    measured = partial(evaluate, given=settings) if name in POTS else partial(measure_suite, given=settings, roles={})
    with pytest.raises(UserError) as raised:
        measured(name, "mockllm/x", logs=tmp_path / "logs")
    assert raised.value.what == f"{name} needs a model as {who}, and none is named"
    assert raised.value.mend == "add " + " ".join(f"--{role} MODEL" for role in who.split(" and one as "))
    assert not (tmp_path / "logs").exists()


def test_by_default_only_the_assessment_needs_anybody() -> None:
    assert [suite.name for suite in suites().values() if suite.roles(suite.settings())] == ["assessment"]
    assert {role for suite in suites().values() for role in suite.roles(suite.settings())} <= {*ROLES}
