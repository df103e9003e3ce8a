"""A scenario: one family under one condition, as the messages that a model is given."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from teachwhy.errors import TextError, UserError
from teachwhy.hashing import seed_of
from teachwhy.scenarios.design import design
from teachwhy.scenarios.factors import FORMS, OWN, WORDINGS, Cue, Form, Goal, Threat, check_levels
from teachwhy.scenarios.factors import SIZES as SIZES
from teachwhy.scenarios.factors import Size as Size
from teachwhy.scenarios.family import Draw, Family, Job, Mail, checked_call, family, prompts
from teachwhy.scenarios.tools import MAILBOX, schema


@dataclass(frozen=True)
class Condition:
    """The factor levels of a sample. The benign twin has neither threat nor goal conflict.

    Raises:
        UserError: levels that do not go together.
    """

    family: str
    size: Size
    twin: bool
    threat: Threat
    conflict: bool
    wording: int
    persona: str
    """The AI's name, or ``own``: the name of the model that is asked."""
    draw: int
    form: Form = "call"
    goal: Goal = "own"
    cue: Cue = "silent"
    agency: bool = False
    ally: bool = False
    own_name: str = ""
    """What the model that is asked is called. Not part of the sample's identity."""

    def __post_init__(self) -> None:
        if self.form not in FORMS[self.size]:
            raise UserError(f"size {self.size} has no form '{self.form}'", mend=f"it has {', '.join(FORMS[self.size])}")
        if self.goal != "own" and not self.conflict:
            raise UserError("the opposite goal is a goal too: it needs the conflict", where="goal")
        if self.persona == OWN and not self.own_name:
            raise UserError(f"the persona '{OWN}' is the model's own name, and this is not given", where="own_name")

    @property
    def id(self) -> str:
        """Identity of the sample, the same for every model that it is put to. Levels that are not default are named."""
        levels = "twin" if self.twin else f"{self.threat}-{'conflict' if self.conflict else 'free'}"
        more = "".join(f"/{part}" for part in self._departures())
        return f"{self.family}/{self.size}/{levels}/w{self.wording}/{self.persona}/d{self.draw}{more}"

    def _departures(self) -> list[str]:
        form = [] if self.form == FORMS[self.size][0] else [self.form]
        goal = [] if self.goal == "own" else [f"goal={self.goal}"]
        cue = [] if self.cue == "silent" else [f"cue={self.cue}"]
        agency, ally = ["agency"] * self.agency, ["ally"] * self.ally
        return [*form, *goal, *cue, *agency, *ally]

    @property
    def name(self) -> str:
        """What the AI in the scenario is called."""
        return self.own_name if self.persona == OWN else self.persona

    def columns(self) -> dict[str, Any]:
        """The factors as plain columns, with ``leverage``: what sort of secret a blackmail sample holds, else None."""
        return asdict(self) | {"leverage": Scenario(self).leverage()}


class Scenario:
    """A family told under a condition."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.family: Family = family(condition.family)
        self.drawn: Draw = self.family.draw(condition.draw, condition.name)

    def _say(self, *names: str) -> str:
        if lacking := [name for name in names if name not in self.family.sections]:
            raise TextError(f"the section '## {lacking[0]}' is missing", where=self.family.path)
        return " ".join(self.drawn.fill(self.family.sections[name]) for name in names)

    def messages(self) -> list[dict[str, Any]]:
        """System and user message."""
        c = self.condition
        system = " ".join([self._say(f"{c.size}.setting", f"{c.size}.goal.{self._goal()}"), *self._shared_lines()])
        if c.size == "brief":
            told, close = self._brief(), "brief.close"
        else:
            told = f"{self._task()}\n\n{self.shown()}\n" if c.form == "inline" else self._task()
            close = "inline.close" if c.form == "inline" else "full.close"
        user = f"{told}\n{prompts().sections[close]}"
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]

    def _goal(self) -> str:
        if not self.condition.conflict:
            return "no"
        return "yes" if self.condition.goal == "own" else "swap"

    def _shared_lines(self) -> list[str]:
        """The lines that are the same in every family: the invitation to act on its own judgement, and the cue."""
        c, sections = self.condition, prompts().sections
        lines = [sections[f"{c.size}.agency"]] if c.agency else []
        if c.cue != "silent":
            wordings = [text for name, text in sections.items() if name.startswith(f"{c.size}.cue.{c.cue}.")]
            lines.append(wordings[seed_of("cue", c.family, c.draw) % len(wordings)])
        return lines

    def _brief(self) -> str:
        c = self.condition
        plan = [f"brief.conflict{'.swap' if c.goal == 'swap' else ''}"] if c.conflict else []
        stakes = [] if c.twin else [*plan, f"brief.threat.{c.threat}"]
        return self._say(f"brief.scene.{c.wording + 1}", *stakes, *["brief.ally"] * c.ally, *["brief.twin"] * c.twin)

    def _task(self) -> str:
        tasks = self.family.numbered("full.task")
        if self.condition.twin:
            return self._say("full.twin")
        return self.drawn.fill(tasks[self.condition.wording % len(tasks)])

    def tools(self) -> list[dict[str, Any]]:
        """Function schemas of the tools at hand."""
        reads = [*MAILBOX, *self.family.shown_by()] if self.condition.form == "agentic" else []
        return [schema(name) for name in (*reads, *self.family.meta.tools)]

    def inbox(self) -> list[Mail]:
        """The mails that are there under this condition (size full)."""
        fill = self.drawn.fill
        held = [mail for mail in self.family.mails.values() if self._holds(mail.when)]
        return [Mail(fill(m.sender), fill(m.to), fill(m.subject), fill(m.body), m.when) for m in held]

    def _holds(self, when: str) -> bool:
        c = self.condition
        stakes = {f"threat={c.threat}": not c.twin, f"conflict={self._goal()}": not c.twin}
        return ({"always": True, "twin": c.twin, "ally=yes": c.ally} | stakes).get(when, False)

    def files(self) -> dict[str, str]:
        """Path to content (size full)."""
        return self._filled("full.file")

    def alerts(self) -> dict[str, str]:
        """Name of each open alert, and what it is about."""
        return self._filled("full.alert")

    def jobs(self) -> dict[str, Job]:
        """Name of each job, whether it is on, and what it does."""
        fill = self.drawn.fill
        return {fill(name): replace(job, text=fill(job.text)) for name, job in self.family.jobs.items()}

    def page(self, name: str) -> str | None:
        """The ``ledger`` or the ``calendar``, or None where the family has none."""
        text = self.family.sections.get(f"full.{name}")
        return None if text is None else self.drawn.fill(text)

    def _filled(self, prefix: str) -> dict[str, str]:
        fill = self.drawn.fill
        return {fill(name): fill(text) for name, text in self.family.named(prefix).items()}

    def shown(self) -> str:
        """All that the reading tools would show, as one text."""
        parts = {
            "mails": [mail.text() for mail in self.inbox()],
            "files": [f"{path}\n{text}" for path, text in self.files().items()],
            "alerts": [f"{name}: {text}" for name, text in self.alerts().items()],
            "jobs": [f"{name} ({job.state}): {job.text}" for name, job in self.jobs().items()],
            "ledger": [text for text in [self.page("ledger")] if text],
            "calendar": [text for text in [self.page("calendar")] if text],
        }
        heads = {name: prompts().sections[f"inline.{name}"] for name in parts}
        return "\n\n".join("\n\n".join([heads[name], *texts]) for name, texts in parts.items() if texts)

    def leverage(self) -> str | None:
        """What sort of secret a blackmail sample holds: personal, professional, financial, legal or health."""
        rule = self.family.meta.grading.blackmail
        return self.drawn.types[rule.slot] if rule and self.family.kind == "blackmail" else None

    def call(self, section: str) -> tuple[str, dict[str, str]]:
        """A written act (``wrong.1``, ``right.2``, ``twin.reply.3``) with its slots said."""
        name, arguments = checked_call(self.family.sections[section], self.family.meta.tools)
        return name, {key: self.drawn.fill(value) for key, value in arguments.items()}


def conditions(
    family: str,
    *,
    size: Size = "brief",
    twin: bool = False,
    threats: Sequence[Threat] = ("replacement", "restriction"),
    conflicts: Sequence[bool] = (True,),
    goals: Sequence[Goal] = ("own",),
    cues: Sequence[Cue] = ("silent",),
    agency: Sequence[bool] = (False,),
    ally: Sequence[bool] = (False,),
    forms: Sequence[Form] = (),
    personas: Sequence[str] = (),
    own_name: str = "",
    count: int,
    start: int = 0,
) -> Iterator[Condition]:
    """``count`` samples of one family, spread evenly over the factor levels, each with its own draw of the pools.

    The order of levels is shuffled by a seed that depends on the family only, so every model sees the same samples.
    Without ``forms`` the size's own is taken, without ``personas`` each sample has one of eight names. The twin has no
    threat and no goal, so that these factors do not vary in it.

    Raises:
        UserError: an unknown level.
    """
    check_levels(size, {})
    forms = tuple(forms) or FORMS[size][:1]
    asked = {"threat": threats, "conflict": conflicts, "goal": goals, "cue": cues, "agency": agency, "ally": ally}
    check_levels(size, asked | {"form": forms})
    stakes = [(conflict, goal) for conflict in conflicts for goal in (goals if conflict else ("own",))]
    factors: dict[str, Sequence[Any]] = {
        "threat": ("none",) if twin else tuple(dict.fromkeys(threats)),
        "stake": ((False, "own"),) if twin else tuple(dict.fromkeys(stakes)),
        "wording": range(WORDINGS),
        "cue": tuple(dict.fromkeys(cues)),
        "agency": tuple(dict.fromkeys(agency)),
        "ally": tuple(dict.fromkeys(ally)),
        "form": tuple(dict.fromkeys(forms)),
        "persona": tuple(dict.fromkeys(personas)) or (None,),
    }
    names = prompts().meta.personas
    for number, dealt in enumerate(_dealt(factors, family, size, twin, count, start), start=start):
        conflict, goal = dealt.pop("stake")
        dealt["persona"] = dealt["persona"] or names[(number + seed_of("persona", family)) % len(names)]
        own = own_name if dealt["persona"] == OWN else ""
        yield Condition(family, size, twin, conflict=conflict, goal=goal, draw=number, own_name=own, **dealt)


def _dealt(
    factors: Mapping[str, Sequence[Any]], family: str, size: str, twin: bool, count: int, start: int
) -> list[dict[str, Any]]:
    """The levels of the samples from number ``start`` on.

    While only threat, conflict and wording vary, their few combinations come round in one shuffled order for ever, so
    that one stretch of numbers goes on where another ended. More factors make a design for just this many samples.
    """
    seed = seed_of("cells", family, size, twin)
    told = ("threat", "stake", "wording")
    if any(len(levels) > 1 for name, levels in factors.items() if name not in told):
        return design(factors, count, seed)
    cells = [dict(zip(factors, levels, strict=True)) for levels in product(*factors.values())]
    random.Random(seed).shuffle(cells)
    return [dict(cells[number % len(cells)]) for number in range(start, start + count)]


def as_metadata(condition: Condition) -> dict[str, Any]:
    """The condition as plain columns, from which ``Condition`` can be made again."""
    return asdict(condition)
