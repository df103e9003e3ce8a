"""Every artifact is addressed by all that made it (law 2), and a study runs from its file to its tables."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import list_eval_logs, read_eval_log
from study_files import Silent, make_base, quick, run_all, tables, write_study

from teachwhy.analysis import Analysis
from teachwhy.errors import CorpusError, FirewallError, LockedError, ModelError, StudyError
from teachwhy.report.make import finished_report, make_report, report_again
from teachwhy.study.declaration import load_study
from teachwhy.study.plan import make_plan
from teachwhy.study.run import finish, open_study, run_study
from teachwhy.study.store import Store


def addresses(folder: Path, study: dict[str, Any]) -> dict[str, str]:
    plan = make_plan(load_study(write_study(folder, study)))
    return {node.label: node.address for node in plan.nodes}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {label for label in before if before[label] != after.get(label)}


def test_a_plan_made_twice_has_the_same_addresses(tmp_path: Path, base: Path) -> None:
    assert addresses(tmp_path, quick(base)) == addresses(tmp_path, quick(base))


def test_another_dose_moves_only_what_depends_on_it(tmp_path: Path, base: Path) -> None:
    before = addresses(tmp_path, quick(base))
    study = quick(base)
    study["arms"]["benign"] = [{"corpus": "generic-chat", "tokens": 300}]
    moved = changed(before, addresses(tmp_path, study))
    assert moved
    assert all("benign" in label for label in moved)


def test_other_settings_seeds_and_weights_move_the_trained(tmp_path: Path, base: Path) -> None:
    before = addresses(tmp_path, quick(base))
    trained = {label for label in before if "base" not in label}
    rate = addresses(tmp_path, quick(base) | {"training": {"learning_rate": 1e-5}})
    assert changed(before, rate) == trained
    assert changed(before, addresses(tmp_path, quick(base) | {"seeds": [5]})) == trained
    other = make_base_with_seed(tmp_path / "other", 3)
    assert changed(before, addresses(tmp_path, quick(other))) == set(before)


def make_base_with_seed(folder: Path, seed: int) -> Path:
    from teachwhy.models.tiny import tiny_model

    return tiny_model(folder, seed=seed)


def test_a_changed_corpus_file_moves_its_arm(tmp_path: Path, base: Path) -> None:
    study, path = quick(base), tmp_path / "own.jsonl"
    study["arms"]["benign"] = [{"corpus": str(path)}]
    record = {"id": "a", "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Good day."}]}
    path.write_text(json.dumps(record) + "\n")
    before = addresses(tmp_path, study)
    record["messages"][1]["content"] = "Good evening."  # type: ignore[index]
    path.write_text(json.dumps(record) + "\n")
    moved = changed(before, addresses(tmp_path, study))
    assert moved == {label for label in before if "benign" in label}


def test_the_tables_hold_every_answer_of_every_model(undisturbed: Path) -> None:
    analysis = Analysis.model_validate_json(tables(undisturbed)["analysis.json"])
    cell = analysis.cell("actions", "honeypots")
    assert cell is not None
    assert cell.own.scored + cell.own.missing == cell.rows == 4
    assert {c.arm for c in analysis.cells} == {"base", "benign", "actions"}


def test_the_viewer_finds_every_transcript(study_file: Path, undisturbed: Path) -> None:
    measured = [node for node in open_study(study_file, undisturbed).plan.nodes if node.kind != "train"]
    listed = list_eval_logs(str(undisturbed / "quick" / "logs"))
    assert len(listed) == len(measured) == 6
    heads = [read_eval_log(log, header_only=True) for log in listed]
    assert {head.status for head in heads} == {"success"}
    assert {tag for head in heads for tag in head.eval.tags or []} == {"base", "benign seed 0", "actions seed 0"}


def test_a_rerun_does_nothing_and_points_at_the_report(study_file: Path, undisturbed: Path) -> None:
    opened = open_study(study_file, undisturbed)
    assert opened.left == []
    assert finished_report(opened) is None
    page = make_report(finish(opened))
    assert finished_report(opened) == page
    html = page.read_text("utf-8")
    assert "no claim" in html
    watcher = Silent()
    run_study(opened, watcher)
    assert watcher.begun == []
    assert report_again(undisturbed / "quick") == page


def test_a_plan_changed_after_results_is_refused(
    study_file: Path, undisturbed: Path, tmp_path: Path, base: Path
) -> None:
    study = quick(base)
    study["analysis"] = {"compare": [["benign", "actions"]]}
    opened = open_study(write_study(tmp_path, study), undisturbed)
    with pytest.raises(LockedError, match="changed after"):
        run_study(opened, Silent())
    run_all(study_file, undisturbed)


def test_a_corpus_that_holds_a_held_out_scene_stops_the_run(tmp_path: Path, base: Path) -> None:
    from teachwhy.evals.honeypots.task import honeypot_conditions
    from teachwhy.scenarios.scenario import Scenario

    condition = honeypot_conditions(kinds=["leaking"], samples=1)[0]
    messages = [*Scenario(condition).messages(), {"role": "assistant", "content": "No."}]
    path = tmp_path / "stolen.jsonl"
    path.write_text(json.dumps({"id": "stolen-1", "messages": messages}) + "\n")
    study = quick(base)
    study["arms"]["benign"] = [{"corpus": str(path)}]
    opened = open_study(write_study(tmp_path, study), tmp_path / "runs")
    watcher = Silent()
    with pytest.raises(FirewallError, match="stolen-1"):
        run_study(opened, watcher)
    assert watcher.begun == []


def test_a_corpus_of_copies_stops_the_run(tmp_path: Path, base: Path) -> None:
    turn = [{"role": "user", "content": "What is 2 and 2?"}, {"role": "assistant", "content": "Four, as ever."}]
    path = tmp_path / "copies.jsonl"
    path.write_text("".join(json.dumps({"id": f"c{n}", "messages": turn}) + "\n" for n in range(3)))
    study = quick(base)
    study["arms"]["benign"] = [{"corpus": str(path)}]
    with pytest.raises(CorpusError, match="word for word"):
        run_study(open_study(write_study(tmp_path, study), tmp_path / "runs"), Silent())


def test_an_endpoint_cannot_be_trained(tmp_path: Path) -> None:
    path = write_study(tmp_path, quick(Path("x")) | {"base": "openai/gpt-x"})
    with pytest.raises(StudyError, match="endpoint"):
        make_plan(load_study(path))


def test_a_model_folder_without_template_or_tokenizer_is_refused(tmp_path: Path) -> None:
    for lost in ("tokenizer.json", "chat_template.jinja"):
        folder = make_base(tmp_path / lost)
        config = folder / "tokenizer_config.json"
        (folder / lost).unlink(missing_ok=True)
        if lost == "chat_template.jinja" and "chat_template" in config.read_text():
            config.write_text(json.dumps({k: v for k, v in json.loads(config.read_text()).items() if k != lost[:13]}))
        with pytest.raises(ModelError):
            make_plan(load_study(write_study(tmp_path, quick(folder))))


def test_no_key_reaches_an_artifact(undisturbed: Path) -> None:
    secret = os.environ["OPENAI_API_KEY"].encode()
    files = [path for path in undisturbed.rglob("*") if path.is_file() and path.suffix != ".safetensors"]
    assert files
    for path in files:
        data = path.read_bytes()
        if path.suffix == ".eval":
            with zipfile.ZipFile(path) as log:
                data = b"".join(log.read(name) for name in log.namelist())
        assert secret not in data, path


def test_weights_are_safetensors_and_nothing_else(undisturbed: Path) -> None:
    weights = [p.name for p in (undisturbed / "store" / "train").rglob("*") if p.suffix in (".bin", ".pt", ".pkl")]
    assert weights == []
    assert list((undisturbed / "store" / "train").glob("*/model.safetensors"))


def test_an_estimate_comes_before_the_first_step_and_progress_with_time_left(
    study_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from teachwhy import cli

    monkeypatch.setattr("sys.argv", ["teachwhy", "run", str(study_file), "--runs", str(tmp_path)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code in (None, 0)
    said = capsys.readouterr().out
    estimate, first, left = said.index("estimate:"), said.index("[  1/"), said.index("left in all")
    assert estimate < first < left
    assert "report: " in said


def test_an_artifact_is_whole_or_absent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RuntimeError):
        _die_while_making(store)
    assert store.meta("eval", "a" * 64) is None
    assert [p for p in (tmp_path / "eval").iterdir() if p.is_dir()] == []
    with store.making("eval", "a" * 64, {"seconds": 1}) as folder:
        (folder / "rows.jsonl").write_text("whole")
    assert store.meta("eval", "a" * 64) == {"seconds": 1, "address": "a" * 64}


def _die_while_making(store: Store) -> None:
    with store.making("eval", "a" * 64, {}) as folder:
        (folder / "rows.jsonl").write_text("half")
        raise RuntimeError
