"""Recipe ``as-chat``: any corpus of documents turned to question and answer, with the same content.

Each document -> questions that it answers, with answers that hold what it says -> check. For comparing formats: the
same content, taught as text and taught as talk.
"""

from pydantic import Field

from teachwhy.corpora.corpus import load_corpus
from teachwhy.corpora.recipes.checks import clean
from teachwhy.corpora.recipes.recipe import Bench, Recipe, Step
from teachwhy.corpora.recipes.spec import Declared
from teachwhy.corpora.records import Record
from teachwhy.corpora.stages import Row
from teachwhy.errors import CorpusError


class Options(Declared):
    """Settings of the recipe.

    Attributes:
        corpus: the documents: a corpus by name, or a ``.jsonl`` file.
        pairs: questions to each document. ``count`` is of documents.
    """

    corpus: str = "documents"
    pairs: int = Field(default=3, ge=1, le=10)


_UNWANTED = ("links", "placeholders")


def _rows(bench: Bench) -> list[Row]:
    corpus = load_corpus(bench.options.corpus)
    if corpus.form != "documents":
        mend = "name one that is taught as documents"
        raise CorpusError(f"'{corpus.name}' holds conversations", where="options.corpus", mend=mend)
    taken = corpus.records[: bench.spec.count]
    return [{"id": f"as-chat/{r.id}", "of": r.id, "document": r.text, "pairs": str(bench.options.pairs)} for r in taken]


def _steps(bench: Bench) -> list[Step]:
    fan = bench.options.pairs
    return [
        bench.ask("pairs", fan=fan, keep=fan, optional=False),
        bench.code("check", clean(("answer",), _UNWANTED), needs=("answer",), parts=_UNWANTED),
    ]


def _record(row: Row, bench: Bench) -> Record:
    turns = [{"role": "user", "content": row["question"]}, {"role": "assistant", "content": row["answer"]}]
    return Record(id=row["id"], messages=turns, meta={"of": row["of"]})


RECIPE = Recipe(
    name="as-chat",
    form="chat",
    summary="A corpus of documents as questions and answers with the same content, to compare formats.",
    rows=_rows,
    start=lambda bench: ("id", "of", "document", "pairs"),
    steps=_steps,
    record=_record,
    finished=("question", "answer"),
    options=Options,
)
