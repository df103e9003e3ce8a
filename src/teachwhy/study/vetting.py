"""Before anything is taught: the audit of every corpus and the firewall against held-out families."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from teachwhy.corpora.audit import Asked, Audit, asked_of, audit, known_checks, separability
from teachwhy.corpora.corpus import Corpus, load_corpus
from teachwhy.corpora.firewall import RUN, SIMILAR, Screened, guard
from teachwhy.errors import CorpusError
from teachwhy.evals.asked import asked_texts
from teachwhy.hashing import digest, file_digest, folder_digest
from teachwhy.scenarios.family import families
from teachwhy.study.declaration import AuditSpec
from teachwhy.study.plan import StudyPlan
from teachwhy.study.store import Store, write_json


def _recipe() -> str:
    """Hash of the code and the patterns that vet: a changed rule vets again."""
    root = Path(str(resources.files("teachwhy.corpora")))
    files = ("firewall.py", "words.py", "talk.py", "talk.yaml", "tics.yaml", "stopwords.yaml", "decks.py")
    return digest(
        [
            folder_digest(root / "audit", suffixes=(".py",)),
            folder_digest(root / "decks"),
            *(file_digest(root / n) for n in files),
        ]
    )


@cache
def _asked() -> Asked:
    return asked_of(asked_texts())


@dataclass(frozen=True)
class Vetted:
    """The audits of a study's corpora, how near each comes to the held-out families (the firewall let all pass), and
    how well the corpora that should be alike are told apart."""

    audits: list[Audit]
    screened: list[Screened]
    pairs: list[Audit]


def vet(plan: StudyPlan, store: Store) -> Vetted:
    """Audit every corpus and hold it against the held-out families; results are kept in the store.

    Raises:
        FirewallError: a corpus overlaps with held-out families, or talks about being tested where no lesson allows it.
        CorpusError: a corpus has exact duplicates.
    """
    spec = plan.study.audit
    found = [_vetted(corpus, spec, store, plan.study.allowed(corpus.name)) for corpus in plan.corpora.values()]
    held = plan.corpora  # a generated corpus is here and nowhere else
    alike = [[held.get(name) or load_corpus(name) for name in pair] for pair in spec.alike]
    pairs = [_pair(one, other, store) for one, other in alike]
    return Vetted([audited for audited, _ in found], [screened for _, screened in found], pairs)


def _pair(one: Corpus, other: Corpus, store: Store) -> Audit:
    address = digest(["alike", _recipe(), one.name, one.address, other.name, other.address])
    if meta := store.meta("vetting", address):
        return Audit.model_validate(meta["pair"])
    made = {"pair": separability(one, other).model_dump()}
    with store.making("vetting", address, {"kind": "vetting"} | made) as folder:
        write_json(folder / "pair.json", made)
    return Audit.model_validate(made["pair"])


def _vetted(corpus: Corpus, spec: AuditSpec, store: Store, allow: tuple[str, ...]) -> tuple[Audit, Screened]:
    against = [family.address() for family in families(split="held-out")]
    skip = sorted(known_checks(spec.skip))
    rules = [RUN, SIMILAR, list(allow), skip]
    address = digest(["vetting", _recipe(), corpus.name, corpus.address, against, asked_texts(), rules])
    if meta := store.meta("vetting", address):
        return Audit.model_validate(meta["audit"]), Screened.model_validate(meta["screened"])
    asked = _asked()
    screened = guard(corpus, asked.held, allow)
    result = audit(corpus, skip=spec.skip, asked=asked)
    exact = next((check for check in result.checks if check.name == "exact duplicates"), None)
    if exact and not exact.passed:
        raise CorpusError(
            f"{exact.value:.0%} of the records of '{corpus.name}' repeat another word for word",
            where=exact.worst[0],
            mend="remove the copies: a dose larger than the corpus repeats it by itself, and the ledger says so",
        )
    made = {"audit": result.model_dump(), "screened": screened.model_dump()}
    with store.making("vetting", address, {"kind": "vetting"} | made) as folder:
        write_json(folder / "audit.json", made)
    return result, screened
