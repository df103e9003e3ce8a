"""docs/own-constitution.md stays true: its commands do what it says; the tiny model stands in for the embedded one."""

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from teachwhy.cli import app
from teachwhy.constitution import load
from teachwhy.corpora.records import read_jsonl
from teachwhy.models.tiny import tiny_model

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "own-constitution.md"
EXAMPLE = "examples/own-constitution"
SLOW = ("teachwhy run", "teachwhy plan", "teachwhy report")

Call = Callable[[str], str]


def commands() -> list[str]:
    """The commands of the guide that need no endpoint."""
    found = re.findall(r"^    (teachwhy .+?)(?:\s{2,}#.*)?$", GUIDE.read_text("utf-8"), re.MULTILINE)
    return [command for command in found if "anthropic/" not in command and "openai/" not in command]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Runs a command of the guide as in a fresh checkout."""
    shutil.copytree(ROOT / EXAMPLE, tmp_path / EXAMPLE)
    monkeypatch.chdir(tmp_path)

    def run(command: str) -> str:
        result = CliRunner().invoke(app, shlex.split(command)[1:])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, f"{command}\n{result.output}"
        return result.output

    return run


def test_every_quick_command_works_in_its_order(call: Call, tmp_path: Path) -> None:
    quick = [command for command in commands() if not command.startswith(SLOW)]
    assert len(quick) >= 5
    said = {command: call(command) for command in quick}
    assert "10 questions on 5 sections, all as they were written" in "\n".join(said.values())
    records = read_jsonl(tmp_path / "out" / "advice" / "records.jsonl")
    sections = {section.id for section in load(tmp_path / EXAMPLE / "library.md").sections}
    assert {record.meta["section"] for record in records} == sections


def test_the_study_runs_to_its_report(call: Call, tmp_path: Path) -> None:
    study = tmp_path / EXAMPLE / "study.yaml"
    tiny = tiny_model(tmp_path / "tiny")
    study.write_text(study.read_text().replace("base: smollm2-135m", f"base: {tiny}"))
    slow = [command for command in commands() if command.startswith(SLOW)]
    assert [command.split()[1] for command in slow][:2] == ["plan", "run"]
    said = [call(command) for command in slow]
    assert "advice.yaml is made first" in said[0]
    page = (tmp_path / "runs" / "library" / "report" / "report.md").read_text()
    assert "understanding" in page
    assert "difficult-advice" in page


def test_what_the_script_says_never_quotes_the_constitution(call: Call, tmp_path: Path) -> None:
    call(f"teachwhy corpus build {EXAMPLE}/advice.yaml --out out/advice")
    sections = [section.body for section in load(tmp_path / EXAMPLE / "library.md").sections]
    sentences = [sentence for body in sections for sentence in re.split(r"(?<=\.)\s+", body)]
    for record in read_jsonl(tmp_path / "out" / "advice" / "records.jsonl"):
        assert not [sentence for sentence in sentences if sentence in record.whole()]
