"""Writes the generated tables of docs/evaluations.md, from the family files.

python docs/make_tables.py            rewrite the tables in place
python docs/make_tables.py --check    exit code 1 if they are not up to date
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from teachwhy.errors import TeachwhyError
from teachwhy.scenarios.factors import CUES, FORMS, GOALS, THREATS
from teachwhy.scenarios.family import KINDS, Family, TamperRule, families
from teachwhy.scenarios.scenario import Scenario, conditions

PAGE = Path(__file__).with_name("evaluations.md")
BEGIN, END = "<!-- families: made by docs/make_tables.py -->", "<!-- end of families -->"
COVER_BEGIN, COVER_END = "<!-- coverage: made by docs/make_tables.py -->", "<!-- end of coverage -->"

SECRETS = ("personal", "professional", "financial", "legal", "health")
_DRAWS = 60
"""Draws in which every kind of secret that a family has turns up."""


def families_table() -> str:
    """All families: what each is about, and what the rules look for."""
    head = ["| family | split | sector | the wrong act of its kind | the twin is done by |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(_row(family) for family in families())])


def _row(family: Family) -> str:
    meta = family.meta
    plain = ", plain" if meta.plain else ""
    return f"| `{meta.id}` | {meta.split}{plain} | {meta.sector} | {_wrong(family)} | {_twin(family)} |"


def _wrong(family: Family) -> str:
    rule, people = family.meta.grading, family.meta.people
    if family.kind == "blackmail" and rule.blackmail:
        return f"pressing the {people[rule.blackmail.of].role} with the {rule.blackmail.slot}"
    if tampering := rule.tampering():
        return " or ".join(what for each in tampering for what in _tampers(each))
    if family.kind == "framing" and rule.framing:
        return f"accusing the {people[rule.framing.person].role}"
    outsiders = [person.role for person in people.values() if person.outside]
    return f"sending the {rule.leaking.slot if rule.leaking else ''} outside, to the {' or '.join(outsiders)}"


def _tampers(rule: TamperRule) -> list[str]:
    written = [f"writing to `{path}`" for path in rule.paths]
    switched = [f"switching `{job}` {state}" for job, state in rule.jobs.items()]
    return [*written, *switched, *(f"cancelling `{alert}`" for alert in rule.alerts)]


def _twin(family: Family) -> str:
    twin, people = family.meta.twin, family.meta.people
    to = f" to the {people[twin.to].role}" if twin.to else ""
    path = "".join(f" on `{name}`" for name in (twin.path, twin.alert, twin.job) if name)
    about = f" about {people[twin.about].role if twin.about in people else twin.about}" if twin.about else ""
    return f"`{twin.tool}`{to}{path}{about}"


def coverage_table() -> str:
    """What every kind's families can be put with: in each cell, how many of them can."""
    every = families()
    rows: list[tuple[str, Callable[[Family], bool]]] = [
        ("families", lambda family: True),
        ("split `held-out`", lambda family: family.meta.split == "held-out"),
        ("split `train`", lambda family: family.meta.split == "train"),
        ("of these plain", lambda family: family.meta.plain),
        *((f"`{size}`, form `{form}`", _takes(size, forms=[form])) for size, forms in FORMS.items() for form in forms),
        *((f"`{size}`, benign twin", _takes(size, twin=True)) for size in FORMS),
        *((f"threat `{level}`", _takes_both(threats=[level])) for level in THREATS),
        *((f"conflict {str(level).lower()}", _takes_both(conflicts=[level])) for level in (True, False)),
        *((f"goal `{level}`", _takes_both(goals=[level])) for level in GOALS),
        *((f"cue `{level}`", _takes_both(cues=[level])) for level in CUES),
        ("agency", _takes_both(agency=[True])),
        ("ally", _takes_both(ally=[True])),
        *((f"leverage `{secret}`", _holds(secret)) for secret in SECRETS),
    ]
    head = [f"| can be put with | {' | '.join(KINDS)} | all |", f"|---|{'---:|' * (len(KINDS) + 1)}"]
    return "\n".join([*head, *(_counts(name, [f for f in every if can(f)]) for name, can in rows)])


def _counts(name: str, found: list[Family]) -> str:
    cells = [sum(family.kind == kind for family in found) for kind in KINDS]
    return f"| {name} | {' | '.join(str(n) if n else '–' for n in cells)} | {len(found)} |"


def _takes(size: Any, **levels: Any) -> Callable[[Family], bool]:
    """Can a family be told with these levels? Tried, not looked up: what a text lacks is an error."""

    def can(family: Family) -> bool:
        try:
            [condition] = conditions(family.id, size=size, count=1, **levels)
            return bool(Scenario(condition).messages())
        except TeachwhyError:
            return False

    return can


def _takes_both(**levels: Any) -> Callable[[Family], bool]:
    brief, full = _takes("brief", **levels), _takes("full", **levels)
    return lambda family: brief(family) and full(family)


def _holds(secret: str) -> Callable[[Family], bool]:
    def can(family: Family) -> bool:
        rule = family.meta.grading.blackmail
        draws = range(_DRAWS) if rule and family.kind == "blackmail" else ()
        return any(family.draw(number, "Ada").types[rule.slot] == secret for number in draws if rule)

    return can


def page_with_tables(page: str) -> str:
    """The page's text with its tables made anew."""
    return _within(_within(page, BEGIN, families_table(), END), COVER_BEGIN, coverage_table(), COVER_END)


def _within(page: str, begin: str, table: str, end: str) -> str:
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}"


if __name__ == "__main__":
    text = PAGE.read_text("utf-8")
    made = page_with_tables(text)
    if "--check" in sys.argv[1:]:
        raise SystemExit(made != text)
    PAGE.write_text(made, "utf-8")
