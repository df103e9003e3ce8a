"""The command line: quick to answer, and every mistake ends in what, where, mend and an exit code."""

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from typer.testing import CliRunner

from teachwhy import cli
from teachwhy.corpora.corpus import load_corpus
from teachwhy.errors import FetchError, StudyError, UserError
from teachwhy.standalone import parsed_settings

HEAVY = ("torch", "transformers", "inspect_ai", "pandas", "scipy", "matplotlib", "trl", "datasets", "numpy")


def teachwhy(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "teachwhy.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_the_command_line_imports_nothing_heavy() -> None:
    code = f"import teachwhy.cli, sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "verb",
    [
        "run",
        "plan",
        "eval",
        "train",
        "corpus",
        "report",
        "view",
        "models",
        "doctor",
        "suites",
        "calibrate",
        "constitution",
    ],
)
def test_every_verb_is_listed_and_has_help(verb: str) -> None:
    runner = CliRunner()
    assert verb in runner.invoke(cli.app, ["--help"]).output
    assert runner.invoke(cli.app, [verb, "--help"]).exit_code == 0


def test_a_bank_is_held_against_its_constitution(tmp_path: Path) -> None:
    from teachwhy.evals.understanding.bank import default_bank

    text = resources.files("teachwhy.constitution").joinpath("default.md").read_text("utf-8")
    same, changed = tmp_path / "same.md", tmp_path / "changed.md"
    same.write_text(text, "utf-8")
    changed.write_text(text.rstrip() + "\n\nOne more sentence at the end.\n", "utf-8")
    runner = CliRunner()
    sound = runner.invoke(cli.app, ["constitution", "check", str(same), "--bank", str(default_bank())])
    assert (sound.exit_code, "all as they were written" in sound.output) == (0, True)
    stale = runner.invoke(cli.app, ["constitution", "check", str(changed), "--bank", str(default_bank())])
    assert (stale.exit_code, "has changed; read again" in stale.output) == (2, True)


def test_what_is_not_built_is_not_listed() -> None:
    assert "probe" not in CliRunner().invoke(cli.app, ["--help"]).output


def test_a_missing_study_is_named(tmp_path: Path) -> None:
    done = teachwhy("run", "nowhere.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_flag_or_verb_is_an_error() -> None:
    runner = CliRunner()
    assert runner.invoke(cli.app, ["run", "--dry", "x.yaml"]).exit_code == 2
    assert runner.invoke(cli.app, ["rum", "x.yaml"]).exit_code == 2


def test_errors_become_lines_and_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error, code in (
        (StudyError("bad key", where="s.yaml", mend="remove it"), 2),
        (FetchError("no network"), 1),
        (KeyboardInterrupt(), 130),
    ):
        monkeypatch.setattr(cli, "app", _raiser(error))
        monkeypatch.setattr(cli.os, "_exit", sys.exit)
        with pytest.raises(SystemExit) as caught:
            cli.main()
        assert caught.value.code == code
    assert "where: s.yaml" in capsys.readouterr().err


def _raiser(error: BaseException):  # type: ignore[no-untyped-def]
    def app() -> None:
        raise error

    return app


def test_corpora_are_shown_and_audited(tmp_path: Path) -> None:
    runner = CliRunner()
    assert "difficult-advice" in runner.invoke(cli.app, ["corpus", "show"]).output
    shown = runner.invoke(cli.app, ["corpus", "show", "generic-chat", "--records", "1"]).output
    assert "[user]" in shown
    built = runner.invoke(cli.app, ["corpus", "build", "generic-chat", "--out", str(tmp_path / "chat")])
    assert built.exit_code == 0
    records = load_corpus("generic-chat").records
    assert (tmp_path / "chat" / "records.jsonl").read_text("utf-8").count("\n") == len(records)
    audited = runner.invoke(cli.app, ["corpus", "audit", str(tmp_path / "chat" / "records.jsonl")])
    assert audited.exit_code == 0, audited.output
    assert "firewall: nothing" in audited.output


def test_the_version_is_told() -> None:
    assert teachwhy("--version").stdout == "teachwhy 0.1.0\n"


@pytest.mark.parametrize("value", ["2024-13-45", "[a"])
def test_a_setting_that_is_not_yaml_is_named(value: str) -> None:
    with pytest.raises(UserError, match=r"is not YAML[\s\S]*--set split") as told:
        parsed_settings([f"split={value}"])
    assert f"'{value}'" in told.value.what


@pytest.mark.parametrize(
    "words",
    [
        ("calibrate", "--judge"),
        ("eval", "over-refusal", "--model", "mockllm/x", "--judge"),
        ("eval", "honeypots", "--model"),
    ],
)
def test_an_endpoint_without_a_key_is_named_in_words(words: tuple[str, ...], tmp_path: Path) -> None:
    done = teachwhy(*words, "openai-api/nobody/x", cwd=tmp_path)
    assert done.returncode == 2
    assert "NOBODY_API_KEY" in done.stderr
    assert "openai-api/nobody/x" in done.stderr
    assert not (tmp_path / "logs").exists()
