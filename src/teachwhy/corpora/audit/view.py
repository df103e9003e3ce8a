"""A record as the checks see it: each text and its words are made once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from teachwhy.corpora.audit.minhash import Signatures, signature
from teachwhy.corpora.audit.result import Check
from teachwhy.corpora.decks import Deck
from teachwhy.corpora.records import Record
from teachwhy.corpora.words import Hashes, word_hashes, words


@dataclass(frozen=True)
class About:
    """What is known of a corpus besides its records.

    Attributes:
        dealt: dealt from templates: measures are reported, not judged.
        subject: ``constitution`` where the corpus is about it.
        reasoning: thinking before an answer is part of it.
        deck: the deck its cards were dealt from.
        sections: ids of the sections of the constitution that ``meta.section`` may name.
        rate: share of the records on which the costly measures are taken.
        common: numbers of the words that too many records have (see ``duplicates``).
    """

    name: str
    dealt: bool = False
    subject: str | None = None
    reasoning: bool = False
    deck: Deck | None = None
    sections: tuple[str, ...] = ()
    rate: float = 1.0
    common: frozenset[int] = frozenset()


@dataclass(frozen=True)
class View:
    """One record with its texts."""

    record: Record

    @property
    def id(self) -> str:
        return self.record.id

    @cached_property
    def taught(self) -> str:
        return self.record.taught()

    @cached_property
    def whole(self) -> str:
        return self.record.whole()

    @cached_property
    def words(self) -> list[str]:
        """Words of what is taught."""
        return words(self.taught)

    @cached_property
    def all_words(self) -> list[str]:
        """Words of the whole record."""
        return self.words if self.record.text is not None else words(self.whole)

    @cached_property
    def hashes(self) -> Hashes:
        """A number for each word of the whole record."""
        return word_hashes(self.all_words)

    @cached_property
    def signature(self) -> Signatures:
        """MinHash of the five-word runs of the whole record."""
        return signature(self.hashes)


class Measure(Protocol):
    """Something counted over records in order: a batch at a time, in any process, added up at the end."""

    @property
    def names(self) -> tuple[str, ...]:
        """The checks that come of it."""

    def see(self, batch: list[View]) -> None:
        """Count a batch."""

    def merge(self, later: Any) -> None:
        """Add what was counted over the records that follow."""

    def checks(self, records: int) -> list[Check]:
        """The checks, over so many records in all."""
