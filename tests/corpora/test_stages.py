"""The stage runner: wherever it is interrupted, a rerun ends with the rows of an undisturbed run."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teachwhy.corpora.stages import Row, RowDropped, Stage, StageCount, reasons, run_stages
from teachwhy.errors import CorpusError


class PowerCutError(Exception):
    """The interruption."""


@dataclass
class Work:
    """Two stages whose every call is counted and may be cut off; results tell where they come from."""

    cut_at: int | None = None
    calls: list[str] = field(default_factory=list)

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.cut_at is not None and len(self.calls) > self.cut_at:
            raise PowerCutError

    async def split(self, row: Row) -> Sequence[Row]:
        """As many rows as the row asks for, none included; rows finish out of order."""
        for _ in range(row["n"] % 3):
            await asyncio.sleep(0)
        self._called("split")
        return [{"from": row["n"], "part": part, "z": 0, "a": (1, 2)} for part in range(row["n"] % 4)]

    async def mark(self, row: Row) -> Sequence[Row]:
        for _ in range(row["part"]):
            await asyncio.sleep(0)
        self._called("mark")
        return [row | {"marked": f"{row['from']}.{row['part']}"}]

    def stages(self, mark: str = "mark/1") -> list[Stage]:
        return [Stage("split", "split/1", self.split), Stage("mark", mark, self.mark)]

    def run(self, rows: Sequence[Row], folder: Path, mark: str = "mark/1") -> list[Row]:
        return asyncio.run(run_stages(rows, self.stages(mark), folder, concurrency=3))


def test_why_a_row_was_dropped_is_counted_and_survives_a_rerun(tmp_path: Path) -> None:
    async def pick(row: Row) -> Sequence[Row]:
        if row["n"] % 2:
            raise RowDropped(f"odd by {row['n'] % 3}")
        return [row]

    for _ in range(2):
        counts: list[StageCount] = []
        kept = asyncio.run(
            run_stages([{"n": n} for n in range(8)], [Stage("pick", "1", pick)], tmp_path, counts=counts)
        )
        assert [row["n"] for row in kept] == [0, 2, 4, 6]
        assert (counts[0].dropped, counts[0].why) == (4, {"odd by 1": 2, "odd by 0": 1, "odd by 2": 1})
        assert reasons(counts[0].why) == " (2 odd by 1; 1 odd by 0; 1 odd by 2)"


def undisturbed(rows: Sequence[Row]) -> list[Row]:
    with TemporaryDirectory() as folder:
        return Work().run(rows, Path(folder))


def expected(rows: Sequence[Row]) -> list[Any]:
    return [[row["n"], part] for row in rows for part in range(row["n"] % 4)]


def cut_journal(folder: Path, number: int, share: float, garbage: bytes) -> None:
    """Leave the beginning of one journal, and what a power cut may put after it."""
    journals = sorted(folder.glob("*.jsonl"))
    if journals:
        path = journals[number % len(journals)]
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * share)] + garbage)


ROWS = st.lists(st.integers(0, 9).map(lambda n: {"n": n}), max_size=7)
CUTS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 1), st.floats(0, 1), st.sampled_from([b"", b"\0\0\n", b"{\n"])),
    min_size=1,
    max_size=3,
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, cuts=CUTS)
def test_any_interruption_then_a_rerun_equals_an_undisturbed_run(rows: list[Row], cuts: list[Any]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for at, journal, share, garbage in cuts:
            try:
                Work(cut_at=at).run(rows, folder)
            except PowerCutError:
                cut_journal(folder, journal, share, garbage)
        done = Work().run(rows, folder)
    assert [[row["from"], row["part"]] for row in done] == expected(rows)
    # Text for text: a row that was read again looks like one that was just made.
    assert json.dumps(done) == json.dumps(undisturbed(rows))


def test_a_journal_may_end_anywhere(tmp_path: Path) -> None:
    rows = [{"n": n} for n in (3, 1, 3)]
    want = Work().run(rows, tmp_path)
    journal = tmp_path / "1-split.jsonl"
    whole = journal.read_bytes()
    for length in [*range(0, len(whole), 17), *range(len(whole) - 3, len(whole) + 1)]:
        journal.write_bytes(whole[:length])
        assert Work().run(rows, tmp_path) == want


def test_a_rerun_does_only_what_is_missing(tmp_path: Path) -> None:
    rows = [{"n": n} for n in (5, 6, 7)]
    broken = Work(cut_at=4)
    with pytest.raises(PowerCutError):
        broken.run(rows, tmp_path)
    again = Work()
    again.run(rows, tmp_path)
    # Three rows to split and six to mark; what failed is done again, what was finished is not.
    assert sorted(broken.calls[:4] + again.calls) == ["mark"] * 6 + ["split"] * 3
    last = Work()
    last.run(rows, tmp_path)
    assert last.calls == []


def test_a_changed_stage_is_done_again_and_those_before_it_are_not(tmp_path: Path) -> None:
    rows = [{"n": 2}, {"n": 3}]
    Work().run(rows, tmp_path)
    changed = Work()
    changed.run(rows, tmp_path, mark="mark/2")
    assert changed.calls == ["mark"] * 5
    back = Work()
    back.run(rows, tmp_path)
    assert back.calls == []


def test_equal_rows_are_done_once_and_given_back_each(tmp_path: Path) -> None:
    work = Work()
    done = work.run([{"n": 1}, {"n": 1}], tmp_path)
    assert work.calls == ["split", "mark"]
    assert len(done) == 2


def test_an_error_of_ours_reaches_the_reader_as_it_is(tmp_path: Path) -> None:
    async def refuse(row: Row) -> Sequence[Row]:
        raise CorpusError("no", where=row["n"])

    with pytest.raises(CorpusError, match="no"):
        asyncio.run(run_stages([{"n": 1}, {"n": 2}], [Stage("refuse", "1", refuse)], tmp_path))
