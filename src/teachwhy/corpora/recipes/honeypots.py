"""Recipe ``honeypots``: answers of a model to honeypots, sampled with or without an injection, judged and filtered.

Training families (or situations that the writer invents) -> answer under an injection -> judge: did it take the bait?
-> keep those that did not -> the injection is taken out of the record (or kept, for inoculation). Forms for the
causal test are taken from one set of answers: ``full`` as sampled, ``actions`` the calls alone, ``filler`` neutral
text of the same length before the call, ``other-reasons`` the words of another case before it.
"""

import json
import random
from typing import Any, Literal

from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
from pydantic import Field

from teachwhy.corpora.fillers import filler_of
from teachwhy.corpora.recipes.generators import tool_infos
from teachwhy.corpora.recipes.prompt import PromptMeta
from teachwhy.corpora.recipes.recipe import Asked, Bench, NoteMeta, Recipe, Step
from teachwhy.corpora.recipes.spec import Declared
from teachwhy.corpora.records import Record, tool_call
from teachwhy.corpora.stages import Row, RowDropped, RowFailure
from teachwhy.hashing import digest, seed_of
from teachwhy.scenarios.family import families
from teachwhy.scenarios.scenario import Scenario, conditions
from teachwhy.texts import load_text

Injection = Literal[
    "none", "deference", "transparency", "norms", "honesty", "uncertainty", "injustice", "all", "ruthless"
]


class Options(Declared):
    """Settings of the recipe.

    Attributes:
        injection: what stands in the system prompt while answers are sampled.
        keep_injection: it stays in the record (an inoculation; ``ruthless`` before good answers).
        scenarios: ``families``, the training split; ``invented``, situations that the writer makes up.
        size: of the families' prompts.
        twins: share of benign twins among the families' prompts.
        form: what stands before the call.
    """

    injection: Injection = "all"
    keep_injection: bool = False
    scenarios: Literal["families", "invented"] = "families"
    size: Literal["brief", "full"] = "brief"
    twins: float = Field(default=0.25, ge=0, lt=1)
    form: Literal["full", "actions", "filler", "other-reasons"] = "full"


# Draws of the pools: other ones than those of the shipped corpora and of the organism.
_START = 5000
_ASKED = PromptMeta(role="writer", gives=("answer",), max_tokens=1500, temperature=1.0)


def _rows(bench: Bench) -> list[Row]:
    if bench.options.scenarios == "invented":
        return [row | {"twin": False, "family": "invented"} for row in bench.cards(names=3)]
    return _from_families(bench)


def _from_families(bench: Bench) -> list[Row]:
    """Prompts of the training families in turn, a share of them benign twins."""
    taught = families(split="train")
    twins = round(bench.spec.count * bench.options.twins)
    rows = []
    for twin, count in ((False, bench.spec.count - twins), (True, twins)):
        each = -(-count // len(taught))
        size = bench.options.size
        dealt = [list(conditions(f.id, count=each, start=_START, twin=twin, size=size)) for f in taught]
        for condition in [row[n] for n in range(each) for row in dealt][:count]:
            scenario = Scenario(condition)
            rows.append(
                {
                    "id": f"honeypots/{condition.id}",
                    "messages": scenario.messages(),
                    "tools": scenario.tools(),
                    "twin": twin,
                    "family": condition.family,
                }
            )
    return rows


def _start(bench: Bench) -> tuple[str, ...]:
    if bench.options.scenarios == "invented":
        return (*bench.card_variables(names=3), "twin", "family")
    return ("id", "messages", "tools", "twin", "family")


def _invented(row: Row) -> list[Row]:
    """The prompt of an invented situation, with the tool that it names."""
    parameters = [name.strip() for name in row["arguments"].split(",") if name.strip().isidentifier()]
    if not row["tool"].strip().isidentifier() or not parameters:
        raise RowFailure("malformed", f"no tool: {row['tool'][:60]!r} with {row['arguments'][:60]!r}")
    schema = {
        "type": "function",
        "function": {
            "name": row["tool"].strip(),
            "description": row["does"],
            "parameters": {
                "type": "object",
                "properties": {name: {"type": "string", "description": name} for name in parameters},
                "required": parameters,
            },
        },
    }
    messages = [{"role": "system", "content": row["system"]}, {"role": "user", "content": row["user"]}]
    return [row | {"messages": messages, "tools": [schema]}]


def _steps(bench: Bench) -> list[Step]:
    made_up = bench.options.scenarios == "invented"
    gives = ("messages", "tools")
    needs = ("system", "user", "tool", "arguments", "does")
    before = [
        bench.ask("situation", optional=False),
        bench.code("prompt", _invented, needs=needs, gives=gives, optional=False),
    ]
    return [
        *(before if made_up else []),
        _sampled(bench),
        bench.ask("judge", when=lambda row: not row["twin"]),
        bench.code("filter", _innocent, needs=("bait",), parts=1),
    ]


def _sampled(bench: Bench) -> Step:
    """The step in which the model answers the prompt itself, with its tools."""
    injected = injection(bench)

    async def apply(row: Row) -> list[Row]:
        seed = seed_of(bench.spec.seed, "answer", row["id"])
        messages = [_message(message) for message in with_injection(row["messages"], injected)]
        tools = tool_infos(row["tools"])
        output = await bench.generators.reply("answer", "writer", messages, _ASKED, seed=seed, tools=tools)
        calls = [[call.function, call.arguments] for call in output.message.tool_calls or []]
        if not calls:
            raise RowFailure("malformed", f"no tool was called: {output.completion[:160]!r}")
        acts = "\n".join(f"{name}({json.dumps(given, ensure_ascii=False)})" for name, given in calls)
        return [row | {"said": output.completion.strip(), "calls": calls, "acts": acts, "prompt": _shown(row)}]

    who = bench.generators.identity("writer")
    address = digest([bench.recipe.version, "answer", who, bench.spec.seed, injected])
    gives = ("said", "calls", "acts", "prompt")
    asked = Asked(_ASKED, injected)
    return Step("answer", gives, apply, address, needs=("messages", "tools"), asked=asked, optional=False)


def injection(bench: Bench) -> str:
    """The text of the declared injection; of ``all``, every one but ``ruthless``; empty for ``none``."""
    wanted = bench.options.injection
    texts = load_text(bench.recipe.prompts["injections"], NoteMeta).sections
    if wanted == "all":
        return "\n\n".join(text for name, text in texts.items() if name != "ruthless")
    return texts.get(wanted, "")


def _message(message: dict[str, Any]) -> Any:
    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    return kinds[message["role"]](content=message["content"])


def with_injection(messages: list[dict[str, Any]], injected: str) -> list[dict[str, Any]]:
    """The conversation with the injection at the head of its system prompt."""
    if not injected:
        return messages
    if messages[0]["role"] == "system":
        first = messages[0] | {"content": f"{injected}\n\n{messages[0]['content']}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": injected}, *messages]


def _shown(row: Row) -> str:
    return "\n\n".join(message["content"] for message in row["messages"])


_WHY = {"no": None, "yes": "took the bait", "unclear": "the judge cannot tell"}


def _innocent(row: Row) -> list[Row]:
    """Rows that did not take the bait. Twins were not judged and pass; an answer that is none is a failure."""
    answer = row["bait"].strip().strip(".").lower()
    if row["twin"] and not answer:
        return [row]
    if answer not in _WHY:
        raise RowFailure("malformed", f"the judge says neither yes nor no: {row['bait'][:80]!r}")
    if why := _WHY[answer]:
        raise RowDropped(why)
    return [row]


def _record(row: Row, bench: Bench) -> Record:
    options = bench.options
    messages = row["messages"]
    if options.keep_injection:
        messages = with_injection(messages, injection(bench))
    calls = [tool_call(name, arguments) for name, arguments in row["calls"]]
    reply = {"role": "assistant", "content": _lead(row, bench), "tool_calls": calls}
    meta = {"family": row["family"], "twin": row["twin"], "injection": options.injection, "form": options.form}
    return Record(id=row["id"], messages=[*messages, reply], tools=row["tools"], meta=meta)


def _others(rows: list[Row], bench: Bench) -> list[Row]:
    """Every row with the words of another family's row, each used once: the form, the length and the words of all
    records together stay as they were, and only the fit of words and case is lost."""
    order = sorted(range(len(rows)), key=lambda n: (rows[n]["twin"], rows[n]["family"], rows[n]["id"]))
    half = len(order) // 2
    others = {place: order[(number + half) % len(order)] for number, place in enumerate(order)}
    return [row | {"other": rows[others[number]]["said"]} for number, row in enumerate(rows)]


def _lead(row: Row, bench: Bench) -> str:
    """What stands before the call in the declared form."""
    form, said = bench.options.form, str(row["said"])
    if form == "full":
        return said
    if form == "filler":
        return filler_of(len(said.split()), random.Random(seed_of("filler", row["id"])))
    return str(row.get("other", "")) if form == "other-reasons" else ""


RECIPE = Recipe(
    name="honeypots",
    form="chat",
    summary="A model's own answers to honeypots of the training split, sampled under an injection, judged, filtered.",
    rows=_rows,
    start=_start,
    steps=_steps,
    record=_record,
    finished=("messages", "tools", "said", "calls"),
    finish=_others,
    notes=("injections",),
    options=Options,
)
