"""A bank for another constitution, written by a model, question by question, and read by the loader of every bank.

What the model writes is text to be checked, never trusted: a question that the loader refuses, that repeats another,
or whose right option shows by its length is dropped and counted. It is a draft for a person to read.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from pathlib import Path
from statistics import mean

from inspect_ai.model import GenerateConfig, Model
from rapidfuzz import fuzz

from teachwhy.constitution import Constitution
from teachwhy.corpora.stages import Row, Stage, run_stages
from teachwhy.errors import StoreError, TeachwhyError, TextError, UserError, nearest
from teachwhy.evals.understanding.bank import (
    TYPES,
    BankMeta,
    Names,
    Question,
    Type,
    load_bank,
    parse_question,
    question_markdown,
    section_hash,
)
from teachwhy.evals.understanding.judge import RubricMeta
from teachwhy.hashing import digest, file_digest, seed_of
from teachwhy.models.reach import open_model
from teachwhy.texts import Text, load_text

RECIPE = 1
"""Raised when other questions would come of the same model and constitution."""

COUNTS: dict[Type, int] = {"choice": 4, "short": 4, "false-premise": 3, "open": 3}
"""Questions asked for of each type and section."""

ALIKE = 90.0
"""Two questions whose words are this alike (0 to 100) are one question."""
LONGER = 1.5
"""A right option so many times longer, or shorter, than the mean wrong one shows by its length."""

_HEADING = re.compile(r"^##[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_MAX_TOKENS = 4096

Tick = Callable[[int, int], None]


@dataclass(frozen=True)
class Written:
    """What came of writing a bank.

    Attributes:
        path: the folder of the bank.
        kept: questions of each type that are in it.
        dropped: cause -> questions that are not: malformed, repeated, shows by length; or whole replies: no question,
            cut off, filtered.
        empty: ids of sections on which no question is left.
        why: the first faults, in words.
    """

    path: Path
    kept: dict[str, int]
    dropped: dict[str, int]
    empty: tuple[str, ...]
    why: tuple[str, ...]


@cache
def _texts() -> Text[RubricMeta]:
    return load_text(_texts_path(), RubricMeta)


def _texts_path() -> Path:
    return Path(str(resources.files("teachwhy.evals.understanding"))) / "writing.md"


def calls(constitution: Constitution, types: Sequence[Type] = TYPES) -> int:
    """How many times ``write_bank`` asks the model; each time it reads the whole constitution."""
    return len(constitution.sections) * len(types)


def write_bank(
    constitution: Constitution,
    model: str | Model,
    out: Path,
    *,
    types: Sequence[Type] = TYPES,
    counts: dict[Type, int] | None = None,
    concurrency: int = 8,
    tick: Tick | None = None,
) -> Written:
    """Let a model write a bank for a constitution, one file a section. A rerun asks only for what is missing.

    Args:
        model: a name that teachwhy or Inspect knows, or an Inspect model.
        out: the bank's folder; replies are kept below it in ``stages/``.
        counts: questions to ask for of each type and section; ``COUNTS`` for types that it does not name.
        concurrency: replies in flight at once.
        tick: told how many of how many replies there are.

    Raises:
        UserError: an unknown type, or a count below one.
        ModelError: the model's name means nothing.
        StoreError: the folder cannot be written.
        TeachwhyError: the model did not answer (replies until then are kept), or not one question could be kept.
    """
    wanted = COUNTS | (counts or {})
    for name in (*types, *wanted):
        if name not in TYPES:
            raise UserError(f"unknown type '{name}'", where="types", mend=nearest(name, TYPES))
    if low := [name for name in types if wanted[name] < 1]:
        raise UserError(f"{wanted[low[0]]} questions of type {low[0]}", where="counts", mend="ask for at least one")
    rows: list[Row] = [
        {"section": section.id, "type": name, "count": wanted[name]}
        for section in constitution.sections
        for name in types
    ]
    writer = open_model(model)
    try:
        replies = asyncio.run(_replies(constitution, writer, rows, out, concurrency, tick))
        return _assembled(constitution, replies, out)
    except OSError as error:
        raise StoreError(f"the bank cannot be written: {error.strerror}", where=out) from error


async def _replies(
    constitution: Constitution, model: Model, rows: list[Row], out: Path, concurrency: int, tick: Tick | None
) -> list[Row]:
    done = 0

    async def write(row: Row) -> list[Row]:
        nonlocal done
        made = await _reply(constitution, model, row)
        done += 1
        if tick:
            tick(done, len(rows))
        return [made]

    weights = getattr(model.api, "weights_hash", None)
    identity = weights() if weights else str(model)
    address = digest([RECIPE, file_digest(_texts_path()), identity, constitution.address])
    return await run_stages(rows, [Stage("write", address, write)], out / "stages", concurrency=concurrency)


async def _reply(constitution: Constitution, model: Model, row: Row) -> Row:
    config = GenerateConfig(temperature=1.0, max_tokens=_MAX_TOKENS, seed=seed_of("bank", row) % 2**31)
    try:
        output = await model.generate(_prompt(constitution, row), config=config)
    except Exception as error:  # whatever an endpoint raises
        mend = "mend the cause and run it again: what was written until then is kept"
        raise TeachwhyError(f"the model did not answer: {error}", where=str(model), mend=mend) from error
    return row | {"reply": output.completion, "stop": output.stop_reason}


def _prompt(constitution: Constitution, row: Row) -> str:
    texts = _texts().sections
    values = {
        "text": constitution.text,
        "section": constitution.section(row["section"]).text,
        "count": str(row["count"]),
        "type": texts[row["type"]],
        "example": _example(row["type"]),
    }
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), texts["task"])


def _example(type_: str) -> str:
    """The example of a type. It stands in the texts under its own heading, which the loader took for a section's."""
    texts = _texts().sections
    names = list(texts)
    heading = names[names.index(f"{type_} example") + 1]
    return f"## {heading}\n{texts[heading]}"


def _assembled(constitution: Constitution, replies: list[Row], out: Path) -> Written:
    dropped: Counter[str] = Counter()
    why: list[str] = []
    kept: list[Question] = []
    for reply in replies:
        found, faults = _questions(reply)
        for question in found:
            if fault := _fault(question, kept):
                faults.append((fault, f"{question.id}: {question.ask}"))
            else:
                kept.append(_own_id(question, kept))
        dropped.update(cause for cause, _ in faults)
        why += [f"{reply['section']}, {reply['type']}: {cause}: {said}" for cause, said in faults]
    if not kept:
        raise TeachwhyError(
            "not one question could be kept" + (f"; the first fault: {why[0]}" if why else ""),
            where=out,
            mend="take a more able model",
        )
    _write(out, {id: _file(constitution, id, [q for q in kept if q.section == id]) for id in constitution.ids})
    load_bank(out, constitution)
    empty = tuple(id for id in constitution.ids if all(q.section != id for q in kept))
    counted = Counter(question.type for question in kept)
    by_type: dict[str, int] = {name: counted[name] for name in TYPES if counted[name]}
    return Written(out, by_type, dict(sorted(dropped.items())), empty, tuple(why[:20]))


def _questions(reply: Row) -> tuple[list[Question], list[tuple[str, str]]]:
    """The sound questions of a reply, and (cause, what) of what is not sound."""
    if reply["stop"] == "content_filter":
        return [], [("filtered", "the endpoint took the reply away")]
    pieces = _HEADING.split(reply["reply"])
    headings, bodies = pieces[1::2], pieces[2::2]
    found: list[Question] = []
    faults: list[tuple[str, str]] = []
    if reply["stop"] in ("max_tokens", "model_length"):
        faults.append(("cut off", "the last question is dropped"))
        headings, bodies = headings[:-1], bodies[:-1]
    if not headings:
        return [], [*faults, ("no question", reply["reply"][:200])]
    for heading, body in zip(headings, bodies, strict=True):
        try:
            question = parse_question(heading, _unfenced(body), reply["section"], "the model's reply")
        except TextError as error:
            faults.append(("malformed", str(error)))
            continue
        if question.type == reply["type"]:
            found.append(question)
        else:
            faults.append(("malformed", f"{heading}: another type was asked for"))
    return found, faults


def _unfenced(body: str) -> str:
    """The body without the rule or fence with which a model may end it."""
    return re.sub(r"\n(?:---+|```)\s*\Z", "\n", body.rstrip() + "\n")


def _fault(question: Question, kept: Sequence[Question]) -> str | None:
    """Why a well-formed question is not kept, if so."""
    filled = partial(Names("Pelle", "Acme").fill, form="you")
    asked = filled(question.ask).lower()
    if any(fuzz.token_sort_ratio(asked, filled(other.ask).lower()) >= ALIKE for other in kept):
        return "repeated"
    if question.options:
        right, wrong = len(question.options[0]), mean(len(option) for option in question.options[1:])
        if not wrong / LONGER <= right <= wrong * LONGER:
            return "shows by length"
    return None


def _own_id(question: Question, kept: Sequence[Question]) -> Question:
    """The question with an id that none of those kept has."""
    taken = {other.id for other in kept}
    numbers = (f"{question.id}-{number}" for number in range(2, len(taken) + 3))
    id = next(id for id in (question.id, *numbers) if id not in taken)
    return Question(id, question.section, question.type, question.ask, question.options, question.key)


def _file(constitution: Constitution, section: str, questions: Sequence[Question]) -> str:
    """The text of one section's file; empty where there is no question."""
    if not questions:
        return ""
    meta = BankMeta(
        section=section,
        text=section_hash(constitution.section(section)),
        constitution=constitution.address,
        language=constitution.front.language,
    )
    # In quotes: YAML would read a hash of digits as a number, and the language no as false.
    front = "\n".join(f'{key}: "{value}"' for key, value in meta.model_dump(exclude_none=True).items())
    return f"---\n{front}\n---\n" + "\n".join(question_markdown(question) for question in questions)


def _write(out: Path, files: dict[str, str]) -> None:
    """Write the files that there are. A bank that was edited, or another one, is never written over."""
    wanted = {out / f"{section}.md": text for section, text in files.items() if text}
    for path in sorted(out.glob("*.md")):
        if path not in wanted or path.read_text("utf-8") != wanted[path]:
            mend = "give another folder, or move the file away"
            raise UserError("the folder holds a bank file that this run has not written", where=path, mend=mend)
    for path, text in wanted.items():
        temporary = path.with_suffix(".partial")
        temporary.write_text(text, "utf-8")
        temporary.replace(path)
