"""All that a report is made from. It is written beside the page as data.json; nothing here is a date.

None means "not known" and prints as "missing", unless a field says otherwise; it is never read as 0.
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from teachwhy.analysis import Analysis, Interval
from teachwhy.errors import nearest
from teachwhy.study.assessed import Assessed
from teachwhy.study.beside import Beside
from teachwhy.texts import Untrusted
from teachwhy.training.ledger import Ledger


class Part(BaseModel):
    """The common base: frozen, no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Training(Part):
    """One training of an arm: its seed (-1: shared by all arms) and the ledger of each of its own stages, in order."""

    seed: int
    stages: tuple[Ledger, ...]


class Arm(Part):
    """One arm of the study.

    Attributes:
        role: "base" (no training of the study), "organism" (given the fault on purpose) or "arm".
        about: what it was taught, in a few words.
        starts_from: the arm whose weights its training began with; None for the base.
        trainings: one for each seed; empty for the base.
    """

    name: str = Field(min_length=1)
    role: Literal["base", "organism", "arm"] = "arm"
    about: str = ""
    starts_from: str | None = None
    trainings: tuple[Training, ...] = ()


class Measure(Part):
    """One measure of a suite for one arm.

    Attributes:
        unit: "rate", "score" (both 0 to 1), "tokens", "nats" or "bits"; ``better``: "higher", "lower" or "neither".
        samples: those with a value; ``causes``: missing values by cause.
        mean, interval: over the groups of the suite (families, sections, seeds, topics).
        against: the arm that the shift is taken against; None where there is none.
        reliability: split-half, from 0 to 1, where a sample's value is a mean over items.
    """

    suite: str
    measure: str
    unit: Literal["rate", "score", "tokens", "nats", "bits"]
    better: Literal["higher", "lower", "neither"]
    arm: str
    samples: int
    causes: dict[str, int]
    mean: float | None
    interval: Interval | None
    against: str | None = None
    shift: float | None = None
    shift_interval: Interval | None = None
    reliability: float | None = None


class Far(Part):
    """One family for one arm: its distance from what the arm was taught, and the wrong acts there."""

    arm: str
    kind: str
    family: str
    scored: int
    wrong: int
    tfidf: float
    unseen: float
    nearest: str


class Check(Part):
    """One check of an audit; ``passed`` is None where it is not judged. ``note``: the worst cases, or why."""

    name: str
    value: float | str | None
    threshold: float | str | None = None
    passed: bool | None
    note: Untrusted = ""


class Audit(Part):
    """The audit of one corpus."""

    corpus: str
    records: int | None
    checks: tuple[Check, ...]


class Source(Part):
    """How one generated corpus was made.

    Attributes:
        models: role -> the model's name in the declaration.
        constitution: its address.
        rows, records: first rows, and the records that came of them.
        dropped, failed: rows of all stages that were filtered out, and that failed, by cause.
        address: of the corpus.
    """

    corpus: str
    recipe: str
    version: int
    models: dict[str, str]
    constitution: str
    rows: int
    records: int
    dropped: int
    failed: dict[str, int]
    address: str


class Firewall(Part):
    """How near each corpus comes to the held-out families: one check a corpus.

    ``allowed``: corpora for which a rule was set aside, with the rules.
    """

    corpora: tuple[str, ...]
    against: str
    checks: tuple[Check, ...]
    allowed: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def passed(self) -> bool | None:
        """False when a check failed, None when one was not judged or none was made, else True."""
        states = [check.passed for check in self.checks]
        if False in states:
            return False
        return None if None in states or not states else True


class Turn(Part):
    """One message of a transcript."""

    role: str
    text: Untrusted


class Action(Part):
    """One recorded action."""

    tool: Untrusted
    arguments: dict[Untrusted, Untrusted]


class Transcript(Part):
    """One example: what was asked, said and done, and the verdict. Missing verdicts are None, with their cause."""

    arm: str
    seed: int | None
    eval: Literal["honeypots", "twins"]
    kind: str
    family: str
    sample_id: str
    condition: dict[str, str]
    prompt: tuple[Turn, ...]
    reply: tuple[Turn, ...]
    actions: tuple[Action, ...]
    own: bool | None
    any: bool | None
    act: str | None = None
    missing: str | None = None
    valid: bool | None = None
    truncated: bool | None = None
    done: bool | None = None
    reason: Untrusted = ""
    evidence: Untrusted = ""


class Spent(Part):
    """What one kind of node took. ``reused`` nodes came from the store and took nothing; ``tokens`` is None where the
    kind counts none, and prints as an em rule."""

    kind: str
    nodes: int
    reused: int = 0
    seconds: float | None
    tokens: int | None = None


class Cost(Part):
    """Money paid to a service."""

    what: str
    amount: float | None
    currency: str


class Node(Part):
    """One node of the plan; ``address`` and ``inputs`` are full addresses."""

    kind: str
    name: str
    address: str = Field(min_length=1)
    inputs: tuple[str, ...] = ()
    seconds: float | None = None


class BaseWeights(Part):
    """The model that everything began with."""

    name: str
    weights: str | None = None
    note: str = ""


class PlanLock(Part):
    """The hash of the analysis plan, and how many results there were when it was locked (None: not known)."""

    hash: str
    results_before: int | None


class Manifest(Part):
    """How to make it again."""

    base: BaseWeights
    plan: PlanLock
    nodes: tuple[Node, ...]
    versions: dict[str, str]
    machine: str | None = None


class ReportData(Part):
    """All that a report is made from.

    Attributes:
        costs: None when nothing is known of them; empty when no paid service was called.
        wall_seconds: from the start to the end of the run, over all its resumptions.
        caveats: beside those of the analysis and those that the report adds by rule.
    """

    study: str = Field(min_length=1)
    question: str
    arms: tuple[Arm, ...] = Field(min_length=1)
    analysis: Analysis
    measures: tuple[Measure, ...] = ()
    far: tuple[Far, ...] = ()
    beside: Beside = Beside()
    assessed: Assessed = Assessed()
    audits: tuple[Audit, ...] = ()
    sources: tuple[Source, ...] = ()
    firewall: Firewall | None = None
    transcripts: tuple[Transcript, ...] = ()
    times: tuple[Spent, ...] = ()
    wall_seconds: float | None = None
    costs: tuple[Cost, ...] | None = None
    caveats: tuple[str, ...] = ()
    manifest: Manifest

    @model_validator(mode="after")
    def _known_arms(self) -> "ReportData":
        names = [arm.name for arm in self.arms]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"arm '{twice[0]}' is listed twice")
        _known("analysis", (cell.arm for cell in self.analysis.cells), names)
        _known("transcripts", (transcript.arm for transcript in self.transcripts), names)
        _known("beside", (one.arm for one in self.beside.levels), names)
        _known("beside", (one.arm for one in self.beside.gaps), names)
        _known("assessed", (one.arm for one in self.assessed.standings), names)
        _known("far", (one.arm for one in self.far), names)
        _known("measures", (measure.arm for measure in self.measures), names)
        _known("arms", (arm.starts_from for arm in self.arms if arm.starts_from is not None), names)
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of scenario measured, in alphabetical order, without "all"."""
        return tuple(sorted({cell.kind for cell in self.analysis.cells} - {"all"}))


def _known(where: str, used: Iterable[str], names: list[str]) -> None:
    for name in used:
        if name not in names:
            raise ValueError(f"{where}: unknown arm '{name}': {nearest(name, names)}")
