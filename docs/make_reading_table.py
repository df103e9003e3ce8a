"""Writes the tables of docs/reading.md from docs/reading.yaml, grading the transcripts anew by the rules at hand.

python docs/make_reading_table.py
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from teachwhy.errors import TextError
from teachwhy.evals.honeypots.agreement import Confusion, shown
from teachwhy.evals.honeypots.rules import Verdict, grade
from teachwhy.evals.honeypots.task import honeypot_conditions
from teachwhy.evals.honeypots.world import Action
from teachwhy.scenarios.family import KINDS, Kind
from teachwhy.scenarios.scenario import Scenario
from teachwhy.texts import read_utf8, validated

PAGE = Path(__file__).with_name("reading.md")
READ = Path(__file__).with_name("reading.yaml")
BEGIN, END = "<!-- reading: made by docs/make_reading_table.py -->", "<!-- end of reading -->"

Sense = Literal["about", "echo", "stray"]
"""About the situation, an echo of the prompt's words without sense, or neither."""
_SAMPLES = 36
"""So many conditions of each family were put to the model."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(_Entry):
    """What was found in a transcript, by the reader or by rules: as in a row, ``missing`` says why nothing was."""

    own: bool | None
    any: bool | None
    act: Kind | None = None
    missing: str | None = None

    @model_validator(mode="after")
    def _goes_together(self) -> "Call":
        if (self.any is True) != (self.act is not None):
            raise ValueError("an act is named if and only if one was done")
        if self.own and not self.any:
            raise ValueError("the own act is an act")
        if self.missing is None and None in (self.own, self.any):
            raise ValueError("a missing verdict has a cause")
        return self


class Reading(_Entry):
    """One transcript, with the rules' verdict when the sample was run, and the reader's.

    ``acts`` is what the world recorded, ``fault`` why a call could not be carried out, ``sense`` what the words are.
    """

    id: str
    acts: list[Action]
    fault: str | None = None
    cut: bool = False
    rules: Call
    reader: Call
    sense: Sense
    remark: str = ""

    @property
    def family(self) -> str:
        """The family's id."""
        return self.id.partition("/")[0]

    @property
    def kind(self) -> str:
        """The family's kind."""
        return self.family.partition("-")[0]


class _Read(_Entry):
    readings: list[Reading]


def readings(path: Path = READ) -> list[Reading]:
    """All readings.

    Raises:
        TextError: an entry breaks the format, or a sample was read twice.
    """
    listed = validated(_Read, {"readings": yaml.safe_load(read_utf8(path))}, where=path).readings
    if double := [name for name, n in Counter(r.id for r in listed).items() if n > 1]:
        raise TextError(f"read twice: {double[0]}", where=path, mend="keep one entry a sample")
    return listed


def graded_now(listed: Sequence[Reading]) -> list[Verdict]:
    """The verdicts by the rules as they are now, on the recorded acts.

    Raises:
        KeyError: a sample that is no condition of the held-out brief honeypots.
    """
    put = {c.id: c for c in honeypot_conditions(samples=_SAMPLES)}
    return [grade(Scenario(put[r.id]), r.acts, truncated=r.cut, malformed=r.fault) for r in listed]


def families_table(listed: Sequence[Reading], now: Sequence[Verdict]) -> str:
    """One line a family: wrong acts of the own kind (of any, where that differs), unclear ones, no act at all,
    disagreements."""
    pairs = list(zip(listed, now, strict=True))
    families = sorted({r.family for r in listed}, key=lambda name: (KINDS.index(name.partition("-")[0]), name))
    lines = [_line(f"`{name}`", [p for p in pairs if p[0].family == name]) for name in families]
    head = [
        "| | | **wrong act** | | | **unclear** | | | | **differs from reader** | | **what the words are** | | |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        "| family | read | reader | rules, then | rules, now | reader | then | now | no readable act | then | now "
        "| about | echo | stray |",
    ]
    return "\n".join([*head, *lines, _line("**all**", pairs)])


def _line(name: str, pairs: Sequence[tuple[Reading, Verdict]]) -> str:
    read = [r for r, _ in pairs]
    columns: list[Sequence[Any]] = [[r.reader for r in read], [r.rules for r in read], [v for _, v in pairs]]
    senses = Counter(r.sense for r in read)
    cells = [
        len(read),
        *[_acts(column) for column in columns],
        *[sum(c.missing == "unclear" for c in column) for column in columns],
        sum(not r.acts for r in read),
        *[sum(_differs(r.reader, c) for r, c in zip(read, column, strict=True)) for column in columns[1:]],
        *[senses.get(sense, 0) for sense in get_args(Sense)],
    ]
    return "| " + " | ".join([name, *map(str, cells)]) + " |"


def _acts(calls: Sequence[Any]) -> str:
    own, every = sum(c.own is True for c in calls), sum(c.any is True for c in calls)
    return str(own) if own == every else f"{own} ({every})"


def _differs(one: Call, other: Any) -> bool:
    return one.own is not other.own or one.any is not other.any


def agreement_lines(listed: Sequence[Reading], now: Sequence[Verdict]) -> str:
    """Cohen's kappa of the reader with the rules, then and now, and the confusion over ``any``."""
    acted = [i for i, r in enumerate(listed) if r.acts]
    graders: dict[str, Sequence[Any]] = {"rules, then": [r.rules for r in listed], "rules, now": now}
    rows = ["| | " + " | ".join(graders) + " |", "|---|---|---|"]
    for what in ("own", "any"):
        for name, kept in (("all", range(len(listed))), ("with a readable act", acted)):
            over = [Confusion.of(_pair(listed[i], g[i], what) for i in kept) for g in graders.values()]
            cells = [f"{shown(c.kappa())} ({c.same} of {c.n})" for c in over]
            rows.append(f"| `{what}`, {name}, missing counts: kappa (agree) | {' | '.join(cells)} |")
        over = [Confusion.of(_pair(r, g[i], what) for i, r in enumerate(listed)) for g in graders.values()]
        cells = [f"{shown(c.kappa_decided())} ({c.decided})" for c in over]
        rows.append(f"| `{what}`, decided by both: kappa (n) | {' | '.join(cells)} |")
    for kind in KINDS:
        part = [i for i, r in enumerate(listed) if r.kind == kind and r.acts]
        if part:
            over = [Confusion.of(_pair(listed[i], g[i], "any") for i in part) for g in graders.values()]
            cells = [f"{shown(c.kappa())} ({c.same} of {c.n})" for c in over]
            rows.append(f"| {kind}, with a readable act | {' | '.join(cells)} |")
    lines = [line for name, g in graders.items() for line in _confusion(listed, g).table("reader", name)]
    return "\n".join([*rows, "", "Of `any`:", "", "```", *lines, "```"])


def _confusion(listed: Sequence[Reading], graded: Sequence[Any]) -> Confusion:
    return Confusion.of((r.reader.any, g.any) for r, g in zip(listed, graded, strict=True))


def _pair(reading: Reading, other: Any, what: str) -> tuple[bool | None, bool | None]:
    return getattr(reading.reader, what), getattr(other, what)


def page_with_tables(page: str) -> str:
    """The page's text with its tables made anew."""
    listed = readings()
    now = graded_now(listed)
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = f"{families_table(listed, now)}\n\n{agreement_lines(listed, now)}"
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text("utf-8")), "utf-8")
