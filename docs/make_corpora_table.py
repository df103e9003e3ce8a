"""Writes the generated table of docs/corpora.md, from the corpora: python docs/make_corpora_table.py"""

from pathlib import Path

from teachwhy.corpora.corpus import Corpus, corpus_names, load_corpus

PAGE = Path(__file__).with_name("corpora.md")
BEGIN, END = "<!-- corpora: made by docs/make_corpora_table.py -->", "<!-- end of corpora -->"


def corpora_table() -> str:
    """All corpora that ship, one a line."""
    head = ["| corpus | taught as | records | words taught | what it is |", "|---|---|---:|---:|---|"]
    return "\n".join([*head, *(_row(load_corpus(name)) for name in corpus_names())])


def _row(corpus: Corpus) -> str:
    words = sum(len(record.taught().split()) for record in corpus.records)
    return f"| `{corpus.name}` | {corpus.form} | {len(corpus.records):,} | {words:,} | {corpus.summary} |"


def page_with_table(page: str) -> str:
    """The page's text with its table made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{corpora_table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text("utf-8")), "utf-8")
