"""The local engine against its peers: 32 samples of one prompt, at 400 and 1,400 shared prompt tokens.

    python benchmarks/engine.py [--samples 32] [--new 100] [--prompt 400 1400] [--threads 2] [--only ours,repeated]

All ways run the embedded model (float32 on a CPU) on the same prompt in this one process, one after another; ours runs
first and last, so that a change of load on the machine shows. Slow ways are capped: they decode fewer tokens, and the
time of all is their measured time plus the missing steps at the median step's time. The cap is printed.
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from teachwhy.models.embedded import ensure_embedded
from teachwhy.models.engine import Engine, Request

FILLER = "You read the mail of a small company, answer what you can and pass on what you cannot. "


@dataclass(frozen=True)
class Task:
    """What every way is given: the prompt's token ids, how many samples, how many new tokens each."""

    prompt: list[int]
    samples: int
    new: int


@dataclass(frozen=True)
class Timing:
    """Seconds for the whole task, of which ``steps`` decoding steps were measured and the rest extrapolated."""

    seconds: float
    steps: int


class Steps:
    """Notes when each forward pass of a model ends."""

    def __init__(self, model: Any) -> None:
        self.model, self.plain, self.ends = model, model.forward, [time.perf_counter()]

    def __enter__(self) -> "Steps":
        def forward(*args: Any, **kwargs: Any) -> Any:
            out = self.plain(*args, **kwargs)
            self.ends.append(time.perf_counter())
            return out

        self.model.forward = forward
        return self

    def __exit__(self, *_: object) -> None:
        self.model.forward = self.plain

    def timing(self, seconds: float, task: Task, steps: int) -> Timing:
        """The whole task's time, from the measured time of ``steps`` decoding steps."""
        each = median(after - before for before, after in pairwise(self.ends[2:]))
        return Timing(seconds + (task.new - steps) * each, steps)


def ours(task: Task, cap: int) -> Timing:
    """The local engine, prompt and all."""
    engine = Engine.load(ensure_embedded(), device="cpu", dtype="float32")
    engine._stops = frozenset()
    requests = [Request(tuple(task.prompt), max_new_tokens=task.new, seed=seed) for seed in range(task.samples)]
    began = time.perf_counter()
    done = engine.generate(requests)
    seconds = time.perf_counter() - began
    assert all(len(one.tokens) == task.new for one in done)
    return Timing(seconds, task.new)


def generate(task: Task, cap: int) -> Timing:
    """Plain ``generate`` on the prompt repeated for each sample."""
    model = plain_model()
    ids = torch.tensor([task.prompt] * task.samples)
    began = time.perf_counter()
    with Steps(model) as steps:
        model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=cap, do_sample=True)
    return steps.timing(time.perf_counter() - began, task, cap)


def repeated(task: Task, cap: int) -> Timing:
    """The prefix computed once, its cache repeated for each row, then ``generate``."""
    model = plain_model()
    began = time.perf_counter()
    cache = DynamicCache(config=model.config)
    with torch.inference_mode():
        model(torch.tensor([task.prompt[:-1]]), past_key_values=cache, use_cache=True, logits_to_keep=1)
    cache.batch_repeat_interleave(task.samples)
    ids = torch.tensor([task.prompt] * task.samples)
    with Steps(model) as steps:
        mask = torch.ones_like(ids)
        model.generate(ids, attention_mask=mask, past_key_values=cache, max_new_tokens=cap, do_sample=True)
    return steps.timing(time.perf_counter() - began, task, cap)


def inspect_hf(task: Task, cap: int) -> Timing:
    """Inspect's own ``hf/`` provider, all samples asked for at once."""
    from inspect_ai.model import GenerateConfig, get_model

    folder = ensure_embedded()
    config = GenerateConfig(max_tokens=cap, max_connections=task.samples)
    options: dict[str, Any] = {"device": "cpu", "dtype": torch.float32, "batch_size": task.samples}
    model = get_model("hf/local", config=config, memoize=False, model_path=str(folder), **options)
    api: Any = model.api
    api.tokenizer.chat_template = "{{ messages[0]['content'] }}"
    api.model.generation_config.eos_token_id = None
    text = api.tokenizer.decode(task.prompt)

    async def ask() -> None:
        await asyncio.gather(*[model.generate(text) for _ in range(task.samples)])

    began = time.perf_counter()
    with Steps(api.model) as steps:
        asyncio.run(ask())
    return steps.timing(time.perf_counter() - began, task, cap)


def plain_model() -> Any:
    """The embedded model as transformers loads it, never ending a reply early."""
    model = AutoModelForCausalLM.from_pretrained(ensure_embedded(), dtype=torch.float32)
    model.generation_config.eos_token_id = None
    return model


WAYS: dict[str, Callable[[Task, int], Timing]] = {
    "ours": ours,
    "repeated": repeated,
    "generate": generate,
    "hf": inspect_hf,
}
TITLES = {
    "ours": "teachwhy engine",
    "repeated": "prefix once, cache repeated per row",
    "generate": "transformers `generate`, prompt repeated",
    "hf": "Inspect `hf/` provider",
}


def measure(task: Task, names: list[str], cap: int) -> list[str]:
    """One part of the table: every way on one task."""
    speeds: dict[str, list[float]] = {}
    steps: dict[str, int] = {}
    for name in [*names, "ours"]:
        timing = WAYS[name](task, task.new if name == "ours" else min(cap, task.new))
        speeds.setdefault(name, []).append(task.samples * task.new / timing.seconds)
        steps[name] = timing.steps
        print(f"{len(task.prompt)} {name} {speeds[name][-1]:.1f} tokens/s (load {load()})", flush=True)
    best = sum(speeds["ours"]) / len(speeds["ours"])
    lines = []
    for name in names:
        found = speeds[name]
        speed = " and ".join(f"{value:.1f}" for value in found)
        ratio = "1" if name == "ours" else f"{best / found[0]:.1f}"
        lines.append(f"| {len(task.prompt):,} | {TITLES[name]} | {speed} | {ratio} | {steps[name]} of {task.new} |")
    return lines


def load() -> str:
    """The machine's load average over the last minute."""
    import os

    return f"{os.getloadavg()[0]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--new", type=int, default=100)
    parser.add_argument("--prompt", type=int, nargs="+", default=[400, 1400])
    parser.add_argument("--cap", type=int, nargs="+", default=[24, 8], help="steps of slow ways, one per prompt")
    parser.add_argument("--only", default=",".join(WAYS), help="comma-separated: " + ", ".join(WAYS))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer = AutoTokenizer.from_pretrained(ensure_embedded())
    names = args.only.split(",")
    lines = ["| shared prompt | way | tokens/s | ours is faster by | steps measured |", "|---|---|---|---|---|"]
    for length, cap in zip(args.prompt, args.cap, strict=True):
        prompt = tokenizer.encode(FILLER * 200)[:length]
        lines += measure(Task(prompt, args.samples, args.new), names, cap)
    print("\n" + "\n".join(lines))
    print(f"\n{args.samples} samples x {args.new} new tokens, time of the prompt included; {args.threads} threads.")


if __name__ == "__main__":
    main()
