"""A kill at any moment loses nothing that was finished and changes no result (law 2)."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from study_files import run_all, tables

KILLS = 10


@pytest.fixture(scope="module")
def spawner() -> multiprocessing.context.ForkServerContext:
    """Processes that begin with everything imported, so that kills fall into the run and not into imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["study_files", "teachwhy.study.run", "teachwhy.evals.rows", "teachwhy.training.learner"]
    )
    return context


def test_ten_kills_leave_the_tables_as_they_would_have_been(
    spawner: multiprocessing.context.ForkServerContext, study_file: Path, undisturbed: Path, tmp_path: Path
) -> None:
    spent = sum(node["seconds"] for node in json.loads((undisturbed / "quick" / "manifest.json").read_text())["nodes"])
    moments = random.Random(7)
    killed = 0
    for _ in range(KILLS):
        process = spawner.Process(target=run_all, args=(study_file, tmp_path))
        process.start()
        process.join(timeout=moments.uniform(0.1, 0.5) * spent)
        if process.is_alive():
            process.kill()
            killed += 1
        process.join()
    assert killed >= 3, "the kills came too late to disturb anything"
    last = spawner.Process(target=run_all, args=(study_file, tmp_path))
    last.start()
    last.join()
    assert last.exitcode == 0

    assert tables(tmp_path) == tables(undisturbed)
    rows = [json.loads(line) for line in tables(tmp_path)["samples.jsonl"].splitlines()]
    keys = [(row["arm"], row["seed"], row["eval"], row["sample_id"]) for row in rows]
    assert len(keys) == len(set(keys)) == 3 * (4 + 4)


def test_a_store_after_kills_holds_whole_artifacts_only(undisturbed: Path) -> None:
    for folder in (undisturbed / "store").glob("*/*/"):
        if not folder.name.startswith("."):
            assert (folder / "node.json").is_file() or folder.name.endswith(".partial"), folder


def test_two_runs_on_one_store_make_everything_once(
    spawner: multiprocessing.context.ForkServerContext, study_file: Path, undisturbed: Path, tmp_path: Path
) -> None:
    both = [spawner.Process(target=run_all, args=(study_file, tmp_path)) for _ in range(2)]
    for process in both:
        process.start()
        time.sleep(0.2)
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert tables(tmp_path) == tables(undisturbed)


def test_ctrl_c_ends_with_a_line_and_the_same_command_goes_on(
    study_file: Path, undisturbed: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "teachwhy.cli", "run", str(study_file), "--runs", str(tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    # What a shell starts in the background ignores Ctrl-C, and so would what is started from there.
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=listening
    ) as process:
        assert process.stdout is not None
        while "[  1/" not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(0.5)  # into the next evaluation
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on from here" in said
    assert "Traceback" not in said
    run_all(study_file, tmp_path)
    assert tables(tmp_path) == tables(undisturbed)
