"""Progress of a run on the terminal: a line for each finished step, and a bar with the time left where there is one."""

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from teachwhy.study.plan import Node
from teachwhy.study.run import Opened

_PLAIN_EVERY = 20.0  # seconds between lines where the output is not a terminal


class ConsoleWatcher:
    """Tells how far a study is, by the estimated seconds of its steps; the pace so far corrects the time left."""

    def __init__(self, opened: Opened) -> None:
        self.costs, self.nodes = opened.costs, opened.plan.nodes
        self.total = sum(cost.seconds for cost in self.costs.values())
        self.behind = 0.0
        self.number = 0
        self.began = self.said = time.monotonic()
        self.console = Console()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]} left"),
        )
        self.bar = Progress(*columns, console=self.console, disable=not self.console.is_terminal)
        self.task: TaskID | None = None

    def __enter__(self) -> Self:
        self.bar.start()
        self.task = self.bar.add_task("starting", total=max(self.total, 1.0), left="?")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.bar.stop()

    def waits(self, why: str) -> None:
        self.console.print(why, markup=False)

    def begins(self, node: Node) -> None:
        self._show(node.label, 0.0)

    def ticks(self, node: Node, done: int, of: int, loss: float) -> None:
        share = done / max(of, 1)
        self._show(node.label, share * self.costs[node.address].seconds, f"loss {loss:.2f}" if loss else "")
        if not self.console.is_terminal and time.monotonic() - self.said > _PLAIN_EVERY:
            self.said = time.monotonic()
            ahead = self.behind + share * self.costs[node.address].seconds
            self.console.print(
                f"        {node.label}: {share:.0%}, about {self._left(ahead)} left in all",
                highlight=False,
                markup=False,
            )

    def ends(self, node: Node, meta: dict[str, Any]) -> None:
        self.number += 1
        cost = self.costs[node.address]
        self.behind += cost.seconds
        if cost.done:
            return
        self._show(node.label, 0.0)
        line = f"[{self.number:>3}/{len(self.nodes)}] {node.label}: {_amount(meta)}, {meta['seconds']:.0f} s"
        self.console.print(
            f"{line}; about {self._left(self.behind)} left in all", highlight=False, markup=False, soft_wrap=True
        )
        self.said = time.monotonic()

    def _show(self, label: str, within: float, note: str = "") -> None:
        if self.task is not None:
            ahead = self.behind + within
            text = " ".join([label, note]).strip()
            self.bar.update(self.task, completed=ahead, description=text, left=self._left(ahead))

    def _left(self, ahead: float) -> str:
        """Time left at the pace so far, once a tenth is done; before, by the estimate."""
        spent = time.monotonic() - self.began
        pace = spent / ahead if ahead > 0.1 * self.total else 1.0
        seconds = max(self.total - ahead, 0.0) * pace
        return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _amount(meta: dict[str, Any]) -> str:
    if "samples" in meta:
        return f"{meta['samples']} samples"
    return f"{meta['tokens']:,} tokens read"
