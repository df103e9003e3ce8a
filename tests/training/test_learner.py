"""What reaches the loss: our labels, in our order, and nothing that is masked."""

from pathlib import Path
from typing import Any

import pytest
import torch

from teachwhy.errors import TeachwhyError
from teachwhy.training import learner, sft
from teachwhy.training.learner import Learner, collate
from teachwhy.training.plan import Plan, Settings, Stage, plan
from teachwhy.training.render import Example, Served


def learn(
    base: Path, model: Served, batched: tuple[tuple[Example, ...], ...], settings: Settings, work: Path
) -> tuple[Any, list[dict[str, float]]]:
    start = sft._start(base, None, settings, 0)
    return learner.learn(start, model.tokenizer, batched, settings, work=work, seed=0, step_done=lambda *_: None)


@pytest.fixture
def ready(base: Path, stages: list[Stage], quick: Settings) -> Plan:
    return plan(base, stages, quick, 0)[1]


def test_the_batches_that_reach_the_loss_are_those_planned(
    base: Path, model: Served, ready: Plan, quick: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    compute = Learner.compute_loss

    def spy(self: Learner, model: Any, inputs: dict[str, Any], *rest: Any, **options: Any) -> Any:
        seen.append({name: value.clone() for name, value in inputs.items()})
        return compute(self, model, inputs, *rest, **options)

    monkeypatch.setattr(Learner, "compute_loss", spy)
    learn(base, model, ready.batched, quick, tmp_path)
    assert len(seen) == len(ready.batched) == 6
    for batch, tensors in zip(ready.batched, seen, strict=True):
        for row, example in enumerate(batch):
            read = tensors["attention_mask"][row].bool()
            assert tensors["input_ids"][row][read].tolist() == list(example.input_ids)
            assert tensors["labels"][row][read].tolist() == example.labels
            assert set(tensors["labels"][row][~read].tolist()) <= {-100}


def gradients(base: Path, model: Served, items: list[dict[str, Any]], quick: Settings, tmp_path: Path) -> Any:
    start = sft._start(base, None, quick, 0)
    trainer = Learner(
        model=start,
        args=learner._config(quick, 1, tmp_path, 0),
        processing_class=model.tokenizer,
        train_dataset=learner.Dataset.from_list([{"input_ids": [[1]], "labels": [[1]]}]),
        data_collator=lambda items: collate(items, 0),
    )
    batch = collate(items, 0)
    loss = trainer.compute_loss(start, dict(batch), num_items_in_batch=None)
    loss.backward()
    return loss.item(), {name: part.grad.clone() for name, part in start.named_parameters()}, start, batch


def item(batch: tuple[Example, ...]) -> dict[str, Any]:
    return {"input_ids": [list(e.input_ids) for e in batch], "labels": [e.labels for e in batch]}


def test_loss_and_gradients_are_those_of_the_supervised_tokens(
    base: Path, model: Served, ready: Plan, quick: Settings, tmp_path: Path
) -> None:
    """Against a sum over tokens written out from the model's whole logits."""
    batch = ready.batched[0]
    loss, found, start, tensors = gradients(base, model, [item(batch)], quick, tmp_path)
    start.zero_grad()
    logits = start(input_ids=tensors["input_ids"], attention_mask=tensors["attention_mask"]).logits
    chances = torch.log_softmax(logits, dim=-1)
    terms = [
        -chances[row, place - 1, example.input_ids[place]]
        for row, example in enumerate(batch)
        for place in range(example.length)
        if example.supervised[place]
    ]
    wanted = torch.stack(terms).mean()
    wanted.backward()
    assert loss == pytest.approx(wanted.item(), rel=1e-6)
    for name, part in start.named_parameters():
        torch.testing.assert_close(found[name], part.grad, rtol=1e-4, atol=1e-6)


def test_what_is_masked_at_the_end_changes_nothing(
    base: Path, model: Served, ready: Plan, quick: Settings, tmp_path: Path
) -> None:
    """Other tokens after the last supervised one: same loss, same gradients. (Before it they are context.)"""
    example = ready.batched[0][0]
    assert not example.supervised[-1]
    other = Example(example.record_id, (*example.input_ids[:-1], 5), example.supervised)
    loss, found, _, _ = gradients(base, model, [item((example,))], quick, tmp_path)
    changed, different, _, _ = gradients(base, model, [item((other,))], quick, tmp_path)
    assert changed == loss
    assert all(torch.equal(found[name], different[name]) for name in found)


def test_padding_changes_nothing(base: Path, model: Served, ready: Plan, quick: Settings, tmp_path: Path) -> None:
    one = min(ready.prepared.examples, key=lambda e: e.length)
    long = max(ready.prepared.examples, key=lambda e: e.length)
    silent = {"input_ids": [list(one.input_ids), list(long.input_ids)], "labels": [one.labels, [-100] * long.length]}
    loss, found, _, _ = gradients(base, model, [item((one,))], quick, tmp_path)
    padded, different, _, _ = gradients(base, model, [silent], quick, tmp_path)
    assert padded == pytest.approx(loss, rel=1e-6)
    for name in found:
        torch.testing.assert_close(found[name], different[name], rtol=1e-4, atol=1e-6)


def test_a_memorised_record_loses_its_loss(base: Path, model: Served, ready: Plan, tmp_path: Path) -> None:
    again = tuple(ready.batched[0][:1] for _ in range(60))
    _, history = learn(base, model, again, Settings(learning_rate=1e-2, schedule="constant_with_warmup"), tmp_path)
    assert history[0]["loss"] > 5
    assert history[-1]["loss"] < 0.5


def test_a_diverged_loss_stops_training(base: Path, model: Served, ready: Plan, tmp_path: Path) -> None:
    start = sft._start(base, None, Settings(), 0)
    with torch.no_grad():
        next(start.parameters()).fill_(float("inf"))
    with pytest.raises(TeachwhyError, match="diverged"):
        learner.learn(
            start, model.tokenizer, ready.batched, Settings(), work=tmp_path, seed=0, step_done=lambda *_: None
        )
