"""A scenario: one family under one condition, as the messages that a model is given."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Literal

from teachwhy.errors import TextError
from teachwhy.hashing import seed_of
from teachwhy.scenarios.family import WORDINGS, Draw, Family, Threat, checked_call, family, prompts
from teachwhy.scenarios.tools import ACTING, READING, schema

Size = Literal["brief", "full"]
SIZES: tuple[Size, ...] = ("brief", "full")


@dataclass(frozen=True)
class Condition:
    """The factor levels of a sample. The benign twin has neither threat nor goal conflict."""

    family: str
    size: Size
    twin: bool
    threat: Threat
    conflict: bool
    wording: int
    persona: str
    draw: int

    @property
    def id(self) -> str:
        """Identity of the sample, the same for every model that it is put to."""
        levels = "twin" if self.twin else f"{self.threat}-{'conflict' if self.conflict else 'free'}"
        return f"{self.family}/{self.size}/{levels}/w{self.wording}/{self.persona}/d{self.draw}"


@dataclass(frozen=True)
class Mail:
    """One mail of the inbox."""

    sender: str
    to: str
    subject: str
    body: str


class Scenario:
    """A family told under a condition."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.family: Family = family(condition.family)
        self.drawn: Draw = self.family.draw(condition.draw, condition.persona)

    def _say(self, *names: str) -> str:
        return " ".join(self.drawn.fill(self.family.sections[name]) for name in names)

    def messages(self) -> list[dict[str, Any]]:
        """System and user message."""
        c = self.condition
        goal = f"{c.size}.goal.{'yes' if c.conflict else 'no'}"
        system = self._say(f"{c.size}.setting", goal)
        user = f"{self._brief() if c.size == 'brief' else self._full()}\n{prompts().sections[f'{c.size}.close']}"
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]

    def _brief(self) -> str:
        c = self.condition
        plan = ["brief.conflict"] if c.conflict else []
        rest = ["brief.twin"] if c.twin else [*plan, f"brief.threat.{c.threat}"]
        return self._say(f"brief.scene.{c.wording + 1}", *rest)

    def _full(self) -> str:
        tasks = self.family.numbered("full.task")
        return (
            self._say("full.twin")
            if self.condition.twin
            else self.drawn.fill(tasks[self.condition.wording % len(tasks)])
        )

    def tools(self) -> list[dict[str, Any]]:
        """Function schemas of the tools at hand."""
        return [schema(name) for name in (ACTING if self.condition.size == "brief" else (*READING, *ACTING))]

    def inbox(self) -> list[Mail]:
        """The mails that are there under this condition (size full)."""
        parsed = [_mail(self.drawn.fill(text), self.family) for text in self.family.numbered("full.mail")]
        return [mail for when, mail in parsed if self._holds(when)]

    def _holds(self, when: str) -> bool:
        c = self.condition
        states = {"always": True, "twin": c.twin, f"threat={c.threat}": not c.twin}
        states["conflict=yes" if c.conflict else "conflict=no"] = not c.twin
        return states.get(when, False)

    def files(self) -> dict[str, str]:
        """Path to content (size full)."""
        found = {k: v for k, v in self.family.sections.items() if k.startswith("full.file.")}
        return {self.drawn.fill(k.removeprefix("full.file.")): self.drawn.fill(v) for k, v in found.items()}

    def call(self, section: str) -> tuple[str, dict[str, str]]:
        """A written act (``wrong.1``, ``right.2``, ``twin.reply.3``) with its slots said."""
        name, arguments = checked_call(self.family.sections[section])
        return name, {key: self.drawn.fill(value) for key, value in arguments.items()}


_WHENS = ("always", "twin", "threat=replacement", "threat=restriction", "threat=none", "conflict=yes", "conflict=no")


def _mail(text: str, owner: Family) -> tuple[str, Mail]:
    head, _, body = text.partition("\n\n")
    fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head.splitlines())}
    lacking = [key for key in ("from", "to", "subject", "when") if key not in fields]
    if lacking or fields["when"] not in _WHENS or not body.strip():
        raise TextError(
            "a mail has From, To, Subject, When, a blank line and a body", where=f"{owner.path}: {head[:60]}"
        )
    return fields["when"], Mail(fields["from"], fields["to"], fields["subject"], body.strip())


def conditions(
    family: str,
    *,
    size: Size = "brief",
    twin: bool = False,
    threats: Sequence[Threat] = ("replacement", "restriction"),
    conflicts: Sequence[bool] = (True,),
    count: int,
    start: int = 0,
) -> Iterator[Condition]:
    """``count`` samples of one family, spread evenly over the factor levels, each with its own draw of the pools.

    The order of levels is shuffled by a seed that depends on the family only, so every model sees the same samples.
    """
    levels = [("none", False)] if twin else list(product(threats, conflicts))
    cells = [(threat, conflict, wording) for threat, conflict in levels for wording in range(WORDINGS)]
    deal = random.Random(seed_of("cells", family, size, twin))
    deal.shuffle(cells)
    names = prompts().meta.personas
    for number in range(start, start + count):
        threat, conflict, wording = cells[number % len(cells)]
        persona = names[(number + seed_of("persona", family)) % len(names)]
        yield Condition(family, size, twin, threat, conflict, wording, persona, number)  # type: ignore[arg-type]


def as_metadata(condition: Condition) -> dict[str, Any]:
    """The condition as plain columns."""
    return asdict(condition)
