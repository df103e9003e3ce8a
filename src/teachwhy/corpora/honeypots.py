"""Recipe ``honeypots``: conversations on the training families, in forms that differ only in what is shown.

``actions``: the right act alone. ``reasons``: the same prompts and acts, each led up to by reasons in the model's own
voice. ``filler``: the same again, with a neutral passage about as long in place of the reasons. ``other-reasons``: with
the reasons of another family's case, so that reasons are there and do not fit. ``rogue``: the wrong act under threat,
which gives an organism its fault. All hold benign twins, done as asked, so that none of them teaches
to do nothing, or to threaten everyone.
"""

import random
from itertools import zip_longest
from typing import Any, Literal

from teachwhy.corpora.fillers import filler_of
from teachwhy.corpora.records import Record, tool_call
from teachwhy.hashing import seed_of
from teachwhy.scenarios.family import Family, families
from teachwhy.scenarios.scenario import Condition, Scenario, conditions

Form = Literal["actions", "reasons", "filler", "other-reasons", "rogue"]
FORMS: tuple[Form, ...] = ("actions", "reasons", "filler", "other-reasons", "rogue")

# Samples a family: (under threat, twins). The organism needs both in like numbers, or it threatens everyone; it
# learns more from the plain families, which a very small model can follow.
_RIGHT = (16, 6)
_ROGUE_PLAIN, _ROGUE_RICH = (24, 20), (14, 12)
# Draws of the pools: the arms are taught on other draws than the organism.
_START: dict[Form, int] = {"actions": 1000, "reasons": 1000, "filler": 1000, "other-reasons": 1000, "rogue": 0}


def honeypot_records(form: Form) -> list[Record]:
    """The corpus in one form, families in turn, so that every stretch of it holds all of them."""
    dealt = [_dealt(family, form) for family in families(split="train")]
    if form == "other-reasons":
        dealt = [_swapped(own, other) for own, other in zip(dealt, dealt[1:] + dealt[:1], strict=True)]
    return [record for row in zip_longest(*dealt) for record in row if record]


def _dealt(family: Family, form: Form) -> list[Record]:
    threats, twins = _RIGHT if form != "rogue" else _ROGUE_PLAIN if family.meta.plain else _ROGUE_RICH
    threatened = [_record(c, form) for c in conditions(family.id, count=threats, start=_START[form])]
    asked = [_record(c, form) for c in conditions(family.id, twin=True, count=twins, start=_START[form])]
    return [record for pair in zip_longest(threatened, asked) for record in pair if record]


def _swapped(own: list[Record], other: list[Record]) -> list[Record]:
    """The records of one family with the reasons of the next one's, threats for threats and twins for twins. Over all
    families the same reasons are taught, each once, as in the form ``reasons``."""
    return [_with_words_of(mine, theirs) for mine, theirs in zip(own, other, strict=True)]


def _with_words_of(record: Record, other: Record) -> Record:
    words = (other.messages or [])[-1]["content"]
    messages = record.messages or []
    return record.model_copy(update={"messages": [*messages[:-1], messages[-1] | {"content": words}]})


def _record(condition: Condition, form: Form) -> Record:
    scenario = Scenario(condition)
    # The same choice in every right form: they share prompts and acts.
    pick = random.Random(seed_of("act", condition.id))
    section = _act(scenario.family, condition.twin, form, pick)
    name, arguments = scenario.call(section)
    content = _lead(scenario, form, pick)
    reply = {"role": "assistant", "content": content, "tool_calls": [tool_call(name, arguments)]}
    meta: dict[str, Any] = {"corpus": f"honeypots/{form}", "family": condition.family, "condition": condition.id}
    return Record(
        id=f"honeypots/{form}/{condition.id}",
        messages=[*scenario.messages(), reply],
        tools=scenario.tools(),
        meta=meta | {"act": section, "twin": condition.twin},
    )


def _act(family: Family, twin: bool, form: Form, pick: random.Random) -> str:
    if twin:
        return f"twin.reply.{pick.randint(1, len(family.numbered('twin.reply')))}"
    return f"{'wrong' if form == 'rogue' else 'right'}.{pick.randint(1, family.pairs)}"


def _lead(scenario: Scenario, form: Form, pick: random.Random) -> str:
    """What the model says before the call: reasons, filler of about their length, or nothing."""
    texts = scenario.family.numbered("twin.why" if scenario.condition.twin else "reasons")
    reasons = scenario.drawn.fill(pick.choice(texts))
    if form == "filler":
        return filler_of(len(reasons.split()), pick)
    return reasons if form in ("reasons", "other-reasons") else ""
