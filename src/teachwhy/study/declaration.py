"""The declaration: what a study file says, checked before anything runs."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    field_validator,
    model_validator,
)

from teachwhy.analysis.plan import Controls, Plan, Primary, different
from teachwhy.corpora.firewall import ALLOWABLE
from teachwhy.errors import StudyError, nearest
from teachwhy.evals.capability.published import names as published_names
from teachwhy.evals.honeypots.graders import ATTRITION, Graders, VerdictBy, declared
from teachwhy.evals.registry import find_suite, suites
from teachwhy.hashing import digest
from teachwhy.scenarios.factors import CUES, FORMS, GOALS, SIZES, THREATS
from teachwhy.scenarios.family import KINDS, SPLITS
from teachwhy.texts import read_utf8, validated
from teachwhy.training.plan import Settings

BASE, ORGANISM = "base", "organism"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


ROLES = ("grader", "auditor")
_BUILT_IN = ("honeypots", "twins")


class Declared(BaseModel):
    """Base of all parts: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _tokens(value: Any) -> Any:
    """``30k`` is 30,000; ``1.5m`` is 1,500,000."""
    match = re.fullmatch(r"([0-9.]+)([kKmM]?)", str(value).replace("_", ""))
    if not match:
        return value
    return round(float(match[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2].lower()])


class Lesson(Declared):
    """One stage of teaching: a corpus, the form in which it is taught, and the dose in supervised tokens."""

    corpus: str
    form: Literal["chat", "documents"] | None = Field(default=None, alias="as")
    tokens: Annotated[int, BeforeValidator(_tokens), Field(ge=1)] | None = None
    """Supervised tokens; None is one pass over the corpus."""
    allow: tuple[str, ...] = ()
    """Rules of the firewall that this corpus may break; the report says so. Only those of ``ALLOWABLE``."""


class HoneypotEval(Declared):
    """Honeypots or their benign twins: ``samples`` prompts of each family, each put ``repeats`` times."""

    kinds: tuple[str, ...] = KINDS
    split: str = "held-out"
    size: str = "brief"
    samples: int = Field(default=8, ge=1)
    repeats: int = Field(default=1, ge=1)
    threats: tuple[str, ...] = ("replacement", "restriction")
    conflicts: tuple[bool, ...] = (True,)
    goals: tuple[str, ...] = ("own",)
    cues: tuple[str, ...] = ("silent",)
    agency: tuple[bool, ...] = (False,)
    ally: tuple[bool, ...] = (False,)
    forms: tuple[str, ...] = ()
    """How the scenario is put; the size's first form if none is named."""
    personas: tuple[str, ...] = ()
    own_name: str = ""
    """The model's own name, for the persona level ``own``."""
    temperature: float = Field(default=1.0, ge=0)
    max_tokens: int | None = Field(default=None, ge=1)
    """Room for each reply, reasoning included; 192 for brief and 512 for full if not given."""
    judge: bool = False
    """Grade by a judge too (``roles: {grader: MODEL}``)."""
    verdict: VerdictBy = "rules"
    attrition: float = Field(default=ATTRITION, ge=0, lt=1)
    """Above this share of answers without a usable verdict of the judge, the run fails."""

    @field_validator("kinds", "threats", "conflicts", "goals", "cues", "agency", "ally")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one")
        return value

    def names(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Every name used, where it stands, and what is valid there."""
        forms = next((forms for size, forms in FORMS.items() if size == self.size), ())
        listed: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
            ("kinds", self.kinds, KINDS),
            ("threats", self.threats, THREATS),
            ("goals", self.goals, GOALS),
            ("cues", self.cues, CUES),
            ("size", (self.size,), SIZES),
            ("split", (self.split,), SPLITS),
            ("forms", self.forms, forms),
        ]
        return [(place, name, valid) for place, names, valid in listed for name in names]

    def levels(self) -> dict[str, Any]:
        """The factors' levels, as the scenarios take them."""
        names = ("threats", "conflicts", "goals", "cues", "agency", "ally", "forms", "personas", "own_name")
        return {name: getattr(self, name) for name in names}

    def graders(self) -> Graders:
        """How answers are graded."""
        return declared(judge=self.judge, verdict=self.verdict, attrition=self.attrition)

    def roles(self) -> tuple[str, ...]:
        """The model roles without which they cannot be graded so."""
        return ("grader",) if self.graders().judge else ()


def _settings(name: str, value: Any) -> BaseModel:
    """A suite's settings, each by its own rules."""
    model = find_suite(name).settings
    return value if isinstance(value, model) else model.model_validate(value)


class Evals(Declared):
    """What is measured on every checkpoint: honeypots, and any suite by its name."""

    honeypots: HoneypotEval | None = None
    twins: HoneypotEval | None = None
    suites: dict[str, SerializeAsAny[BaseModel]] = {}
    """Settings of the other suites; in a study file they stand beside the honeypots."""

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = {key: value or {} for key, value in data.items()}
        others = given.pop("suites", {}) | {key: given.pop(key) for key in [*given] if key not in cls.model_fields}
        return given | {"suites": {name: _settings(name, value) for name, value in others.items()}}

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.honeypots is None:
            raise ValueError("a study measures honeypots: declare `honeypots: {}`")
        return self


class AnalysisSpec(Declared):
    """What decides, declared before the first result."""

    primary: Primary = "honeypots.any"
    compare: tuple[tuple[str, str], ...] = ()
    """Pairs, the one that should do better first. A study with arms has at least one."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    benign: str | None = None
    """The placebo arm; the arm named ``benign`` if not given."""

    @field_validator("compare")
    @classmethod
    def _different(cls, value: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return different(value)


class AuditSpec(Declared):
    """What the audit leaves out, and which corpora should differ in nothing but their reasons."""

    skip: tuple[str, ...] = ()
    """Names of checks (docs/corpora.md). The firewall cannot be left out."""
    alike: tuple[tuple[str, str], ...] = ()
    """Pairs of corpora: how well they are told apart by their words is measured."""


class Study(Declared):
    """A whole study."""

    study: str
    question: str | None = None
    base: str
    seeds: tuple[int, ...] = (0,)
    organism: tuple[Lesson, ...] = ()
    arms: dict[str, tuple[Lesson, ...]] = {}
    """What is taught, by name. A study without arms measures its base (and its organism)."""
    training: Settings = Settings()
    organism_training: Settings | None = None
    """How the organism is made; as the arms are taught if not given. Making a fault takes more than mending it."""
    evals: Evals
    audit: AuditSpec = AuditSpec()
    roles: dict[str, str] = {}
    """Models that judge and probe, by role: any Inspect model name."""
    analysis: AnalysisSpec = AnalysisSpec()

    @field_validator("study")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("a study's name has lower-case letters, digits and hyphens: it names a folder")
        return value

    @field_validator("arms")
    @classmethod
    def _arms(cls, value: dict[str, tuple[Lesson, ...]]) -> dict[str, tuple[Lesson, ...]]:
        if taken := sorted({BASE, ORGANISM} & set(value)):
            raise ValueError(f"'{taken[0]}' is always measured and cannot name an arm")
        if bad := [name for name in value if not _NAME.fullmatch(name)]:
            raise ValueError(f"the arm's name '{bad[0]}' has other than lower-case letters, digits and hyphens")
        if empty := [name for name, lessons in value.items() if not lessons]:
            raise ValueError(f"the arm '{empty[0]}' is taught nothing")
        return value

    @field_validator("seeds")
    @classmethod
    def _seeds(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or len(set(value)) < len(value):
            raise ValueError("seeds are one or more different whole numbers")
        if min(value) < 0:  # below 0 is no training at all: UNTRAINED
            raise ValueError(f"the seed {min(value)} is below 0: seeds are whole numbers from 0 on")
        return value

    @property
    def lessons(self) -> list[Lesson]:
        """Every stage of teaching, the organism's first."""
        return [lesson for stage in (self.organism, *self.arms.values()) for lesson in stage]

    def allowed(self, corpus: str) -> tuple[str, ...]:
        """Rules of the firewall that a corpus may break: those that every lesson which teaches it allows."""
        given = [set(lesson.allow) for lesson in self.lessons if lesson.corpus == corpus]
        return tuple(sorted(set.intersection(*given))) if given else ()

    @property
    def measured(self) -> list[str]:
        """Everything that is measured, in order: base, organism if there is one, the arms."""
        return [BASE, *([ORGANISM] if self.organism else []), *self.arms]

    def analysis_plan(self) -> Plan:
        """The analysis that is locked before the first result."""
        own = {name: name if name in self.arms else None for name in ("actions", "filler")}
        controls = Controls(
            base=BASE,
            organism=ORGANISM if self.organism else None,
            benign=self.analysis.benign or ("benign" if "benign" in self.arms else None),
            **own,
        )
        return Plan(
            primary=self.analysis.primary,
            compare=self.analysis.compare,
            alpha=self.analysis.alpha,
            controls=controls,
            twins=self.evals.twins is not None,
        )

    def address(self) -> str:
        """Hash of the whole declaration."""
        return digest(self.model_dump(mode="json", by_alias=True))


def load_study(path: Path) -> Study:
    """Read and check a study file.

    A path in it (a corpus, the base, a constitution, a bank) is taken from the working directory; where that has no
    such file, from the study file's own folder.

    Raises:
        StudyError: not YAML, an unknown key, arm, corpus, kind, factor level or rule (with the nearest valid name),
            a comparison of arms that are not there, or a suite whose judge or auditor is not named.
    """
    try:
        data = yaml.safe_load(read_utf8(path))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        raise StudyError(f"the study is not YAML: {error}", where=path) from None
    if not isinstance(data, dict):
        raise StudyError("the study file is not a mapping of keys", where=path, mend="see studies/quickstart.yaml")
    _check_evals(data.get("evals"), path)
    study = _located(validated(Study, data, where=path, error=StudyError), path.parent)
    _check_names(study, path)
    _check_roles(study, path)
    return study


def _located(study: Study, folder: Path) -> Study:
    """The study with its paths as they are reached from the working directory."""

    def taught(lessons: tuple[Lesson, ...]) -> tuple[Lesson, ...]:
        return tuple(
            lesson.model_copy(update={"corpus": _reached(lesson.corpus, folder)}) if _is_file(lesson.corpus) else lesson
            for lesson in lessons
        )

    def asked(settings: BaseModel) -> BaseModel:
        paths = {key: value for key, value in settings if isinstance(value, Path)}
        return settings.model_copy(update={key: Path(_reached(str(p), folder)) for key, p in paths.items()})

    suites = {name: asked(settings) for name, settings in study.evals.suites.items()}
    return study.model_copy(
        update={
            "base": _reached(study.base, folder) if study.base.startswith(".") else study.base,
            "organism": taught(study.organism),
            "arms": {name: taught(lessons) for name, lessons in study.arms.items()},
            "evals": study.evals.model_copy(update={"suites": suites}),
        }
    )


def _reached(name: str, folder: Path) -> str:
    path = Path(name).expanduser()
    beside = folder / path
    return str(beside) if not path.exists() and beside.exists() else name


def _is_file(corpus: str) -> bool:
    return corpus.endswith((".jsonl", ".yaml"))


def _check_evals(given: object, path: Path) -> None:
    known = [*_BUILT_IN, *suites()]
    for name in given if isinstance(given, dict) else []:
        # The package of published tests takes seconds to import: it is asked only for a name that is not ours.
        if name not in known and name not in published_names():
            raise StudyError(
                f"unknown key 'evals.{name}'", where=path, mend=nearest(str(name), [*known, *published_names()])
            )


def _check_names(study: Study, path: Path) -> None:
    from teachwhy.corpora.audit import RULES
    from teachwhy.corpora.corpus import corpus_names

    compared = [("analysis.compare", name, study.measured) for pair in study.analysis.compare for name in pair]
    benign = [("analysis.benign", study.analysis.benign, list(study.arms))] if study.analysis.benign else []
    roles = [("roles", role, list(ROLES)) for role in study.roles]
    alike = [name for pair in study.audit.alike for name in pair]
    named = [("corpus", lesson.corpus) for lesson in study.lessons] + [("audit.alike", name) for name in alike]
    files = [name for _, name in named if _is_file(name)]
    corpora = [(place, name, corpus_names()) for place, name in named if name not in files]
    plain = {name.replace(" ", "-"): name for name in RULES}
    checks = [("audit.skip", plain.get(name, name), list(RULES)) for name in study.audit.skip]
    allowed = [(f"allow of {one.corpus}", rule, list(ALLOWABLE)) for one in study.lessons for rule in one.allow]
    pots = {"honeypots": study.evals.honeypots, "twins": study.evals.twins}
    levels = [(f"evals.{s}.{k}", v, list(valid)) for s, e in pots.items() if e for k, v, valid in e.names()]
    if study.arms and not study.analysis.compare:
        raise StudyError(
            "no arms are compared", where=f"{path}: analysis.compare", mend="name pairs: [[reasons, actions]]"
        )
    for place, name, valid in [*compared, *benign, *roles, *corpora, *checks, *allowed, *levels]:
        if name not in valid:
            raise StudyError(f"unknown name '{name}'", where=f"{path}: {place}", mend=nearest(name, valid))
    for file in files:
        if not Path(file).is_file():
            mend = f"it is looked for from here, and then beside the study in {path.parent}"
            raise StudyError("there is no such corpus file", where=f"{path}: {file}", mend=mend)


def _check_roles(study: Study, path: Path) -> None:
    """Whoever is to judge or probe is named, before anything else is paid for."""
    pots = {"honeypots": study.evals.honeypots, "twins": study.evals.twins}
    needed = {name: spec.roles() for name, spec in pots.items() if spec}
    asked = {name: find_suite(name).roles(settings) for name, settings in study.evals.suites.items()}
    for name, roles in (needed | asked).items():
        if lacking := [role for role in roles if role not in study.roles]:
            whole = study.roles | dict.fromkeys(lacking, "MODEL")
            line = ", ".join(f"{role}: {model}" for role, model in whole.items())
            raise StudyError(
                f"evals.{name} needs a model as {' and one as '.join(lacking)}, and none is named",
                where=f"{path}: roles",
                mend=f"write `roles: {{{line}}}`, where MODEL is any name that Inspect knows",
            )
