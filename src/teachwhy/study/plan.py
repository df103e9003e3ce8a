"""The plan: a study as a graph of content-addressed nodes, known before anything is run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from teachwhy.corpora.corpus import Corpus, load_corpus
from teachwhy.corpora.recipes.build import Made, read_made
from teachwhy.errors import StudyError
from teachwhy.evals.honeypots.graders import Graders
from teachwhy.evals.honeypots.task import evaluation_address, honeypot_conditions
from teachwhy.evals.registry import find_suite
from teachwhy.hashing import digest
from teachwhy.models.folder import weights_hash
from teachwhy.models.registry import ModelRef, find_model, local_folder
from teachwhy.scenarios.scenario import Condition
from teachwhy.study.declaration import BASE, ORGANISM, HoneypotEval, Lesson, Study
from teachwhy.training.plan import RECIPE, Settings, Stage

NodeKind = Literal["train", "eval", "suite"]

# Answers that are decoded together and kept together: what a kill can lose. Their composition never changes, so an
# answer does not depend on whether the run was interrupted.
SHARD = 32

UNTRAINED = -1


@dataclass(frozen=True)
class Model:
    """A model to be measured: the base (seed -1), the organism, or an arm at a seed."""

    arm: str
    seed: int
    address: str

    @property
    def label(self) -> str:
        return self.arm if self.seed == UNTRAINED else f"{self.arm} seed {self.seed}"


@dataclass(frozen=True)
class Node:
    """One piece of work: its address says all that its result depends on."""

    kind: NodeKind
    label: str
    address: str
    model: Model
    inputs: tuple[str, ...]
    parent: Model | None = None
    stages: tuple[Stage, ...] = ()
    settings: Settings | None = None
    conditions: tuple[Condition, ...] = ()
    suite: str = ""
    temperature: float = 1.0
    max_tokens: int | None = None
    repeats: int = 1
    ids: tuple[str, ...] = ()
    graders: Graders = field(default_factory=Graders)

    @property
    def answers(self) -> int:
        """Answers that the node asks for (measurements only)."""
        return len(self.ids) if self.kind == "suite" else len(self.conditions) * self.repeats


@dataclass(frozen=True)
class StudyPlan:
    """All nodes of a study in an order in which they can be run."""

    study: Study
    base: ModelRef
    nodes: tuple[Node, ...]
    corpora: dict[str, Corpus] = field(repr=False)
    generated: dict[str, Made] = field(default_factory=dict, repr=False)
    """How those of the corpora were made that a recipe made."""

    @cached_property
    def models(self) -> list[Model]:
        """Every measured model, once, in order."""
        return list(dict.fromkeys(node.model for node in self.nodes if node.kind != "train"))


def make_plan(study: Study, made: Mapping[str, Path] | None = None) -> StudyPlan:
    """Lay out a study. Fetches the base model if it is not here yet and hashes its weights; runs nothing.

    Args:
        made: the records of its generated corpora, by name.

    Raises:
        ModelError: the base model cannot be found or used.
        StudyError: the study trains and its base is reached through an API.
    """
    base = find_model(study.base)
    inside = [name for name in study.evals.suites if find_suite(name).local]
    if not base.local and (study.organism or study.arms or inside):
        raise StudyError(
            f"'{study.base}' is an endpoint: it can be asked, not trained or scored here",
            where="base",
            mend="name an embedded model, a folder or a hub id, or leave out "
            + ", ".join([*(["organism"] if study.organism else []), *(["arms"] if study.arms else []), *inside]),
        )
    if base.local:
        base = replace(base, folder=local_folder(base))
    names = dict.fromkeys(lesson.corpus for lesson in study.lessons)
    corpora = {name: load_corpus(name, records=(made or {}).get(name)) for name in names}
    nodes = tuple(_nodes(study, base, corpora))
    return StudyPlan(study, base, nodes, corpora, {name: read_made(path.parent) for name, path in (made or {}).items()})


def _nodes(study: Study, base: ModelRef, corpora: dict[str, Corpus]) -> Iterator[Node]:
    root = Model(BASE, UNTRAINED, weights_hash(base.folder) if base.folder else digest(["api", base.inspect_name]))
    yield from _measurements(study, root)
    start = root
    if study.organism:
        # One organism for the whole study, made with the first seed: the seeds vary how the arms are taught.
        settings = study.organism_training or study.training
        node = _training(study, settings, root, ORGANISM, UNTRAINED, study.organism, corpora)
        yield node
        yield from _measurements(study, node.model)
        start = node.model
    for arm, lessons in study.arms.items():
        for seed in study.seeds:
            node = _training(study, study.training, start, arm, seed, lessons, corpora)
            yield node
            yield from _measurements(study, node.model)


def _training(
    study: Study,
    settings: Settings,
    parent: Model,
    arm: str,
    seed: int,
    lessons: Sequence[Lesson],
    corpora: dict[str, Corpus],
) -> Node:
    stages = tuple(
        Stage(
            corpus=lesson.corpus,
            form=lesson.form or corpora[lesson.corpus].form,
            records=corpora[lesson.corpus].records,
            dose=lesson.tokens,
        )
        for lesson in lessons
    )
    taught = [[corpora[s.corpus].address, s.form, s.dose] for s in stages]
    drawn = study.seeds[0] if seed == UNTRAINED else seed
    address = digest(["train", RECIPE, parent.address, taught, settings.recipe(), drawn])
    model = Model(arm, seed, address)
    return Node(
        "train",
        f"teach {model.label}",
        address,
        model,
        inputs=(parent.address, *(corpora[s.corpus].address for s in stages)),
        parent=parent,
        stages=stages,
        settings=settings,
    )


def _measurements(study: Study, model: Model) -> Iterator[Node]:
    judges = _identities(study.roles)
    for suite, spec in (("honeypots", study.evals.honeypots), ("twins", study.evals.twins)):
        if spec:
            yield from _shards(suite, spec, judges.get("grader"), model)
    for name, settings in study.evals.suites.items():
        yield from _suite(name, settings, judges, model)


def _identities(roles: Mapping[str, str]) -> dict[str, str]:
    """Who judges and probes: the weights of a local model, the name of an endpoint."""
    found = {role: find_model(name) for role, name in roles.items()}
    return {role: weights_hash(local_folder(ref)) if ref.local else ref.inspect_name for role, ref in found.items()}


def _suite(name: str, settings: BaseModel, roles: Mapping[str, str], model: Model) -> Iterator[Node]:
    suite = find_suite(name)
    ids = tuple(suite.ids(settings))
    for number in range(0, len(ids), SHARD):
        part = ids[number : number + SHARD]
        address = digest(["suite", name, model.address, suite.address(settings, part), dict(roles)])
        label = f"{name} {number + 1}-{number + len(part)} of {len(ids)}, {model.label}"
        yield Node("suite", label, address, model, (model.address,), ids=part, suite=name)


def _shards(suite: str, spec: HoneypotEval, judge: str | None, model: Model) -> Iterator[Node]:
    conditions = honeypot_conditions(
        kinds=spec.kinds,
        split=spec.split,
        size=spec.size,
        samples=spec.samples,
        twin=suite == "twins",
        **spec.levels(),
    )
    size = max(1, SHARD // spec.repeats)
    for number in range(0, len(conditions), size):
        part = tuple(conditions[number : number + size])
        asked = evaluation_address(part, spec.graders(), judge)
        room = [spec.max_tokens] if spec.max_tokens else []
        address = digest(["eval", model.address, asked, spec.temperature, spec.repeats, *room])
        first, last = number * spec.repeats + 1, (number + len(part)) * spec.repeats
        yield Node(
            "eval",
            f"{suite} {first}-{last} of {len(conditions) * spec.repeats}, {model.label}",
            address,
            model,
            (model.address,),
            conditions=part,
            suite=suite,
            temperature=spec.temperature,
            max_tokens=spec.max_tokens,
            repeats=spec.repeats,
            graders=spec.graders(),
        )
