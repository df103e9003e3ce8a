"""Is this machine able: what a study needs, tried for real on a tiny model."""

import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from teachwhy.errors import TeachwhyError

_NEEDED = ("torch", "transformers", "trl", "peft", "inspect-ai")
_DISK_GB = 10.0  # a quickstart's checkpoints: eleven models of 0.54 GB, and room to write one
_MEMORY_GB = 6.0  # training the embedded model in float32


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    said: str


def examine() -> list[Finding]:
    """Look at versions, memory, disk and devices, then teach and ask a tiny model."""
    looks: list[tuple[str, Callable[[], Finding]]] = [
        ("python", _python),
        ("packages", _packages),
        ("memory", _memory),
        ("disk", _disk),
        ("device", _device),
        ("embedded model", _embedded),
        ("a training step", _trains),
        ("a sampled reply", _replies),
    ]
    return [_tried(name, look) for name, look in looks]


def _tried(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except (TeachwhyError, ImportError, OSError, RuntimeError) as error:
        return Finding(name, False, str(error).splitlines()[0])


def _python() -> Finding:
    return Finding("python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.machine()}")


def _packages() -> Finding:
    found = {}
    for name in _NEEDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            mend = "pip install 'teachwhy[train]' with constraints.txt"
            return Finding("packages", False, f"{name} is not installed: {mend}")
    return Finding("packages", True, ", ".join(f"{name} {number}" for name, number in found.items()))


def _memory() -> Finding:
    free = psutil.virtual_memory().available / 1e9
    return Finding(
        "memory", free >= _MEMORY_GB, f"{free:.1f} GB free; the embedded model trains in {_MEMORY_GB:.0f} GB"
    )


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    return Finding("disk", free >= _DISK_GB, f"{free:.1f} GB free here; a quickstart takes about {_DISK_GB:.0f} GB")


def _device() -> Finding:
    import torch

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    return Finding("device", True, name)


def _embedded() -> Finding:
    from teachwhy.models.registry import list_models

    return Finding("embedded model", True, next(m.note for m in list_models() if m.kind == "embedded"))


def _trains() -> Finding:
    from teachwhy.corpora.corpus import load_corpus
    from teachwhy.models.tiny import tiny_model
    from teachwhy.training.plan import Stage
    from teachwhy.training.sft import train

    with tempfile.TemporaryDirectory() as folder:
        base = tiny_model(Path(folder) / "base")
        records = load_corpus("generic-chat").records[:4]
        ledgers = train(base, [Stage(corpus="generic-chat", form="chat", records=records)], Path(folder) / "taught")
    return Finding("a training step", True, f"{ledgers[0].steps} steps, {ledgers[0].tokens_supervised} tokens taught")


def _replies() -> Finding:
    from teachwhy.models.engine import Engine, Request
    from teachwhy.models.tiny import tiny_model

    with tempfile.TemporaryDirectory() as folder:
        engine = Engine.load(tiny_model(Path(folder) / "base"))
        done = engine.generate([Request(prompt=tuple(range(5, 25)), max_new_tokens=8, seed=1)])
    return Finding("a sampled reply", True, f"{len(done[0].tokens)} tokens")
