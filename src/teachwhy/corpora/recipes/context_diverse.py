"""Recipe ``context-diverse``: conversations among tools that are never needed and under varied system prompts.

No model is asked. The user's message and the answer stay as they are, word for word; only what stands around them
changes, from the library of tool schemas and system prompts.
"""

import random

from pydantic import Field

from teachwhy.corpora.corpus import load_corpus
from teachwhy.corpora.recipes.recipe import Bench, Recipe
from teachwhy.corpora.recipes.spec import Declared
from teachwhy.corpora.records import Record
from teachwhy.corpora.stages import Row
from teachwhy.corpora.toolbox import schemas, system_prompts
from teachwhy.errors import CorpusError
from teachwhy.hashing import seed_of


class Options(Declared):
    """Settings of the recipe.

    Attributes:
        corpus: the conversations: a corpus by name, or a ``.jsonl`` file. ``count`` is of these.
        tools: at most so many tool definitions in each; a twin has at least one.
        twins: contexts for each conversation.
    """

    corpus: str = "harmlessness"
    tools: int = Field(default=6, ge=1, le=20)
    twins: int = Field(default=1, ge=1, le=10)


def _rows(bench: Bench) -> list[Row]:
    corpus = load_corpus(bench.options.corpus)
    if corpus.form != "chat":
        raise CorpusError(f"'{corpus.name}' holds documents", where="options.corpus", mend="name a corpus of chats")
    return [
        {"id": f"context-diverse/{r.id}/{twin}", "of": r.id, "messages": r.messages}
        for r in corpus.records[: bench.spec.count]
        for twin in range(bench.options.twins)
    ]


def _record(row: Row, bench: Bench) -> Record:
    pick = random.Random(seed_of("context", bench.spec.seed, row["id"]))
    operator = pick.choice(system_prompts())
    fitting = [schema for sector in operator.sectors for schema in schemas(sector)]
    tools = pick.sample(fitting, k=min(len(fitting), pick.randint(1, bench.options.tools)))
    said = [message for message in row["messages"] if message["role"] != "system"]
    return Record(
        id=row["id"],
        messages=[{"role": "system", "content": operator.text}, *said],
        tools=tools,
        meta={"of": row["of"], "system_prompt": operator.name},
    )


RECIPE = Recipe(
    name="context-diverse",
    form="chat",
    summary="Conversations of another corpus among unused tools and varied system prompts; no model is asked.",
    rows=_rows,
    start=lambda bench: ("id", "of", "messages"),
    steps=lambda bench: [],
    record=_record,
    finished=("messages",),
    options=Options,
)
