"""The declaration of a generated corpus: which recipe, by which models, how many, with which steps left out."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from teachwhy.corpora.recipes.generators import SCRIPTED, Budget
from teachwhy.errors import CorpusError
from teachwhy.texts import read_utf8, validated


class Declared(BaseModel):
    """Base: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(Declared):
    """US dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class Limits(Declared):
    """Where a build stops.

    Attributes:
        tokens, dollars: what may be spent in all; above it nothing is asked.
        failed: share of a stage's rows that may fail; above it the corpus is not written.
    """

    tokens: int | None = Field(default=None, gt=0)
    dollars: float | None = Field(default=None, gt=0)
    failed: float = Field(default=0.1, ge=0, lt=1)

    @field_validator("tokens", mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """Numbers may be written 30k or 2M."""
        if isinstance(value, str) and value[-1:].lower() in ("k", "m") and value[:-1].replace(".", "", 1).isdigit():
            return int(float(value[:-1]) * (1000 if value[-1].lower() == "k" else 1_000_000))
        return value

    @property
    def budget(self) -> Budget:
        """What may be spent."""
        return Budget(self.tokens, self.dollars)


class Spec(Declared):
    """A generated corpus.

    Attributes:
        recipe: its name (``teachwhy corpus recipes`` lists them).
        count: records wanted before anything is filtered out.
        seed: decides cards and sampling.
        constitution: a shipped one by name, or a path beside this file.
        model_name, developer: what fills the constitution's slots.
        models: role -> model: ``writer``, and ``critic`` and ``judge`` where they differ.
        skip: stages left out.
        replace: stage -> a prompt file in place of the recipe's.
        deck: a deck file in place of the recipe's.
        options: the recipe's own settings.
        prices: role -> price, for the estimate and the meter.
        limits: where the build stops.
        concurrency: rows in flight at once.
        timeout: seconds after which one try of a call is given up.
        retries: how often a call that an endpoint turned away (429, 5xx, no answer) is put again, with growing pauses.
    """

    recipe: str
    count: int = Field(default=100, ge=1)
    seed: int = 0
    constitution: str = "default"
    model_name: str = "the model"
    developer: str = "its developer"
    models: dict[str, str] = Field(default_factory=dict)
    skip: tuple[str, ...] = ()
    replace: dict[str, str] = Field(default_factory=dict)
    deck: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    prices: dict[str, Price] = Field(default_factory=dict)
    limits: Limits = Limits()
    concurrency: int = Field(default=8, ge=1)
    timeout: int = Field(default=300, ge=1)
    retries: int = Field(default=5, ge=0)


def load_spec(path: Path) -> Spec:
    """Read a declaration; paths in it are beside its file (that of a script of replies also from here).

    Raises:
        CorpusError: not YAML, or an unknown or wrong key.
    """
    try:
        raw = yaml.safe_load(read_utf8(path))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        raise CorpusError(f"the declaration is not YAML: {error}", where=path) from None
    if not isinstance(raw, dict):
        raise CorpusError("the declaration is not a mapping", where=path, mend="begin with 'recipe: difficult-advice'")
    spec = validated(Spec, raw, where=path, error=CorpusError)
    beside = {key: _beside(path, value) for key, value in spec.replace.items()}
    deck = _beside(path, spec.deck) if spec.deck else None
    constitution = _beside(path, spec.constitution) if spec.constitution.endswith(".md") else spec.constitution
    models = {role: _script(path, name) for role, name in spec.models.items()}
    return spec.model_copy(update={"replace": beside, "deck": deck, "constitution": constitution, "models": models})


def _script(path: Path, name: str) -> str:
    """A model's name; a script of replies that lies beside the declaration is named by its path."""
    provider, _, file = name.partition("/")
    return f"{provider}/{_beside(path, file)}" if provider == SCRIPTED and (path.parent / file).exists() else name


def _beside(path: Path, name: str) -> str:
    return str(path.parent / Path(name).expanduser())
