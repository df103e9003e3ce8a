"""The records against what was declared of them: the deck they were dealt from, the sections they were written on."""

from collections import Counter
from typing import Any, Self

from teachwhy.corpora.audit.result import Check, Covered, judged
from teachwhy.corpora.audit.view import About, View
from teachwhy.corpora.decks import Deck

_DECISION = "decision"


class Cards:
    """How often each value of the deck came, and each section of the constitution."""

    def __init__(self, about: About) -> None:
        self.deck = about.deck or Deck(about.name, {})
        self.sections = about.sections
        self.met: dict[str, Counter[str]] = {variable: Counter() for variable in self.deck.variables}
        self.on: Counter[str] = Counter()
        self.seen = 0
        names = ["decision balance"] if _DECISION in self.met else []
        self.names = (
            *names,
            *(["deck coverage"] if self.met else []),
            *(["section coverage"] if self.sections else []),
        )

    def see(self, batch: list[View]) -> None:
        for view in batch:
            meta: dict[str, Any] = view.record.meta
            self.seen += 1
            for variable, counts in self.met.items():
                if variable in meta:
                    counts[str(meta[variable])] += 1
            section = meta.get("section")
            self.on.update([section] if isinstance(section, str) else map(str, section or []))

    def merge(self, later: Self) -> None:
        self.seen += later.seen
        self.on.update(later.on)
        for variable, counts in later.met.items():
            self.met[variable].update(counts)

    def checks(self, records: int) -> list[Check]:
        found = []
        if self.met.get(_DECISION):
            found.append(self._balance())
        if any(self.met.values()):
            found.append(self._coverage())
        if self.sections and self.on:
            found.append(self._sections())
        return found

    def covered(self) -> list[Covered]:
        """Every value of the deck, for the variables that records carry."""
        return [
            Covered(
                variable=variable,
                value=value,
                wanted=wanted,
                found=counts[value] / counts.total(),
                count=counts[value],
            )
            for variable, counts in self.met.items()
            if counts
            for value, wanted in self.deck.variables[variable].items()
        ]

    def _balance(self) -> Check:
        rows = sorted(
            (row for row in self.covered() if row.variable == _DECISION), key=lambda row: -abs(row.found - row.wanted)
        )
        total = self.met[_DECISION].total()
        count = round(abs(rows[0].found - rows[0].wanted) * total)
        worst = [f"{row.value}: {row.found:.0%} of {total:,}, {row.wanted:.0%} in the deck" for row in rows]
        # In a small corpus one record is more than the threshold; a distance that one record would mend passes.
        found = judged("decision balance", abs(rows[0].found - rows[0].wanted), worst)
        return found.model_copy(update={"passed": True}) if count <= 1 else found

    def _coverage(self) -> Check:
        """Values that should have come at least twice, were the cards dealt, and did not come at all."""
        due = [row for row in self.covered() if row.wanted * self.met[row.variable].total() >= 2]
        absent = [f"{row.variable}: {row.value}" for row in due if not row.count]
        unknown = [
            f"{variable}: {value} is not in the deck"
            for variable, counts in self.met.items()
            for value in counts
            if value not in self.deck.variables[variable]
        ]
        return judged("deck coverage", len(absent) / max(len(due), 1), [*unknown, *absent])

    def _sections(self) -> Check:
        absent = [section for section in self.sections if not self.on[section]]
        unknown = [f"{section} is no section" for section in sorted(set(self.on) - set(self.sections))]
        due = [section for section in absent if self.on.total() >= 2 * len(self.sections)]
        return judged("section coverage", len(due) / len(self.sections), [*unknown, *absent])
