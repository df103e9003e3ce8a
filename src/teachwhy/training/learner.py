"""The training loop, on TRL's SFTTrainer: our batches in our order, our labels, quiet, with sealed checkpoints."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn.utils.rnn import pad_sequence
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from teachwhy.errors import TeachwhyError
from teachwhy.training.folders import drop_others, mark_whole, newest_whole
from teachwhy.training.plan import Settings
from teachwhy.training.render import Example

StepDone = Callable[[int, float], None]
"""Told after each step: the number of steps done, and the step's loss."""

MASKED = -100


class Learner(SFTTrainer):  # type: ignore[misc]
    """TRL's trainer, except that on a CPU only supervised positions pass the model's head.

    TRL does the same on a GPU, but on a CPU it projects every position to the whole vocabulary.
    """

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean negative log-likelihood per supervised token of the batch, in nats."""
        if self.args.device.type != "cpu":
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        targets = inputs["labels"][:, 1:]
        chosen = targets != MASKED
        head = self.model.get_output_embeddings()
        hook = head.register_forward_pre_hook(lambda _, given: (given[0][:, :-1][chosen],))
        try:
            read = {name: value for name, value in inputs.items() if name != "labels"}
            logits = model(**read, use_cache=False).logits
        finally:
            hook.remove()
        total = torch.nn.functional.cross_entropy(logits.float(), targets[chosen], reduction="sum")
        return total / chosen.sum()

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: cards are the report's."""

    def _send_telemetry(self) -> None:
        """None: nobody is told what is trained here."""


class _Watch(TrainerCallback):
    """Counts time, reports progress, refuses a diverged loss, and asks for checkpoints when they are due."""

    def __init__(self, step_done: StepDone, save_steps: int | None, save_minutes: float) -> None:
        self.step_done, self.save_steps, self.save_minutes = step_done, save_steps, save_minutes
        self.last = self.saved = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.last = self.saved = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        due = self.save_steps and state.global_step % self.save_steps == 0
        late = time.monotonic() - self.saved > 60 * self.save_minutes
        control.should_save = bool(due or late) and state.global_step < state.max_steps

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        entry = state.log_history[-1]
        if "loss" not in entry:
            return
        if not math.isfinite(entry["loss"]):
            mend = "lower the learning rate or raise the warmup"
            raise TeachwhyError(
                f"training diverged: the loss is {entry['loss']}", where=f"step {entry['step']}", mend=mend
            )
        now = time.monotonic()
        entry["seconds"], self.last = now - self.last, now
        self.step_done(state.global_step, entry["loss"])

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        mark_whole(checkpoint)
        drop_others(checkpoint.parent, checkpoint)
        self.saved = time.monotonic()


def learn(
    model: Any,
    tokenizer: Any,
    batched: Sequence[Sequence[Example]],
    settings: Settings,
    *,
    work: Path,
    seed: int,
    step_done: StepDone,
) -> tuple[Any, list[dict[str, float]]]:
    """Train a model in place on batches in the order given, from the newest whole checkpoint in ``work`` if any.

    Returns:
        The trained model (a PEFT model for LoRA) and for each step its ``loss`` and ``seconds``.

    Raises:
        TeachwhyError: the loss is not finite.
    """
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    trainer = Learner(
        model=model,
        args=_config(settings, len(batched), work, seed),
        processing_class=tokenizer,
        train_dataset=_dataset(batched),
        data_collator=lambda items: collate(items, pad),
        callbacks=[_Watch(step_done, settings.save_steps, settings.save_minutes)],
    )
    trainer.remove_callback(PrinterCallback)
    whole = newest_whole(work)
    trainer.train(resume_from_checkpoint=None if whole is None else str(whole))
    return trainer.model, [entry for entry in trainer.state.log_history if "loss" in entry]


def _config(settings: Settings, steps: int, work: Path, seed: int) -> SFTConfig:
    cuda = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(work),
        # Data: an item of the dataset is a whole batch, read once, in order, as it is.
        per_device_train_batch_size=1,
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        max_length=None,
        packing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        # Learning
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=math.ceil(settings.warmup * steps),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.clip,
        gradient_checkpointing=False,
        use_cpu=not cuda,
        bf16=cuda,
        fp16=False,
        seed=seed % 2**32,
        # Quiet: no bars, no reports, no saving but ours
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        save_strategy="no",
        eval_strategy="no",
        log_level="error",
    )


def _dataset(batched: Sequence[Sequence[Example]]) -> Dataset:
    ids = [[list(example.input_ids) for example in batch] for batch in batched]
    return Dataset.from_dict({"input_ids": ids, "labels": [[e.labels for e in batch] for batch in batched]})


def collate(items: Sequence[dict[str, Any]], pad: int) -> dict[str, torch.Tensor]:
    """The one batch given, as tensors [examples, longest]: padded to the right, padding masked and not attended to."""
    (item,) = items
    ids = [torch.tensor(one) for one in item["input_ids"]]
    labels = [torch.tensor(one) for one in item["labels"]]
    ones = [torch.ones_like(one) for one in ids]
    return {
        "input_ids": pad_sequence(ids, batch_first=True, padding_value=pad),
        "attention_mask": pad_sequence(ones, batch_first=True, padding_value=0),
        "labels": pad_sequence(labels, batch_first=True, padding_value=MASKED),
    }
