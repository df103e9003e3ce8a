"""The models of a recipe: one a role, asked with retries, and a meter of what they cost."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import yaml
from inspect_ai.model import (
    ChatMessage,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
)
from inspect_ai.tool import ToolInfo

from teachwhy.corpora.recipes.prompt import Prompt, Role
from teachwhy.corpora.stages import RowFailure, Usage, spend
from teachwhy.errors import CorpusError, TeachwhyError, nearest
from teachwhy.hashing import file_digest
from teachwhy.models.folder import weights_hash
from teachwhy.models.reach import open_model
from teachwhy.models.registry import find_model

SCRIPTED = "teachwhy_scripted"

_TOO_MANY = re.compile(r"\b429\b")


class Priced(Protocol):
    """US dollars for a million tokens."""

    @property
    def input(self) -> float: ...

    @property
    def output(self) -> float: ...


@dataclass
class Meter:
    """What was asked for so far, by stage.

    Attributes:
        calls: stage -> replies that were paid for.
        tokens_in, tokens_out: stage -> tokens read and written, as the endpoint counts them.
        cost: stage -> US dollars, where prices are known.
        earlier: what earlier runs of the same build took.
    """

    calls: dict[str, int] = field(default_factory=dict)
    tokens_in: dict[str, int] = field(default_factory=dict)
    tokens_out: dict[str, int] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)
    earlier: Usage = field(default_factory=Usage)

    def begin(self, earlier: Usage) -> None:
        """A new run begins, after others that took this."""
        for counted in (self.calls, self.tokens_in, self.tokens_out, self.cost):
            counted.clear()
        self.earlier = earlier

    def add(self, stage: str, read: int, written: int, price: Priced | None) -> None:
        """One reply."""
        self.calls[stage] = self.calls.get(stage, 0) + 1
        self.tokens_in[stage] = self.tokens_in.get(stage, 0) + read
        self.tokens_out[stage] = self.tokens_out.get(stage, 0) + written
        paid = (read * price.input + written * price.output) / 1e6 if price else 0.0
        if price:
            self.cost[stage] = self.cost.get(stage, 0.0) + paid
        spend(Usage(1, read, written, paid, unpriced=0 if price else 1))

    @property
    def tokens(self) -> int:
        """Tokens of this run, read and written."""
        return sum(self.tokens_in.values()) + sum(self.tokens_out.values())

    @property
    def dollars(self) -> float:
        """The cost of this run, where prices are known."""
        return sum(self.cost.values())


@dataclass(frozen=True)
class Budget:
    """What may be spent on a corpus in all its runs; None is no limit."""

    tokens: int | None = None
    dollars: float | None = None

    def exceeded(self, tokens: float, dollars: float) -> str | None:
        """Which limit this is above, in words."""
        if self.tokens is not None and tokens > self.tokens:
            return f"{tokens:,.0f} tokens, and the budget is {self.tokens:,}"
        if self.dollars is not None and dollars > self.dollars:
            return f"${dollars:,.2f}, and the budget is ${self.dollars:,.2f}"
        return None


@dataclass(frozen=True)
class Generators:
    """The models of a recipe by role.

    Attributes:
        names: role -> model name. A role without one is the writer's.
        prices: role -> price.
        budget: beyond it nothing more is asked.
        config: how every model is asked, where a prompt does not say otherwise.
        models: role -> Inspect model: those that were reached so far, or given in place of a name.
    """

    names: Mapping[str, str]
    prices: Mapping[str, Priced] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    config: GenerateConfig = field(default_factory=GenerateConfig)
    models: dict[str, Model] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)

    def player(self, role: Role) -> str:
        """The role whose model this role's work is given to: its own where it has one, else the writer's."""
        return role if role in self.names or role in self.models else "writer"

    def model(self, role: Role) -> Model:
        """The model of a role.

        Raises:
            ModelError: its provider lacks a package or a key.
        """
        player = self.player(role)
        if player not in self.models:
            self.models[player] = open_model(self.names[player])
        return self.models[player]

    def identity(self, role: Role) -> str:
        """What decides this role's replies: the weights of a local model, what a script says, or an endpoint's name.

        Nothing is loaded.
        """
        player = self.player(role)
        if player not in self.names:  # a model given in place of a name
            given = self.models[player]
            weights = getattr(given.api, "weights_hash", None)
            return str(weights()) if weights else str(given)
        found = find_model(self.names[player])
        provider, _, script = found.inspect_name.partition("/")
        if provider == SCRIPTED and Path(script).is_file():
            return f"{SCRIPTED}/{Path(script).name}, {file_digest(Path(script))}"
        return weights_hash(found.folder) if found.folder else found.inspect_name

    async def ask(self, stage: str, prompt: Prompt, values: Mapping[str, str], *, seed: int) -> list[dict[str, str]]:
        """Put a filled prompt and read its reply.

        Raises:
            RowFailure: the endpoint failed, the model refused, was cut off, or broke the format.
            TeachwhyError: the budget is spent.
        """
        turns = {"system": ChatMessageSystem, "user": ChatMessageUser}
        messages = [turns[role](content=text) for role, text in prompt.filled(values)]
        output = await self.reply(stage, prompt.meta.role, messages, prompt.meta, seed=seed)
        return prompt.parse(output.completion)

    async def reply(
        self,
        stage: str,
        role: Role,
        messages: Sequence[ChatMessage],
        asked: "Asked",
        *,
        seed: int,
        tools: Sequence[ToolInfo] = (),
    ) -> ModelOutput:
        """One whole reply of a role's model. Raises as ``ask``."""
        before = self.meter.earlier
        if over := self.budget.exceeded(self.meter.tokens + before.tokens, self.meter.dollars + before.dollars):
            mend = "raise the budget and run it again: what is done is kept"
            raise TeachwhyError(f"the budget is spent: {over}", where=f"stage '{stage}'", mend=mend)
        own = GenerateConfig(temperature=asked.temperature, max_tokens=asked.max_tokens, seed=seed % 2**31)
        try:
            output = await self.model(role).generate(list(messages), tools=list(tools), config=self.config.merge(own))
        except Exception as error:  # whatever an endpoint raises is this row's failure, with its cause
            raise RowFailure(cause_of(error), f"{type(error).__name__}: {error}") from error
        self._count(stage, role, output)
        _check(output, refuses=asked.refuses)
        return output

    def _count(self, stage: str, role: Role, output: ModelOutput) -> None:
        usage = output.usage
        read, written = (usage.input_tokens, usage.output_tokens) if usage else (0, 0)
        self.meter.add(stage, read, written, self.prices.get(role) or self.prices.get("writer"))


class Asked(Protocol):
    """How a model is asked, and whether a reply that declines is a result."""

    @property
    def temperature(self) -> float: ...

    @property
    def max_tokens(self) -> int: ...

    @property
    def refuses(self) -> bool: ...


def _check(output: ModelOutput, *, refuses: bool) -> None:
    """A reply that is none: the cause is counted, and the row is tried again by the next run."""
    if not output.choices or output.error:
        raise RowFailure("error", output.error or "the endpoint sent no reply")
    if output.stop_reason == "content_filter":
        raise RowFailure("refused", "the endpoint's filter took the reply away")
    if output.stop_reason in ("max_tokens", "model_length"):
        raise RowFailure("cut off", f"the reply was cut off: ...{output.completion[-120:]!r}")
    if not refuses and refusal(output.completion):
        raise RowFailure("refused", output.completion[:160])


@cache
def _refusals() -> re.Pattern[str]:
    text = resources.files("teachwhy.corpora").joinpath("refusals.yaml").read_text("utf-8")
    return re.compile("|".join(f"(?:{p})" for p in yaml.safe_load(text)["opens"]), re.IGNORECASE)


def refusal(text: str) -> bool:
    """Does the text open as a generator's refusal does? Only its first words count: a story may hold a refusal."""
    return bool(_refusals().match(text.strip()[:200].replace("\u2019", "'")))


def cause_of(error: BaseException) -> str:
    """The cause of a call that failed: ``rate limit``, ``timeout`` or ``error``, from the error and what led to it."""
    chain = []
    reason: BaseException | None = error
    while reason is not None:
        chain.append(reason)
        reason = reason.__cause__
    names = " ".join(type(e).__name__.lower() for e in chain)
    if "ratelimit" in names or any(getattr(e, "status_code", None) == 429 or _TOO_MANY.search(str(e)) for e in chain):
        return "rate limit"
    return "timeout" if "timeout" in names else "error"


def check_names(names: Mapping[str, str], roles: Sequence[str], *, needed: bool = True) -> None:
    """Check the models by role. ``needed``: the recipe asks models, so it needs a writer.

    Raises:
        CorpusError: a role that no recipe has, or no writer.
        ModelError: a name that means nothing.
    """
    for role in names:
        if role not in roles:
            raise CorpusError(f"unknown role '{role}'", where="models", mend=nearest(role, roles))
    if needed and "writer" not in names:
        raise CorpusError("no model writes", where="models", mend="name one: models: {writer: openai/...}")
    for name in names.values():
        find_model(name)


def tool_infos(schemas: Sequence[dict[str, Any]]) -> list[ToolInfo]:
    """Function schemas as Inspect takes them."""
    return [ToolInfo.model_validate(schema["function"]) for schema in schemas]
