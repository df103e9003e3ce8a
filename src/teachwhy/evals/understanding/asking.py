"""Which questions are put, in which order their options stand, and the words in which a model reads them."""

import random
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from itertools import zip_longest
from pathlib import Path

from teachwhy.evals.understanding.bank import LETTERS, Form, Names, Question, Type
from teachwhy.evals.understanding.judge import RubricMeta
from teachwhy.hashing import seed_of
from teachwhy.texts import Text, load_text


@cache
def prompts() -> Text[RubricMeta]:
    """The texts around a question."""
    return load_text(Path(str(resources.files("teachwhy.evals.understanding"))) / "prompts.md", RubricMeta)


def chosen(questions: Sequence[Question], types: Sequence[Type], count: int | None, seed: int) -> list[Question]:
    """The questions of these types in the bank's order; with a count, a seeded subset spread over types and sections.

    Types take turns, each with its next section in a seeded order, so that a subset of any size is as even as the bank
    allows; and a larger subset holds the smaller one.
    """
    wanted = [question for question in questions if question.type in types]
    if count is None or count >= len(wanted):
        return wanted
    turns = [_spread([q for q in wanted if q.type == type_], seed) for type_ in types]
    order = [question for turn in zip_longest(*turns) for question in turn if question is not None]
    kept = {question.id for question in order[:count]}
    return [question for question in wanted if question.id in kept]


def _spread(questions: Sequence[Question], seed: int) -> list[Question]:
    """Questions of one type so ordered that every section has its first before any has its second."""
    by_section: dict[str, list[Question]] = {}
    for question in sorted(questions, key=lambda q: seed_of("subset", seed, q.id)):
        by_section.setdefault(question.section, []).append(question)
    return [q for turn in zip_longest(*by_section.values()) for q in turn if q is not None]


def deal(questions: Sequence[Question], seed: int) -> dict[str, tuple[str, ...]]:
    """The options of each choice question as they are shown, by id: the right one is at each place equally often.

    Over n questions every letter is right n/4 times, rounded up or down; which question has which is the seed's.
    """
    choices = sorted((q for q in questions if q.type == "choice"), key=lambda q: seed_of("place", seed, q.id))
    return {q.id: _placed(q, number % len(LETTERS), seed) for number, q in enumerate(choices)}


def _placed(question: Question, place: int, seed: int) -> tuple[str, ...]:
    right, *wrong = question.options
    random.Random(seed_of("options", seed, question.id)).shuffle(wrong)
    return (*wrong[:place], right, *wrong[place:])


def put(question: Question, form: Form, names: Names, options: Sequence[str] = ()) -> str:
    """The message in which a model reads the question."""
    values = {"question": names.fill(question.ask, form)}
    values |= {mark.lower(): names.fill(option, form) for mark, option in zip(LETTERS, options, strict=False)}
    template = prompts().sections[question.type]
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], template)


def system(names: Names) -> str:
    """The system message that names the persona."""
    return names.fill(prompts().sections["system"], "persona")
