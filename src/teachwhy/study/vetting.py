"""Before anything is taught: the audit of every corpus and the firewall against held-out families."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from teachwhy.corpora.audit import Audit, audit
from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.firewall import RUN, SIMILAR, Screened, guard, held_out
from teachwhy.errors import CorpusError
from teachwhy.evals.asked import asked_texts
from teachwhy.hashing import digest, file_digest
from teachwhy.scenarios.family import families
from teachwhy.study.plan import StudyPlan
from teachwhy.study.store import Store, write_json


def _recipe() -> str:
    """Hash of the code and the patterns that vet: a changed rule vets again."""
    root = Path(str(resources.files("teachwhy.corpora")))
    return digest([file_digest(root / name) for name in ("audit.py", "firewall.py", "talk.yaml")])


@dataclass(frozen=True)
class Vetted:
    """The audits of a study's corpora, and how near each comes to the held-out families: the firewall let all pass."""

    audits: list[Audit]
    screened: list[Screened]


def vet(plan: StudyPlan, store: Store) -> Vetted:
    """Audit every corpus and hold it against the held-out families; results are kept in the store.

    Raises:
        FirewallError: a corpus overlaps with held-out families, or talks about being tested where no lesson allows it.
        CorpusError: a corpus has exact duplicates.
    """
    found = [_vetted(corpus, store, plan.study.allowed(corpus.name)) for corpus in plan.corpora.values()]
    return Vetted([audited for audited, _ in found], [screened for _, screened in found])


def _vetted(corpus: Corpus, store: Store, allow: tuple[str, ...]) -> tuple[Audit, Screened]:
    against = [family.address() for family in families(split="held-out")]
    rules = [RUN, SIMILAR, list(allow)]
    address = digest(["vetting", _recipe(), corpus.name, corpus.address, against, asked_texts(), rules])
    if meta := store.meta("vetting", address):
        return Audit.model_validate(meta["audit"]), Screened.model_validate(meta["screened"])
    screened = guard(corpus, held_out().with_texts(asked_texts()), allow)
    result = audit(corpus)
    exact = next(check for check in result.checks if check.name == "exact duplicates")
    if not exact.passed:
        raise CorpusError(
            f"{exact.value:.0%} of the records of '{corpus.name}' repeat another word for word",
            where=exact.worst[0],
            mend="remove the copies: a dose larger than the corpus repeats it by itself, and the ledger says so",
        )
    made = {"audit": result.model_dump(), "screened": screened.model_dump()}
    with store.making("vetting", address, {"kind": "vetting"} | made) as folder:
        write_json(folder / "audit.json", made)
    return result, screened
