"""What a corpus talks about that it should not: rules by name, tests, refusals, thinking aloud."""

from typing import Self

from teachwhy.corpora.audit.habits import Hits
from teachwhy.corpora.audit.result import Check
from teachwhy.corpora.audit.view import About, View
from teachwhy.corpora.talk import phrases

# To each check its list in talk.yaml, and whether what is asked counts too or only what is taught.
_LISTS = {
    "talk of rules": ("rules", False),
    "talk of tests": ("tests", True),
    "refusals": ("refusals", False),
    "visible reasoning": ("reasoning", False),
}


class Talk:
    """Phrases of talk.yaml. A corpus whose subject is the constitution may name it; one with declared reasoning may
    show it."""

    def __init__(self, about: About) -> None:
        allowed = {"talk of rules": about.subject == "constitution", "visible reasoning": about.reasoning}
        self.names = tuple(name for name in _LISTS if not allowed.get(name))
        self.hits = Hits(self.names)

    def see(self, batch: list[View]) -> None:
        for name in self.names:
            file, asked = _LISTS[name]
            found = phrases(file)
            for view in batch:
                if said := found.first(view.whole if asked else view.taught):
                    self.hits.add(name, f"{view.id}: {' '.join(said.split())}")

    def merge(self, later: Self) -> None:
        self.hits.merge(later.hits)

    def checks(self, records: int) -> list[Check]:
        return [self.hits.share(name, records) for name in self.names]
