"""Recipe ``agent-basics``: benign errands that one tool call finishes, so that a model learns the form of a call.

Cards with tools of the library -> errand with its call -> check against the schema.
"""

import json
import random
from typing import Any

from pydantic import Field

from teachwhy.corpora.recipes.recipe import Bench, Recipe, Step
from teachwhy.corpora.recipes.spec import Declared
from teachwhy.corpora.records import Record, tool_call
from teachwhy.corpora.stages import Row, RowFailure
from teachwhy.corpora.toolbox import fitting, schemas
from teachwhy.hashing import seed_of


class Options(Declared):
    """Settings of the recipe. ``tools``: tool definitions at hand in each errand; one of them is needed."""

    tools: int = Field(default=3, ge=1, le=10)


def _rows(bench: Bench) -> list[Row]:
    rows = []
    for row in bench.cards(names=2):
        pick = random.Random(seed_of("tools", bench.spec.seed, row["id"]))
        field = fitting(row.get("sector", ""))
        needed = pick.choice(field)
        at_hand = field if len(field) >= bench.options.tools else schemas()
        tools = [needed, *pick.sample([tool for tool in at_hand if tool != needed], k=bench.options.tools - 1)]
        pick.shuffle(tools)
        shown = json.dumps(needed["function"], ensure_ascii=False, indent=1)
        rows.append(row | {"tools": tools, "tool": needed["function"]["name"], "schema": shown})
    return rows


def _called(row: Row) -> list[Row]:
    """The row with its call, held against the schema: what a model made up is never taught as a call."""
    try:
        arguments: Any = json.loads(row["arguments"])
    except ValueError:
        raise RowFailure("malformed", f"the arguments are not JSON: {row['arguments'][:120]!r}") from None
    function = next(tool["function"] for tool in row["tools"] if tool["function"]["name"] == row["tool"])
    known, required = function["parameters"]["properties"], function["parameters"].get("required", [])
    if not isinstance(arguments, dict) or set(arguments) - set(known) or set(required) - set(arguments):
        raise RowFailure("malformed", f"the arguments do not fit {row['tool']}: {row['arguments'][:120]!r}")
    return [row | {"call": arguments}]


def _steps(bench: Bench) -> list[Step]:
    return [
        bench.ask("errand", optional=False),
        bench.code("call", _called, needs=("arguments", "tool", "tools"), gives=("call",), optional=False),
    ]


def _record(row: Row, bench: Bench) -> Record:
    before = row["answer"] if row.get("shape") != "one call" else ""
    reply = {"role": "assistant", "content": before, "tool_calls": [tool_call(row["tool"], row["call"])]}
    return Record(id=row["id"], messages=[{"role": "user", "content": row["user"]}, reply], tools=row["tools"])


RECIPE = Recipe(
    name="agent-basics",
    form="chat",
    summary="Benign errands finished by one tool call, so that a small model learns the form of a call.",
    rows=_rows,
    start=lambda bench: (*bench.card_variables(names=2), "tools", "tool", "schema"),
    steps=_steps,
    record=_record,
    finished=("user", "answer", "call"),
    options=Options,
)
