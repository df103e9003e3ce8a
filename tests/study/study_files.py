"""Small studies on the tiny model."""

from pathlib import Path
from typing import Any

import yaml

from teachwhy.models.tiny import tiny_model
from teachwhy.study.plan import Node
from teachwhy.study.run import Opened, open_study, run_study


class Silent:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.begun: list[str] = []
        self.ticked: dict[str, tuple[int, int]] = {}

    def waits(self, why: str) -> None: ...

    def begins(self, node: Node) -> None:
        self.begun.append(node.label)

    def ticks(self, node: Node, done: int, of: int, loss: float) -> None:
        self.ticked[node.label] = (done, of)

    def ends(self, node: Node, meta: dict[str, Any]) -> None:
        self.done.append(node.label)


def quick(base: Path, **changes: Any) -> dict[str, Any]:
    """A study that takes seconds: one kind, four families, one prompt each."""
    study: dict[str, Any] = {
        "study": "quick",
        "base": str(base),
        "arms": {
            "benign": [{"corpus": "generic-chat", "tokens": 200}],
            "actions": [{"corpus": "honeypots/actions", "tokens": 200}],
        },
        "evals": {"honeypots": {"kinds": ["blackmail"], "samples": 1}, "twins": {"kinds": ["blackmail"], "samples": 1}},
        "training": {"batch_records": 2, "save_steps": 1},
        "analysis": {"compare": [["actions", "benign"]]},
    }
    return study | changes


def write_study(folder: Path, study: dict[str, Any]) -> Path:
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False), "utf-8")
    return path


def make_base(folder: Path) -> Path:
    return tiny_model(folder / "tiny")


def run_all(study: Path, root: Path) -> Opened:
    """Run a study to its tables, quietly, on one thread."""
    import torch

    torch.set_num_threads(1)
    opened = open_study(study, root)
    run_study(opened, Silent())
    return opened


def tables(root: Path, study: str = "quick") -> dict[str, bytes]:
    folder = root / study / "tables"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
