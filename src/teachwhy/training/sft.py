"""Teach a model a sequence of corpora: supervised fine-tuning on conversations and on documents, full or LoRA.

``train`` can be killed at any moment; the same call again goes on where it stopped and ends with the same bytes.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from filelock import FileLock

from teachwhy.errors import ModelError, UserError, nearest
from teachwhy.hashing import seed_of
from teachwhy.training.folders import (
    claim,
    copy_speech,
    fresh,
    make_room,
    matching,
    publish,
    refuse_other,
    release,
    share,
)
from teachwhy.training.ledger import Ledger, read_ledgers, write_ledgers
from teachwhy.training.plan import Plan, Settings, Stage, manifest, plan
from teachwhy.training.quiet import quiet

__all__ = ["Progress", "Settings", "Stage", "train"]

Progress = Callable[[int, int, float], None]
"""Told after each step: tokens read so far, tokens to read in all (over all stages), the step's loss in nats."""


def train(
    base: Path,
    stages: Sequence[Stage],
    out: Path,
    settings: Settings | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Ledger]:
    """Teach the model in ``base`` the stages in order and write it to ``out``, an ordinary Hugging Face folder.

    All stages are rendered and checked before the first step. Work in progress lies in ``<out>.partial`` until the
    end; after a kill, the same call resumes there. If ``out`` is there already, nothing is done. Another process that
    trains to the same ``out`` waits. With LoRA the merged weights are written, and the adapter to ``out/adapter``.

    Args:
        base: folder of a causal language model with safetensors weights.
        out: a folder that does not exist yet; its parents are made.
        settings: defaults if None.
        seed: decides the order of the data and what LoRA starts from.
        progress: see ``Progress``.

    Returns:
        One ledger a stage; they are also in ``out/ledger.json``.

    Raises:
        RenderError: a corpus would not be trained as it is served (law 4).
        ModelError: ``base`` cannot be read.
        StoreError: ``out`` or ``<out>.partial`` holds another training, or the disk is full.
        TeachwhyError: the loss is not finite.
    """
    settings = settings or Settings()
    if not stages:
        raise UserError("there is no stage to train", where=out, mend="give at least one corpus")
    out.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{out}.lock"):
        work = out.with_name(f"{out.name}.partial")
        if out.exists():
            refuse_other(out, manifest(base, stages, settings, seed))
        else:
            plans, whole = plan(base, stages, settings, seed), manifest(base, stages, settings, seed)
            if not work.exists():
                make_room(work, _needed(base, settings))
            claim(work, whole)
            with quiet():
                _train(base, plans, work, settings, seed, progress)
                _assemble(base, len(plans), work, out, settings, whole)
        release(work)
        return read_ledgers(out / "ledger.json")


def _needed(base: Path, settings: Settings) -> int:
    """Bytes of disk at the worst moment: weights written twice over, and two checkpoints with AdamW's two moments."""
    weights = sum((base / name).stat().st_size for name in matching(base, ("*.safetensors",)))
    if json.loads((base / "config.json").read_text("utf-8")).get("dtype") in ("bfloat16", "float16"):
        weights *= 2  # they are trained and written in float32
    return weights * 2 if settings.method == "lora" else weights * 8


def _train(base: Path, plans: list[Plan], work: Path, settings: Settings, seed: int, progress: Progress | None) -> None:
    """Train the stages that are not finished. Stage n leaves ``stage-n`` (weights or adapter, and its ledger)."""
    total = sum(one.tokens for one in plans)
    before = 0
    for number, one in enumerate(plans):
        if not _stage(work, number).exists():
            told = _told(progress, before, total, one.step_tokens)
            _train_stage(base, number, one, work, settings, seed_of(seed, number), told)
        before += one.tokens


def _stage(work: Path, number: int) -> Path:
    return work / f"stage-{number}"


def _told(progress: Progress | None, before: int, total: int, step_tokens: list[int]) -> Callable[[int, float], None]:
    done = list(accumulate(step_tokens, initial=before))

    def step_done(step: int, loss: float) -> None:
        if progress:
            progress(done[step], total, loss)

    return step_done


def _train_stage(
    base: Path,
    number: int,
    one: Plan,
    work: Path,
    settings: Settings,
    seed: int,
    step_done: Callable[[int, float], None],
) -> None:
    from teachwhy.training.learner import learn
    from teachwhy.training.render import served

    steps = work / f"steps-{number}"
    model = _start(base, _stage(work, number - 1) if number else None, settings, seed)
    tokenizer = served(base).tokenizer
    model, history = learn(model, tokenizer, one.batched, settings, work=steps, seed=seed, step_done=step_done)
    made = fresh(work / f"stage-{number}.part")
    _save(model, base, made, settings)
    account = one.ledger([entry["loss"] for entry in history], sum(entry["seconds"] for entry in history))
    write_ledgers(made / "ledger.json", [account])
    publish(made, _stage(work, number))
    shutil.rmtree(steps)
    if number:
        for name in matching(_stage(work, number - 1), ("*.safetensors",)):
            (_stage(work, number - 1) / name).unlink()


def _start(base: Path, before: Path | None, settings: Settings, seed: int) -> Any:
    """The model to go on from, with the LoRA of the stages before, or a new one, on it."""
    if settings.method == "full":
        return _load(before or base, settings)
    from peft import PeftModel

    if before is not None:
        return PeftModel.from_pretrained(_load(base, settings), before, is_trainable=True)
    return _with_adapter(_load(base, settings), settings, seed)


def _with_adapter(model: Any, settings: Settings, seed: int) -> Any:
    """A new LoRA on a model, started from the seed.

    Raises:
        UserError: a target names no module of the model.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    targets = settings.lora_targets
    lora = LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        target_modules=targets if isinstance(targets, str) else list(targets),
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(seed)
    linear = {name.rpartition(".")[2] for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)}
    for target in [] if isinstance(targets, str) else targets:
        if target not in linear - {"lm_head"}:
            raise UserError(
                f"LoRA cannot go on '{target}'", where="lora_targets", mend=nearest(target, linear - {"lm_head"})
            )
    return get_peft_model(model, lora)


def _load(folder: Path, settings: Settings) -> Any:
    """Weights in float32; bfloat16 only for what LoRA leaves frozen on a GPU.

    Raises:
        ModelError: the folder holds no causal language model in safetensors.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, GenerationConfig

    frozen = settings.method == "lora" and torch.cuda.is_available()
    options = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.bfloat16 if frozen else torch.float32, **options
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"the model cannot be loaded: {str(error).splitlines()[0]}", where=folder) from error
    # The base's own generation config may not pass the saving check; its file is copied at the end, untouched.
    model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    return model


def _save(model: Any, base: Path, folder: Path, settings: Settings) -> None:
    """What a stage leaves: the weights with the base's own config, or the adapter."""
    model.save_pretrained(folder)
    if settings.method == "full":
        _write_config(base, folder, model.dtype)
    else:
        _tidy_adapter(base, folder)


def _write_config(base: Path, folder: Path, dtype: Any) -> None:
    """The base's config, with the dtype of the weights as they are now. The trainer's changes are forgotten."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    config.dtype = dtype
    config.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def _tidy_adapter(base: Path, folder: Path) -> None:
    """An adapter's config without paths of this machine and in one order; no card."""
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text("utf-8"))
    config["base_model_name_or_path"] = base.name
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
    (folder / "README.md").unlink(missing_ok=True)


def _assemble(base: Path, count: int, work: Path, out: Path, settings: Settings, whole: dict[str, Any]) -> None:
    """Put the trained model together and give it its name, all at once."""
    made, last = fresh(work / "whole"), _stage(work, count - 1)
    if settings.method == "full":
        for name in matching(last, ("*.safetensors", "*.safetensors.index.json", "config.json")):
            share(last / name, made / name)
    else:
        _merge(base, last, made, settings)
    copy_speech(base, made)
    write_ledgers(made / "ledger.json", [read_ledgers(_stage(work, n) / "ledger.json")[0] for n in range(count)])
    (made / "training.json").write_text(json.dumps(whole, indent=2) + "\n", "utf-8")
    publish(made, out)


def _merge(base: Path, adapter: Path, made: Path, settings: Settings) -> None:
    from peft import PeftModel

    merged = PeftModel.from_pretrained(_load(base, settings), adapter).merge_and_unload()
    merged.save_pretrained(made)
    _write_config(base, made, merged.dtype)
    (made / "adapter").mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copyfile(adapter / name, made / "adapter" / name)
