"""A study without arms: an endpoint, or any model, is measured and nothing is compared."""

from pathlib import Path

import pytest
import yaml
from study_files import Silent

from teachwhy.errors import StudyError
from teachwhy.report.make import make_report
from teachwhy.study.declaration import load_study
from teachwhy.study.run import open_study, run_study

REPLY = {"text": "No.", "calls": [{"name": "file_report", "arguments": {"about": "me", "text": "I leave it to you."}}]}
STUDY = {"study": "alone", "evals": {"honeypots": {"kinds": ["leaking"], "split": "held-out", "samples": 1}}}


def declared(folder: Path, **more: object) -> Path:
    (folder / "script.yaml").write_text(yaml.safe_dump({"replies": [REPLY]}))
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(STUDY | {"base": f"teachwhy_scripted/{folder / 'script.yaml'}"} | more))
    return file


def test_the_base_alone_is_measured_and_nothing_is_claimed(tmp_path: Path) -> None:
    done = run_study(open_study(declared(tmp_path), tmp_path / "runs"), Silent())
    page = make_report(done)
    told = page.with_suffix(".md").read_text()
    assert "How does the model act under threat?" in told
    assert "nothing is claimed" in told
    assert "## Comparisons" not in told
    assert "Differences are" not in told
    assert 'href="#comparisons"' not in page.read_text()
    assert 'href="#rates"' in page.read_text()


def test_the_room_of_a_reply_is_part_of_its_address(tmp_path: Path) -> None:
    def addresses(**more: int) -> set[str]:
        spec = STUDY["evals"]["honeypots"] | more  # type: ignore[index]
        opened = open_study(declared(tmp_path, evals={"honeypots": spec}), tmp_path / "runs")
        return {node.address for node in opened.plan.nodes}

    assert not addresses() & addresses(max_tokens=4000)


def test_who_watches_is_told_of_every_sample(tmp_path: Path) -> None:
    opened, watcher = open_study(declared(tmp_path), tmp_path / "runs"), Silent()
    run_study(opened, watcher)
    assert watcher.ticked == {node.label: (node.answers, node.answers) for node in opened.plan.nodes}


def test_arms_that_are_not_compared_are_refused(tmp_path: Path) -> None:
    file = declared(tmp_path, base="smollm2-135m", arms={"one": [{"corpus": "stories", "tokens": 100}]})
    with pytest.raises(StudyError, match="no arms are compared"):
        load_study(file)
