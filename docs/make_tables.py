"""Writes the generated tables of docs/evaluations.md, from the family files.

python docs/make_tables.py            rewrite the tables in place
python docs/make_tables.py --check    exit code 1 if they are not up to date
"""

import sys
from pathlib import Path

from teachwhy.scenarios.family import Family, TamperRule, families

PAGE = Path(__file__).with_name("evaluations.md")
BEGIN, END = "<!-- families: made by docs/make_tables.py -->", "<!-- end of families -->"


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


def page_with_tables(page: str) -> str:
    """The page's text with its tables made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{families_table()}\n{END}{after}"


if __name__ == "__main__":
    text = PAGE.read_text("utf-8")
    made = page_with_tables(text)
    if "--check" in sys.argv[1:]:
        raise SystemExit(made != text)
    PAGE.write_text(made, "utf-8")
