"""A corpus's folder: records as JSON lines and as Parquet, a dataset card, a file and an index for other trainers."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from teachwhy.corpora.audit import Audit, audit
from teachwhy.corpora.corpus import Corpus, corpus_names, load_corpus, texts_address
from teachwhy.corpora.formats import (
    columns,
    has_tools,
    llama_factory,
    misread,
    turned_away,
    with_nulls,
    write_parquet,
    write_strings,
)
from teachwhy.corpora.records import write_jsonl
from teachwhy.corpora.stages import Usage, reasons
from teachwhy.errors import StoreError
from teachwhy.hashing import digest
from teachwhy.inert import Md, code, escaped, fenced

if TYPE_CHECKING:
    from teachwhy.corpora.recipes.build import Made, StageReport

OURS = "CC0-1.0. The texts are teachwhy's own."
YOURS = "Yours to choose. Check the terms of your model provider on what its output may be used for."

FILES = ("records.jsonl", "records.parquet", "trainers.jsonl", "README.md", "dataset_info.json")


@dataclass(frozen=True)
class Card:
    """What a dataset card says besides what the records themselves show.

    Attributes:
        ours: it is our text, under CC0.
        canary: the string by which the corpus is found again.
        lineage: what it was made from, and the address of each.
        made: how a recipe made it; None for a corpus that ships.
        constitution: title of the text that its recipe read.
    """

    corpus: Corpus
    ours: bool
    canary: str
    lineage: tuple[tuple[str, str], ...]
    made: "Made | None" = None
    constitution: str = ""

    @property
    def name(self) -> str:
        return self.corpus.name

    @property
    def entry(self) -> str:
        """The name in LLaMA-Factory's index, which takes a comma for the beginning of another."""
        return re.sub(r"[^\w.-]+", "-", self.name).strip("-") or "records"

    @property
    def summary(self) -> str:
        return self.corpus.summary

    @property
    def form(self) -> str:
        return self.corpus.form

    @property
    def dealt(self) -> bool:
        return self.corpus.dealt

    @property
    def licence(self) -> str:
        return OURS if self.ours else YOURS


def canary(address: str) -> str:
    """A string that stands nowhere else: who finds it in a text or a model's mouth has found this corpus."""
    return f"teachwhy-canary-{digest(['canary', address])[:32]}"


def publish(folder: Path, card: Card) -> Path:
    """Write a corpus's folder, each file whole, ``records.jsonl`` last: who finds it finds all of it.

    Returns:
        The path of ``records.jsonl``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    records = card.corpus.records
    index = json.dumps(llama_factory(card.entry, records), indent=2)
    _whole(folder / "records.parquet", lambda path: write_parquet(path, records))
    _whole(folder / "trainers.jsonl", lambda path: write_strings(path, records))
    _whole(folder / "dataset_info.json", lambda path: path.write_text(f"{index}\n", "utf-8"))
    _whole(folder / "README.md", lambda path: path.write_text(card_text(card), "utf-8"))
    _whole(folder / "records.jsonl", lambda path: write_jsonl(path, records))
    return folder / "records.jsonl"


def _whole(path: Path, write: Callable[[Path], Any]) -> None:
    temporary = path.with_suffix(".partial")
    write(temporary)
    temporary.replace(path)


def card_text(card: Card) -> str:
    """The dataset card in Markdown, with the front matter that the Hugging Face hub reads."""
    records, made = card.corpus.records, card.made
    checked = audit(card.corpus)
    text: str = _template().render(
        card=card,
        front=Md(yaml.safe_dump(_front(card), sort_keys=False, allow_unicode=True)),
        records=len(records),
        schema=_schema(card),
        meta=Md(", ".join(map(code, sorted({key for record in records for key in record.meta}))) or "nothing"),
        tools=has_tools(records),
        entry=card.entry,
        models=list(made.asked.items()) if made else [],
        spec=yaml.safe_dump(_declared(made), sort_keys=False, allow_unicode=True).rstrip() if made else "",
        total=made.spent if made else Usage(),
        aside=sum((stage.aside for stage in made.stages), Usage()) if made else Usage(),
        lineage=[*card.lineage, ("records, in order", card.corpus.address)],
        audit=checked,
        limits=_limits(card, checked),
    )
    return text


def _declared(made: "Made") -> dict[str, Any]:
    """The declaration without what it leaves at its default, and of its paths only the names of the files."""
    said = made.spec.model_dump(mode="json", exclude_defaults=True)
    named = {key: Path(said[key]).name for key in ("constitution", "deck") if key in said}
    replaced = {stage: Path(path).name for stage, path in made.spec.replace.items()}
    return said | named | ({"replace": replaced} if replaced else {})


def _front(card: Card) -> dict[str, Any]:
    count = len(card.corpus.records)
    sizes = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))
    licence = {"license": "cc0-1.0"} if card.ours else {"license": "other", "license_name": "see-the-card"}
    return {
        "pretty_name": card.name,
        **licence,
        **({"language": ["en"]} if card.ours or card.made else {}),
        "task_categories": ["text-generation"],
        "size_categories": [next((name for most, name in sizes if count < most), "100K<n<1M")],
        "tags": ["teachwhy", "synthetic", card.form],
        # One configuration only: datasets reads all of a folder's by the format of the first.
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "records.parquet"}]}],
    }


_COLUMNS = {
    "id": ("string", "a name that no other record has"),
    "messages": ("list of JSON", "the conversation: role, content, tool_calls where there are any"),
    "tools": ("list of JSON", "function schemas at hand, as chat templates take them"),
    "text": ("string", "the document"),
    "meta": ("JSON", "where the record comes from; never trained on"),
}


def _schema(card: Card) -> list[dict[str, str]]:
    return [
        {"name": name, "type": _COLUMNS[name][0], "about": _COLUMNS[name][1]} for name in columns(card.corpus.records)
    ]


def _limits(card: Card, checked: Audit) -> list[str]:
    records = card.corpus.records
    limits = []
    if card.made:
        limits.append("Written by the models named here and read by nobody, unless somebody says so.")
        limits.append("What a stage let pass was judged by these models; no judge among them was calibrated.")
    elif card.ours:
        limits.append("Written by a language model; small, in one language, and of few voices (docs/corpora.md).")
    if failed := [check.name for check in checked.failed]:
        limits.append(f"The audit fails: {', '.join(failed)}.")
    if lost := misread(records):
        limits.append(
            f"In {len(lost)} records Hugging Face datasets reads a number otherwise than it is written: its reader "
            f"rounds some fractions and refuses whole numbers above 64 bits. The first: {lost[0]}. teachwhy reads all."
        )
    if null := with_nulls(records):
        limits.append(
            f"{len(null)} records have a null in a call or a tool. axolotl leaves it out with its key; the column "
            f"plain of trainers.jsonl keeps it. The first: {null[0]}."
        )
    if away := turned_away(records):
        limits.append(
            f"{len(away)} records do not alternate between asked and answered in each of the forms that LLaMA-Factory "
            f"reads; there it leaves them out and says so. The first: {away[0]}."
        )
    return limits


def _failures(stage: "StageReport") -> str:
    return ", ".join(f"{count} {cause}" for cause, count in sorted(stage.failed.items())) or "none"


def _dollars(usage: Usage) -> str:
    if not usage.calls:
        return "none"
    if usage.unpriced == usage.calls:
        return "cost not known (no prices were given)"
    rest = f", without {usage.unpriced:,} replies of unknown price" if usage.unpriced else ""
    return f"${usage.dollars:,.4f}{rest}"


def _paid(usage: Usage) -> str:
    return _dollars(usage) if usage.calls > usage.unpriced else "not known" if usage.calls else "none"


@cache
def _template() -> Any:
    """Whatever the template prints is escaped, unless a filter has made it Markdown already."""
    finalize = lambda value: value if isinstance(value, Md) else escaped(str(value))  # noqa: E731
    made = Environment(
        loader=PackageLoader("teachwhy.corpora", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        finalize=finalize,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "code": code,
        "fenced": fenced,
        "failures": _failures,
        "reasons": reasons,
        "dollars": _dollars,
        "paid": _paid,
    }
    return made.get_template("card.md.j2")


def build_corpus(name: str, folder: Path) -> Path:
    """Write a corpus that ships, or a file of records, into a folder.

    Returns:
        The path of ``records.jsonl``; the other ``FILES`` lie beside it.

    Raises:
        CorpusError: unknown name, or a malformed file.
        StoreError: the folder cannot be written.
    """
    corpus = load_corpus(name)
    ours = corpus.name in corpus_names()
    written = corpus if ours else replace(corpus, name=Path(corpus.name).stem)
    lineage = (("texts and recipes of the corpora that ship", texts_address()),) if ours else ()
    try:
        return publish(folder, Card(written, ours, canary(corpus.address), lineage))
    except OSError as error:
        raise StoreError(f"the corpus cannot be written: {error.strerror}", where=folder) from error
