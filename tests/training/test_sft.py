"""``train`` from a base folder to a folder that anybody can load."""

import hashlib
import json
import subprocess
import sys
import warnings
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
import torch
from filelock import FileLock
from training_records import chat, document
from transformers import AutoModelForCausalLM, AutoTokenizer

from teachwhy.corpora.records import Record
from teachwhy.errors import ModelError, RenderError, StoreError, UserError
from teachwhy.models.tiny import tiny_model
from teachwhy.training.estimate import estimate
from teachwhy.training.ledger import Ledger, read_ledgers
from teachwhy.training.sft import Settings, Stage, train


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def done(
    base: Path, stages: list[Stage], quick: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Ledger]]:
    """A finished training of both stages."""
    out = tmp_path_factory.mktemp("done") / "deep" / "out"
    return out, train(base, stages, out, quick)


def logits(folder: Path) -> torch.Tensor:
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        found: torch.Tensor = model(torch.arange(40)[None]).logits
    return found


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_same_inputs_give_the_same_bytes_and_another_seed_others(
    base: Path, stages: list[Stage], quick: Settings, tmp_path: Path, method: str
) -> None:
    settings = quick.model_copy(update={"method": method})
    train(base, stages, tmp_path / "a", settings, seed=1)
    train(base, stages, tmp_path / "b", settings, seed=1)
    train(base, stages, tmp_path / "c", settings, seed=2)
    same = {"ledger.json"}  # holds times
    for file in (tmp_path / "a").rglob("*"):
        if file.is_file() and file.name not in same:
            assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes(), file
    assert weights(tmp_path / "a") not in {weights(tmp_path / "c"), weights(base)}


def test_when_to_save_does_not_change_the_weights(
    base: Path, stages: list[Stage], quick: Settings, tmp_path: Path, done: tuple[Path, list[Ledger]]
) -> None:
    train(base, stages, tmp_path / "b", quick.model_copy(update={"save_steps": 1}))
    assert weights(done[0]) == weights(tmp_path / "b")


def test_the_folder_is_an_ordinary_one(base: Path, done: tuple[Path, list[Ledger]]) -> None:
    out, ledgers = done
    names = {path.name for path in out.iterdir()}
    assert names == {path.name for path in base.iterdir()} | {"ledger.json", "training.json"}
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        assert (out / name).read_bytes() == (base / name).read_bytes()
    assert json.loads((out / "config.json").read_text()) == json.loads((base / "config.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(out)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    assert AutoModelForCausalLM.from_pretrained(out).generate(**prompt, max_new_tokens=3).shape[1] > 3
    assert read_ledgers(out / "ledger.json") == ledgers
    assert not (out.parent / "out.partial").exists()


def test_a_lora_is_merged_and_kept(base: Path, stages: list[Stage], quick: Settings, tmp_path: Path) -> None:
    from peft import PeftModel

    train(base, stages, tmp_path / "out", quick.model_copy(update={"method": "lora"}))
    adapted = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), tmp_path / "out" / "adapter")
    with torch.no_grad():
        wanted = adapted(torch.arange(40)[None]).logits
    torch.testing.assert_close(logits(tmp_path / "out"), wanted, rtol=1e-4, atol=1e-5)
    assert (wanted - logits(base)).abs().max() > 0.1
    assert str(tmp_path) not in (tmp_path / "out" / "adapter" / "adapter_config.json").read_text()


def test_a_lora_goes_only_where_it_is_told(base: Path, stages: list[Stage], quick: Settings, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    train(base, stages[:1], tmp_path / "out", quick.model_copy(update={"method": "lora", "lora_targets": ("q_proj",)}))
    before, after = load_file(base / "model.safetensors"), load_file(tmp_path / "out" / "model.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if "q_proj" in name}
    wrong = quick.model_copy(update={"method": "lora", "lora_targets": ("q_prof",)})
    with pytest.raises(UserError, match="did you mean 'q_proj'"):
        train(base, stages[:1], tmp_path / "other", wrong)


def test_the_ledger_adds_up(base: Path, stages: list[Stage], quick: Settings, tmp_path: Path) -> None:
    dosed = stages[1].model_copy(update={"dose": 2000})
    told: list[tuple[int, int, float]] = []
    first, second = train(base, [stages[0], dosed], tmp_path / "out", quick, progress=lambda *step: told.append(step))
    assert (first.corpus, first.form, first.dose_asked, first.passes) == ("stories", "documents", None, 1.0)
    assert first.records_used == first.records_available == 12
    assert first.tokens_masked == 12  # the first token of each document
    assert second.dose_asked == 2000 <= second.dose_given == second.tokens_supervised < 2100
    assert second.passes > 1
    assert second.records_used == second.records_available == 24
    for ledger in (first, second):
        assert ledger.tokens_read == ledger.tokens_supervised + ledger.tokens_masked
        assert (ledger.truncated, ledger.dropped) == (0, 0)
        assert ledger.loss_last < ledger.loss_first
        assert ledger.seconds > 0
    assert len(told) == first.steps + second.steps
    total = first.tokens_read + second.tokens_read
    assert [all_ for _, all_, _ in told] == [total] * len(told)
    assert told[first.steps - 1][0] == first.tokens_read
    assert told[-1][0] == total
    known = estimate(base, [stages[0], dosed], quick, rate=100.0)
    assert (known.tokens, known.steps) == (total, len(told))
    assert known.supervised == first.dose_given + second.dose_given
    assert known.seconds == total / 100


def test_stages_follow_one_another(
    base: Path, stages: list[Stage], quick: Settings, tmp_path: Path, done: tuple[Path, list[Ledger]]
) -> None:
    """Both stages leave their mark, and their order matters."""
    train(base, stages[1:], tmp_path / "one", quick)
    train(base, stages[::-1], tmp_path / "turned", quick)
    assert len({weights(folder) for folder in (done[0], tmp_path / "one", tmp_path / "turned")}) == 3


def test_a_finished_training_is_not_repeated(
    base: Path, stages: list[Stage], quick: Settings, done: tuple[Path, list[Ledger]]
) -> None:
    out, ledgers = done
    changed = (out / "model.safetensors").stat().st_mtime_ns
    assert train(base, stages, out, quick, progress=lambda *_: pytest.fail("trained again")) == ledgers
    assert (out / "model.safetensors").stat().st_mtime_ns == changed


def test_a_folder_of_something_else_is_refused(
    base: Path, stages: list[Stage], quick: Settings, tmp_path: Path, done: tuple[Path, list[Ledger]]
) -> None:
    with pytest.raises(StoreError, match="another seed"):
        train(base, stages, done[0], quick, seed=5)
    with pytest.raises(StoreError, match="another settings, stages"):
        train(base, stages[:1], done[0], Settings())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError, match="no training made it"):
        train(base, stages, tmp_path / "mine", quick)
    (tmp_path / "mine").rename(tmp_path / "other.partial")
    with pytest.raises(StoreError, match="no training made it"):
        train(base, stages, tmp_path / "other", quick)
    assert (tmp_path / "other.partial" / "thesis.txt").read_text() == "years of work"


def test_all_stages_are_checked_before_the_first_step(base: Path, quick: Settings, tmp_path: Path) -> None:
    empty = Record(id="e", messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}])
    bad = [
        Stage(corpus="good", form="documents", records=[document(1)]),
        Stage(corpus="bad", form="chat", records=[empty]),
    ]
    with pytest.raises(RenderError, match="corpus 'bad', record 'e'"):
        train(base, bad, tmp_path / "out", quick, progress=lambda *_: pytest.fail("trained"))
    assert not (tmp_path / "out.partial").exists()


def test_a_model_without_template_stops_a_chat_stage(quick: Settings, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "base")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(RenderError, match="no chat template"):
        train(folder, [Stage(corpus="talks", form="chat", records=[chat(1)])], tmp_path / "out", quick)


def test_damaged_weights_are_a_clear_error(stages: list[Stage], quick: Settings, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "base")
    with (folder / "model.safetensors").open("r+b") as file:
        file.truncate(5000)
    with pytest.raises(ModelError, match="cannot be loaded"):
        train(folder, stages, tmp_path / "out", quick)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_training_is_quiet(
    base: Path, stages: list[Stage], quick: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str], method: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda *warning, **_: print(*warning)
        train(base, stages, tmp_path / "out", quick.model_copy(update={"method": method}))
    assert capfd.readouterr() == ("", "")


def test_too_little_disk_is_said_before_the_first_step(
    base: Path, stages: list[Stage], quick: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(StoreError, match=r"needs about 0\.0 GB of disk"):
        train(base, stages, tmp_path / "out", quick)
    assert not (tmp_path / "out.partial").exists()


def test_a_second_process_waits(
    base: Path, stages: list[Stage], quick: Settings, done: tuple[Path, list[Ledger]]
) -> None:
    with FileLock(f"{done[0]}.lock"):
        other = Thread(target=train, args=(base, stages, done[0], quick))
        other.start()
        other.join(timeout=0.3)
        assert other.is_alive()
    other.join(timeout=60)
    assert not other.is_alive()


def test_no_stage_and_unknown_settings_are_errors(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no stage"):
        train(base, [], tmp_path / "out")
    with pytest.raises(ValueError, match="lerning_rate"):
        Settings.model_validate({"lerning_rate": 1})


def test_planning_and_estimating_need_no_torch() -> None:
    modules = "teachwhy.training.sft, teachwhy.training.estimate"
    code = f"import sys, {modules}; sys.exit(bool({{'torch', 'transformers', 'trl', 'peft'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
