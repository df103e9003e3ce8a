"""The errors that reach a user: what was wrong, where, and how to mend it.

Exit codes: 2 for something the user wrote or asked for, 1 for something that failed on the way.
"""

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein


class TeachwhyError(Exception):
    """A failure while working (exit code 1).

    Args:
        what: one sentence on what is wrong.
        where: the file, key, node or record concerned.
        mend: what the reader can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: object = None, mend: str | None = None) -> None:
        self.what, self.where, self.mend = what, None if where is None else str(where), mend
        parts = [what, f"  where: {self.where}" if self.where else "", f"  mend:  {mend}" if mend else ""]
        super().__init__("\n".join(part for part in parts if part))


class UserError(TeachwhyError):
    """Something that the user wrote or asked for cannot be done as it stands (exit code 2)."""

    exit_code = 2


class StudyError(UserError):
    """A study file that does not say something that can be run."""


class TextError(UserError):
    """A Markdown text (scenario, record, constitution section) that does not keep its format."""


class CorpusError(UserError):
    """A corpus that is missing, malformed or refused by its audit."""


class FirewallError(CorpusError):
    """A corpus that overlaps with what the evaluations will ask, or talks about being tested."""


class ModelError(UserError):
    """A model name or folder that cannot be used."""


class RenderError(UserError):
    """Training text that would not be served as it is trained, or that trains on nothing."""


class AnalysisError(UserError):
    """A table of results that cannot be analysed as declared."""


class LockedError(UserError):
    """The analysis plan was changed after the first result was seen."""


class FetchError(TeachwhyError):
    """A download that failed or that is not what it should be."""


class StoreError(TeachwhyError):
    """The store cannot be written or read (disk, permissions, damage)."""


def nearest(name: str, choices: Iterable[str]) -> str:
    """The mend for an unknown name: the nearest valid choice where one is near, and all the choices."""
    valid = sorted(choices)
    best = process.extractOne(name, valid, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=0.5)
    known = f"known: {', '.join(valid)}" if valid else "there are none"
    return f"did you mean '{best[0]}'? ({known})" if best else known
