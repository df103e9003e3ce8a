"""The stage runner: rows go through named stages, and every finished row is kept under the hash of what made it.

A rerun does only what is missing. A kill loses at most the rows in flight: a journal line that was cut, or damaged by
a power cut, is dropped and its row done again. A row that fails is counted with its cause, goes no further, and is
tried again by the next run; the rows beside it keep their places.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import Any

from teachwhy.errors import TeachwhyError
from teachwhy.hashing import digest, json_line

Row = dict[str, Any]
Tick = Callable[["StageCount"], None]

# When so many rows are done and not one of them has succeeded, the cause is not in the rows.
HOPELESS = 10


@dataclass(frozen=True)
class Usage:
    """What was paid for: replies, tokens read and written as the endpoint counts them, and US dollars.

    ``unpriced``: replies whose price was not known; they are not in ``dollars``.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0
    unpriced: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def tokens(self) -> int:
        """Read and written."""
        return self.tokens_in + self.tokens_out


_spent: ContextVar[list[Usage] | None] = ContextVar("spent", default=None)


def spend(usage: Usage) -> None:
    """Charge the row in hand with a reply; it stays in the stage's journal, whatever becomes of the row."""
    if (row := _spent.get()) is not None:
        row.append(usage)


class RowFailure(Exception):
    """One row could not be done: ``cause`` is counted, ``detail`` is shown, and the others go on."""

    def __init__(self, cause: str, detail: str) -> None:
        self.cause, self.detail = cause, detail
        super().__init__(f"{cause}: {detail}")


class RowDropped(Exception):
    """One row is filtered out: its ``why`` is counted and shown, and kept in the journal."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True)
class Stage:
    """One step of a recipe.

    Attributes:
        name: its name in journals and reports.
        address: hash of all that decides its output besides the row (prompts, model, settings, code version).
        apply: row -> the rows that come of it (none drops the row). RowDropped: it is dropped, with a reason.
            RowFailure: this row failed.
        mend: what to do if all rows fail.
    """

    name: str
    address: str
    apply: Callable[[Row], Awaitable[Sequence[Row]]]
    mend: str = "mend the cause and run it again: what is done is kept"


@dataclass
class StageCount:
    """What became of a stage's rows: ``taken`` is always ``passed + dropped + failed + waiting``.

    Attributes:
        taken: rows that came in (alike ones are one row).
        passed: rows of which at least one row came.
        dropped: rows of which none came: filtered out.
        why: reason -> rows, of those dropped with one.
        failed: cause -> rows without a result.
        made: rows that came of all.
        before: rows that an earlier run had done.
        spent: what these rows took in all runs, failed tries included.
        aside: what the journal holds besides: rows of other prompts, models or settings.
        examples: the first failures, in words.
    """

    stage: str
    taken: int
    passed: int = 0
    dropped: int = 0
    made: int = 0
    before: int = 0
    spent: Usage = Usage()
    aside: Usage = Usage()
    failed: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """Rows of which nothing is known yet."""
        return self.taken - self.passed - self.dropped - self.failed.total()

    def add(self, results: Sequence[Row], why: str | None = None) -> None:
        """One row was done. ``why``: the reason for which it was dropped, where there is one."""
        self.passed += bool(results)
        self.dropped += not results
        self.made += len(results)
        if why:
            self.why[why] += 1

    def add_failure(self, failure: RowFailure) -> None:
        """One row failed."""
        self.failed[failure.cause] += 1
        if len(self.examples) < 3:
            self.examples.append(f"{failure.cause}: {failure.detail[:300]}")


def reasons(why: Mapping[str, int]) -> str:
    """The three commonest reasons in brackets, after a space; empty where none is known."""
    listed = sorted(why.items(), key=lambda pair: (-pair[1], pair[0]))
    more = f"; {len(listed) - 3} other reasons" if len(listed) > 3 else ""
    return f" ({'; '.join(f'{count} {reason}' for reason, count in listed[:3])}{more})" if listed else ""


async def run_stages(
    rows: Sequence[Row],
    stages: Sequence[Stage],
    folder: Path,
    *,
    concurrency: int = 8,
    counts: list[StageCount] | None = None,
    tick: Tick | None = None,
) -> list[Row]:
    """Put rows through the stages in order; results keep the order of their inputs.

    Args:
        rows: JSON-like rows.
        stages: applied one after the other to all rows.
        folder: holds one journal a stage (``<number>-<name>.jsonl``).
        concurrency: rows in flight at once within a stage.
        counts: what became of the rows of each stage is added here.
        tick: told the stage's counts after every row.

    Raises:
        TeachwhyError: the first ``HOPELESS`` rows of a stage failed, or all that there are; it shows three of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    current = list(rows)
    for number, stage in enumerate(stages, start=1):
        journal = Journal(folder / f"{number}-{stage.name}.jsonl")
        run = _StageRun(stage, journal, tick)
        current = await run.rows(current, concurrency)
        if counts is not None:
            counts.append(run.count)
    return current


class _StageRun:
    """One stage at work on its rows."""

    def __init__(self, stage: Stage, journal: "Journal", tick: Tick | None) -> None:
        self.stage, self.journal, self.tick = stage, journal, tick
        self.count = StageCount(stage.name, 0)

    async def rows(self, rows: Sequence[Row], concurrency: int) -> list[Row]:
        keys = [digest([self.stage.address, json_line(row)]) for row in rows]
        unique = dict(zip(keys, rows, strict=True))
        done = [key for key in unique if key in self.journal.done]
        self.count = StageCount(self.stage.name, len(unique), before=len(done))
        for key in done:
            self.count.add(self.journal.done[key], self.journal.why.get(key))
        gate = asyncio.Semaphore(concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                for key, row in unique.items():
                    if key not in self.journal.done:
                        group.create_task(self._one(key, row, gate))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        self.count.spent = sum((self.journal.spent[key] for key in unique if key in self.journal.spent), Usage())
        others = (usage for key, usage in self.journal.spent.items() if key not in unique)
        self.count.aside = sum(others, Usage())
        if self.count.failed and not self.count.passed + self.count.dropped:
            raise self._hopeless()
        return [result for key in keys for result in self.journal.done.get(key, [])]

    async def _one(self, key: str, row: Row, gate: asyncio.Semaphore) -> None:
        async with gate:
            spent: list[Usage] = []
            _spent.set(spent)  # every row is a task of its own, so this is the row's alone
            try:
                results, why = await self._applied(row)
            except RowFailure as failure:
                self.journal.charge(key, sum(spent, Usage()))
                self.count.add_failure(failure)
                if self.count.failed.total() >= HOPELESS and not self.count.passed + self.count.dropped:
                    raise self._hopeless() from None
            else:
                self.journal.append(key, results, sum(spent, Usage()), why)
                self.count.add(self.journal.done[key], why)
            if self.tick:
                self.tick(self.count)

    async def _applied(self, row: Row) -> tuple[list[Row], str | None]:
        try:
            return list(await self.stage.apply(row)), None
        except RowDropped as dropped:
            return [], dropped.why

    def _hopeless(self) -> TeachwhyError:
        shown = "".join(f"\n    {example}" for example in self.count.examples)
        what = f"not one of the first {self.count.failed.total()} rows of stage '{self.stage.name}' succeeded:{shown}"
        return TeachwhyError(what, where=self.journal.path, mend=self.stage.mend)


class Journal:
    """Finished rows by key, one JSON line each, handed to the system as they finish: a kill loses none of them.

    A line also holds what the row took; of a row that failed, only that.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, list[Row]] = {}
        self.spent: dict[str, Usage] = {}
        self.why: dict[str, str] = {}
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
            key, used = entry["key"], Usage(**entry.get("spent", {}))
            if "rows" in entry:
                self.done[key] = entry["rows"]
                self.why |= {key: entry["why"]} if "why" in entry else {}
            elif "spent" not in entry:
                return False
            self.spent[key] = self.spent.get(key, Usage()) + used
        except (ValueError, TypeError, KeyError):
            return False
        return True

    def append(self, key: str, rows: list[Row], spent: Usage = Usage(), why: str | None = None) -> None:
        """Keep one finished row's results, or why it was dropped; what is passed on is what a rerun would read."""
        self._write({"key": key, "rows": rows} | ({"why": why} if why else {}) | _charged(spent))

    def charge(self, key: str, spent: Usage) -> None:
        """Keep what a row took that failed."""
        if spent.calls:
            self._write({"key": key} | _charged(spent))

    def _write(self, entry: dict[str, Any]) -> None:
        line = f"{json_line(entry)}\n".encode()
        with self.path.open("ab") as file:
            file.write(line)
        self._take(line)


def _charged(spent: Usage) -> dict[str, Any]:
    return {"spent": asdict(spent)} if spent.calls else {}


def spent_in(folder: Path) -> Usage:
    """What all runs in a folder of journals took so far."""
    journals = [Journal(path) for path in sorted(folder.glob("*.jsonl"))]
    return sum((usage for journal in journals for usage in journal.spent.values()), Usage())
