"""The stage runner: rows go through named stages, and every finished row is kept under the hash of what made it.

A rerun does only what is missing. A kill loses at most the rows in flight: a journal line that was cut, or damaged by
a power cut, is dropped and its row done again.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from teachwhy.hashing import digest, json_line

Row = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """One step of a recipe.

    Attributes:
        name: its name in journals and reports.
        address: hash of all that decides its output besides the row (prompts, model, settings, code version).
        apply: row -> the rows that come of it (none drops the row).
    """

    name: str
    address: str
    apply: Callable[[Row], Awaitable[Sequence[Row]]]


async def run_stages(rows: Sequence[Row], stages: Sequence[Stage], folder: Path, *, concurrency: int = 8) -> list[Row]:
    """Put rows through the stages in order; results keep the order of their inputs.

    Args:
        rows: JSON-like rows.
        stages: applied one after the other to all rows.
        folder: holds one journal a stage (``<number>-<name>.jsonl``).
        concurrency: rows in flight at once within a stage.
    """
    folder.mkdir(parents=True, exist_ok=True)
    current = list(rows)
    for number, stage in enumerate(stages, start=1):
        journal = Journal(folder / f"{number}-{stage.name}.jsonl")
        current = await _run_stage(current, stage, journal, concurrency)
    return current


async def _run_stage(rows: Sequence[Row], stage: Stage, journal: "Journal", concurrency: int) -> list[Row]:
    gate = asyncio.Semaphore(concurrency)

    async def one(row: Row, key: str) -> None:
        async with gate:
            journal.append(key, list(await stage.apply(row)))

    keys = [digest([stage.address, json_line(row)]) for row in rows]
    todo = {key: row for key, row in zip(keys, rows, strict=True) if key not in journal.done}
    try:
        async with asyncio.TaskGroup() as group:
            for key, row in todo.items():
                group.create_task(one(row, key))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [result for key in keys for result in journal.done[key]]


class Journal:
    """Finished rows by key, one JSON line each, handed to the system as they finish: a kill loses none of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, list[Row]] = {}
        whole = 0
        for line in path.read_bytes().splitlines(keepends=True) if path.exists() else []:
            if not line.endswith(b"\n") or not self._take(line):
                break
            whole += len(line)
        if path.exists():
            os.truncate(path, whole)

    def _take(self, line: bytes) -> bool:
        """Remember a line; False if it is damaged, as after a power cut: it and what follows are then done again."""
        try:
            entry = json.loads(line)
            self.done[entry["key"]] = entry["rows"]
        except (ValueError, TypeError, KeyError):
            return False
        return True

    def append(self, key: str, rows: list[Row]) -> None:
        """Keep one finished row's results; what is passed on is what a rerun would read."""
        line = f"{json_line({'key': key, 'rows': rows})}\n".encode()
        with self.path.open("ab") as file:
            file.write(line)
        self._take(line)
