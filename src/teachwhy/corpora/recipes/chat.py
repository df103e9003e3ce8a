"""What recipes of single exchanges share: message -> answer -> rewrite -> check -> score, and the record of it."""

from collections.abc import Sequence

from pydantic import Field

from teachwhy.corpora.recipes.checks import clean
from teachwhy.corpora.recipes.recipe import Bench, Step
from teachwhy.corpora.recipes.spec import Declared
from teachwhy.corpora.stages import Row


class Options(Declared):
    """Settings of the recipe. ``at_least``: the judge's score (1 to 10) below which a record is dropped."""

    at_least: int = Field(default=6, ge=1, le=10)


def answered(bench: Bench, *, unwanted: Sequence[str]) -> list[Step]:
    """The steps of an exchange. ``unwanted``: the kinds of ``checks.yaml`` for which a record is dropped."""
    said = ("user", "answer")
    return [
        bench.ask("message", optional=False),
        bench.ask("answer", optional=False),
        bench.ask("rewrite-answer"),
        bench.code("check", clean(said, unwanted), needs=said, parts=list(unwanted)),
        bench.score("score", at_least=bench.options.at_least),
    ]


def conversation(row: Row) -> list[dict[str, str]]:
    """The messages of a row: a system prompt if it has one, the first turn, and the second if it has one."""
    said = [("system", "system"), ("user", "user"), ("assistant", "answer"), ("user", "more"), ("assistant", "second")]
    return [{"role": role, "content": row[key]} for role, key in said if row.get(key)]
