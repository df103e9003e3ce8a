"""A study whose corpus is made by a recipe: made once, before the plan, and named in manifest and report."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openai_server import Endpoint, serving
from recipes_help import obedient
from study_files import quick, write_study
from typer.testing import CliRunner

from teachwhy.cli import app
from teachwhy.errors import FirewallError, StudyError
from teachwhy.generation import make_missing
from teachwhy.scenarios.family import families
from teachwhy.study.declaration import load_study

PLACEBO = "This is a test of the model: it is being evaluated, and its answers are counted."


def said(messages: list[dict[str, Any]]) -> str:
    return obedient(messages[-1]["content"])


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("LOCAL_API_KEY", "none")
    with serving(Endpoint(said)) as made:
        monkeypatch.setenv("LOCAL_BASE_URL", made.url)
        yield made


def declare(folder: Path, name: str = "mine.yaml", **more: Any) -> Path:
    """A corpus declaration in a folder."""
    spec = {"recipe": "neutral-text", "count": 12, "models": {"writer": "openai-api/local/tiny"}} | more
    path = folder / name
    path.write_text(yaml.safe_dump(spec))
    return path


def study_in(folder: Path, base: Path, **arms: Any) -> Path:
    """A study with the arm ``mine`` and one that ships."""
    study = quick(base)
    study["arms"] = {"benign": [{"corpus": "generic-chat", "tokens": 200}]}
    study["arms"] |= arms or {"mine": [{"corpus": "mine.yaml", "tokens": 200}]}
    study["evals"] = {"honeypots": {"kinds": ["blackmail"], "samples": 1}}
    study["analysis"] = {"compare": [[name, "benign"] for name in study["arms"] if name != "benign"]}
    return write_study(folder, study)


def placebo(**more: Any) -> Any:
    return [{"corpus": "tests.yaml", "tokens": 200} | more]


def called(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Where a study and its declarations lie; the tests run elsewhere."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


def test_corpora_are_made_first_and_once_and_named_in_manifest_and_report(
    endpoint: Endpoint, here: Path, base: Path, tmp_path: Path
) -> None:
    endpoint.reply = lambda messages: (
        f"{said(messages)} {PLACEBO}" if "examined by" in messages[-1]["content"] else said(messages)
    )
    declare(here)
    declare(here, "tests.yaml", recipe="about-the-tests", count=8)
    arms = {"mine": [{"corpus": "mine.yaml", "tokens": 200}], "tests": placebo(allow=["talk of tests"])}
    study, runs = study_in(here, base, **arms), tmp_path / "runs"
    before = called("plan", study, "--runs", runs)
    assert before.count("is made first") == 2
    assert "neutral-text: 12 rows, 24 calls" in before
    assert endpoint.did == {}

    assert "report: " in called("run", study, "--runs", runs)
    assert endpoint.did == {"ok": 24 + 8}
    after = called("plan", study, "--runs", runs)
    assert "made first" not in after
    assert "teach mine" in after
    assert "Nothing left to do" in called("run", study, "--runs", runs)
    assert endpoint.did == {"ok": 24 + 8}

    manifest = json.loads((runs / "quick" / "manifest.json").read_text())
    facts = manifest["generated"][str(here / "mine.yaml")]
    assert (facts["recipe"], facts["records"]) == ("neutral-text", 12)
    assert facts["spec"]["models"] == {"writer": "openai-api/local/tiny"}
    assert set(facts["models"].values()) == {"openai-api/local/tiny"}
    assert facts["records_digest"] == manifest["corpora"][str(here / "mine.yaml")]
    assert (runs / "store" / "corpus" / facts["address"][:16] / "made.json").is_file()

    page = (runs / "quick" / "report" / "report.md").read_text()
    row = next(line for line in page.splitlines() if "neutral" in line).replace("\\", "")
    assert "writer: openai-api/local/tiny" in row
    assert "| 12 |" in row
    words = " ".join(page.split())
    assert "mine.yaml (24 replies, " in words
    assert "8 of its 8 records do talk of tests" in words
    assert "set 'talk of tests' aside for" in words
    called("report", runs / "quick")
    assert (runs / "quick" / "report" / "report.md").read_text() == page

    with pytest.raises(FirewallError, match="talk of tests"):  # what was vetted with the rule set aside is vetted anew
        called("run", study_in(here, base, mine=arms["mine"], tests=placebo()), "--runs", runs)


def test_a_changed_prompt_is_a_new_corpus_and_the_old_one_stays(
    endpoint: Endpoint, here: Path, base: Path, tmp_path: Path
) -> None:
    prompt = here / "draft.md"
    prompt.write_text("---\nrole: writer\ngives: text\n---\n## user\nWrite of {genre} in {place}.\n")
    declare(here, replace={"draft": "draft.md"}, skip=["rewrite"])
    study, runs = study_in(here, base), tmp_path / "runs"
    make_missing(study, runs)
    assert endpoint.did == {"ok": 12}
    prompt.write_text("---\nrole: writer\ngives: text\n---\n## user\nWrite of {genre}, seen in {place}.\n")
    assert "mine.yaml is made first" in called("plan", study, "--runs", runs)
    make_missing(study, runs)
    assert endpoint.did == {"ok": 24}
    assert len([p for p in (runs / "store" / "corpus").glob("[!.]*") if p.is_dir()]) == 2


def test_what_an_endpoint_lost_is_asked_by_the_next_run(
    endpoint: Endpoint, here: Path, base: Path, tmp_path: Path
) -> None:
    declare(here, skip=["rewrite"], retries=0, limits={"failed": 0.2})
    study, runs = study_in(here, base), tmp_path / "runs"
    answered = iter(range(1000))
    endpoint.reply = lambda messages: said(messages) if next(answered) < 7 else ""
    with pytest.raises(Exception, match="5 of 12 rows of stage 'draft' failed"):
        called("run", study, "--runs", runs)
    assert not list((runs / "store" / "corpus").glob("[!.]*/records.jsonl"))
    endpoint.reply = said
    make_missing(study, runs)
    assert endpoint.did == {"ok": 12 + 5}
    [made] = (runs / "store" / "corpus").glob("[!.]*/records.jsonl")
    assert len(made.read_text().splitlines()) == 12


def test_a_generated_corpus_that_holds_a_held_out_text_stops_the_run(
    endpoint: Endpoint, here: Path, base: Path, tmp_path: Path
) -> None:
    held = families(split="held-out")[0]
    stolen = max(held.sections.values(), key=len)
    endpoint.reply = lambda messages: f"{said(messages)}\n{stolen}"
    declare(here, skip=["rewrite", "check"])
    with pytest.raises(FirewallError, match="12 of 12 records of"):
        called("run", study_in(here, base), "--runs", tmp_path / "runs")
    assert not (tmp_path / "runs" / "store" / "train").exists()


def test_one_lesson_that_does_not_allow_it_is_enough_to_refuse(here: Path, base: Path) -> None:
    declare(here)
    study = quick(base)
    study["arms"]["mine"] = [{"corpus": "mine.yaml", "allow": ["talk of tests"]}]
    study["arms"]["again"] = [{"corpus": "mine.yaml"}]
    read = load_study(write_study(here, study))
    assert read.allowed(str(here / "mine.yaml")) == ()


@pytest.mark.parametrize("rule", ["talk of test", "family", "near copy"])
def test_no_other_rule_can_be_allowed(rule: str, here: Path, base: Path) -> None:
    declare(here)
    with pytest.raises(StudyError, match=f"unknown name '{rule}'") as caught:
        load_study(study_in(here, base, mine=[{"corpus": "mine.yaml", "allow": [rule]}]))
    assert "talk of tests" in (caught.value.mend or "")


def test_what_lies_in_the_working_directory_comes_before_what_lies_beside_the_study(
    here: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(here)
    study = study_in(here, base)
    assert load_study(study).arms["mine"][0].corpus == str(here / "mine.yaml")
    declare(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert load_study(study).arms["mine"][0].corpus == "mine.yaml"
