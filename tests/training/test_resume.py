"""Stopped anywhere, by anything: the same call again ends with the bytes of an undisturbed run."""

import hashlib
import multiprocessing
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from teachwhy.training import folders, learner, sft
from teachwhy.training.sft import Progress, Settings, Stage, train


class Killed(BaseException):
    """As abrupt as a kill: nothing in the code catches it."""


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def undisturbed(
    base: Path, stages: list[Stage], quick: Settings, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """By method: the weights of a run that nothing interrupts."""
    folder, made = tmp_path_factory.mktemp("undisturbed"), {}
    for method in ("full", "lora"):
        train(base, stages, folder / method, quick.model_copy(update={"method": method}))
        made[method] = weights(folder / method)
    return made


def saving(quick: Settings, method: str) -> Settings:
    """With a checkpoint every second step."""
    return quick.model_copy(update={"method": method, "save_steps": 2})


def steps_told(told: list[int]) -> Progress:
    return lambda done, total, loss: told.append(done)


def kill_at(step: int) -> Progress:
    seen: list[int] = []

    def progress(done: int, total: int, loss: float) -> None:
        seen.append(done)
        if len(seen) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return progress


def run_and_die(base: Path, stages: list[Stage], out: Path, settings: Settings, step: int) -> None:
    torch.set_num_threads(1)
    train(base, stages, out, settings, progress=kill_at(step))


def test_kill_9_between_and_within_stages(
    base: Path, stages: list[Stage], quick: Settings, tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    """Two kills of a real process: at step 2 of 3 of the first stage, then at step 4 of 6 of the second."""
    careful = quick.model_copy(update={"save_steps": 1})
    out, spawn = tmp_path / "out", multiprocessing.get_context("spawn")
    for step in (2, 5):  # the second run goes on after the one step of the first that was saved
        process = spawn.Process(target=run_and_die, args=(base, stages, out, careful, step))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not out.exists()
    told: list[int] = []
    ledgers = train(base, stages, out, careful, progress=steps_told(told))
    assert weights(out) == undisturbed["full"]
    assert 0 < len(told) < 6  # the first stage and the first steps of the second were not repeated
    assert [ledger.steps for ledger in ledgers] == [3, 6]
    assert not (tmp_path / "out.partial").exists()


@pytest.mark.parametrize(("method", "step"), [("full", 1), ("lora", 3), ("full", 5), ("lora", 8), ("full", 9)])
def test_stopped_at_a_step(
    base: Path,
    stages: list[Stage],
    quick: Settings,
    tmp_path: Path,
    undisturbed: dict[str, str],
    method: str,
    step: int,
) -> None:
    told: list[int] = []
    careful = saving(quick, method)

    def stop(done: int, total: int, loss: float) -> None:
        told.append(done)
        if len(told) == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(base, stages, tmp_path / "out", careful, progress=stop)
    assert not (tmp_path / "out").exists()
    again: list[int] = []
    train(base, stages, tmp_path / "out", careful, progress=steps_told(again))
    assert weights(tmp_path / "out") == undisturbed[method]
    assert len(told) + len(again) <= 9 + 2  # at most the steps since the last checkpoint are done twice


@pytest.mark.parametrize(
    ("method", "where", "name", "call"),
    [
        ("full", learner, "mark_whole", 0),  # a checkpoint is written, but not sealed
        ("lora", learner, "mark_whole", 1),
        ("full", learner, "drop_others", 1),  # two sealed checkpoints
        ("lora", sft, "_save", 0),  # a stage is trained, its weights not written
        ("full", sft, "publish", 0),  # a stage is written, not renamed
        ("full", sft, "write_ledgers", 1),
        ("lora", sft, "_assemble", 0),  # all stages done
        ("lora", sft, "copy_speech", 0),  # the final folder half made
        ("full", sft, "publish", 2),
        ("full", shutil, "rmtree", -1),  # all done but tidying up
    ],
)
def test_stopped_while_writing(
    base: Path,
    stages: list[Stage],
    quick: Settings,
    tmp_path: Path,
    undisturbed: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    where: Any,
    name: str,
    call: int,
) -> None:
    real, calls, out, careful = getattr(where, name), [], tmp_path / "out", saving(quick, method)

    def stop(*args: Any, **options: Any) -> Any:
        calls.append(args)
        if len(calls) == call + 1 or (call == -1 and out.exists()):
            raise Killed
        return real(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(where, name, stop)
        with pytest.raises(Killed):
            train(base, stages, out, careful)
    train(base, stages, out, careful)
    assert weights(out) == undisturbed[method]
    assert not (tmp_path / "out.partial").exists()


def checkpoint(folder: Path, step: int, *, sealed: bool = True) -> Path:
    made = folder / f"checkpoint-{step}"
    made.mkdir(parents=True)
    (made / "model.safetensors").write_bytes(b"weights" * step)
    (made / "trainer_state.json").write_text("{}")
    if sealed:
        folders.mark_whole(made)
    return made


def test_the_newest_whole_checkpoint_is_taken_and_the_others_removed(tmp_path: Path) -> None:
    for step in (2, 10, 9):
        checkpoint(tmp_path, step)
    checkpoint(tmp_path, 11, sealed=False)
    short = checkpoint(tmp_path, 12) / "model.safetensors"
    short.write_bytes(short.read_bytes()[:-1])
    (checkpoint(tmp_path, 13) / "trainer_state.json").unlink()
    (checkpoint(tmp_path, 14) / "whole.json").write_text('{"model.saf')
    (checkpoint(tmp_path, 15) / "more.bin").write_text("not in the list")
    (tmp_path / "checkpoint-x").mkdir()
    assert folders.newest_whole(tmp_path) == tmp_path / "checkpoint-10"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-10"]


def test_no_checkpoint(tmp_path: Path) -> None:
    assert folders.newest_whole(tmp_path / "nothing") is None


def test_damaged_checkpoints_cost_time_not_truth(
    base: Path, stages: list[Stage], quick: Settings, tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    careful, steps = saving(quick, "full"), tmp_path / "out.partial" / "steps-1"

    def stop(done: int, total: int, loss: float) -> None:
        if (steps / "checkpoint-4" / "whole.json").exists():
            raise Killed

    with pytest.raises(Killed):
        train(base, stages, tmp_path / "out", careful, progress=stop)
    damaged = steps / "checkpoint-4" / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-100] + bytes(100))
    train(base, stages, tmp_path / "out", careful)
    assert weights(tmp_path / "out") == undisturbed["full"]


def test_an_interrupted_training_of_something_else_is_not_taken_up(
    base: Path, stages: list[Stage], quick: Settings, tmp_path: Path
) -> None:
    def stop(done: int, total: int, loss: float) -> None:
        raise Killed

    with pytest.raises(Killed):
        train(base, stages, tmp_path / "out", quick, progress=stop)
    with pytest.raises(folders.StoreError, match="another seed"):
        train(base, stages, tmp_path / "out", quick, seed=9)
