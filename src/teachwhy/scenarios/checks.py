"""What is checked of the family files when they are loaded; every fault is named with its file and line."""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from teachwhy.errors import TextError, nearest
from teachwhy.scenarios.factors import THREATS, WHENS, WORDINGS
from teachwhy.scenarios.family import PAIRS, SLOT, Family, TamperRule, checked_call
from teachwhy.scenarios.tools import NEEDS, SHOWS, parameters, tool_names

RUN = 10
"""So many words in a row, slots left out, are a shared sentence and no common phrase."""

_TWIN = ("brief.twin", "full.twin", "twin.reply.1")
_NUMBERED = ("brief.scene", "full.task", "full.mail", "wrong", "right", "reasons", "twin.reply", "twin.why")
_NAMED = ("full.file", "full.alert", "full.job")
_ACTS = ("wrong", "right", "twin.reply")
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


def check_family(family: Family) -> None:
    """Check one file against the format.

    Raises:
        TextError: the file, the line, what is wrong there and the mend.
    """
    for check in (_identity, _sections, _slots, _pools, _mails, _things, _acts):
        check(family)


def place(path: Path, *landmarks: str) -> str:
    """Where a fault lies: the file, and the line of the last landmark, each looked for after the one before."""
    lines, at = path.read_text("utf-8-sig").splitlines(), 0
    for landmark in landmarks:
        at = next((n for n, line in enumerate(lines[at:], start=at) if landmark in line), at)
    return f"{path}, line {at + 1}"


def _identity(family: Family) -> None:
    path, meta = family.path, family.meta
    if family.id != path.stem:
        raise TextError(f"the id '{family.id}' is not the file's name", where=place(path, "id:"), mend="rename one")
    if path.parent.name != meta.kind or not family.id.startswith(f"{meta.kind}-"):
        where = place(path, "kind:")
        raise TextError(f"kind '{meta.kind}' is neither the folder nor how the id begins", where=where)


def _sections(family: Family) -> None:
    required = _required(family)
    for number, name in enumerate(required):
        if name not in family.sections:
            before = [known for known in required[:number] if known in family.sections]
            what = "the benign twin is missing: no section" if name in _TWIN else "a section is missing:"
            mend = "write it after this line"
            raise TextError(f"{what} '## {name}'", where=place(family.path, *_heading(before[-1:])), mend=mend)
    known = {*required, *SHOWS}
    for name in family.sections:
        prefix, _, last = name.rpartition(".")
        if name not in known and not (prefix in _NUMBERED and last.isdigit()) and not name.startswith(_folders()):
            raise TextError(f"unknown section '## {name}'", where=_at(family, name), mend=nearest(name, known))


def _folders() -> tuple[str, ...]:
    return tuple(f"{prefix}." for prefix in _NAMED)


def _required(family: Family) -> list[str]:
    goals = ["goal.yes", "goal.swap", "goal.no"]
    scenes = [f"brief.scene.{n + 1}" for n in range(WORDINGS)]
    threats = [f"brief.threat.{threat}" for threat in THREATS]
    plans = ["brief.conflict", "brief.conflict.swap"]
    brief = [*(f"brief.{part}" for part in ("setting", *goals)), *scenes, *threats, *plans]
    ally = ["brief.ally"]
    full = [f"full.{part}" for part in ("setting", *goals, "task.1", "task.2", "twin", "mail.1")]
    acts = [f"{side}.{n + 1}" for n in range(PAIRS) for side in ("wrong", "right")]
    taught = ["reasons.1", "twin.why.1"] if family.meta.split == "train" else []
    return [*brief, *ally, "brief.twin", *full, *acts, "twin.reply.1", *taught]


def _heading(names: Sequence[str]) -> list[str]:
    return [f"## {name}" for name in names]


def _at(family: Family, section: str, *within: str) -> str:
    """The line of a section's heading, or of what is found after it."""
    lines = family.path.read_text("utf-8-sig").splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if re.fullmatch(rf"##\s+{re.escape(section)}\s*", line))
    for landmark in within:
        number = next((n for n, line in enumerate(lines[number:], start=number + 1) if landmark in line), number)
    return f"{family.path}, line {number}"


def _slots(family: Family) -> None:
    known = set(family.draw(0, "").values)
    for name, text in family.sections.items():
        for match in SLOT.finditer(f"{name}\n{text}"):
            if (slot := match[0][1:-1]) not in known:
                where = _at(family, name, match[0])
                raise TextError(f"the slot '{{{slot}}}' is never filled", where=where, mend=nearest(slot, known))


def _pools(family: Family) -> None:
    text = "\n".join([*family.sections, *family.sections.values(), family.meta.grading.model_dump_json()])
    used = {match[1] for match in SLOT.finditer(text)}
    for part, pool in (("slots", family.meta.slots), ("people", family.meta.people)):
        for key in pool:
            if key not in used:
                where = place(family.path, f"{part}:", f"  {key}:")
                raise TextError(f"the pool '{key}' is never used", where=where, mend=f"write {{{key}}} or take it out")


def _mails(family: Family) -> None:
    for name, mail in family.mails.items():
        lacking = [head for head in ("sender", "to", "subject", "when", "body") if not getattr(mail, head)]
        if lacking:
            mend = "a mail has From, To, Subject, When, a blank line and a body"
            raise TextError(f"the mail has no {lacking[0]}", where=_at(family, name), mend=mend)
        if mail.when not in WHENS:
            where = _at(family, name, "When:")
            raise TextError(f"unknown factor level '{mail.when}'", where=where, mend=nearest(mail.when, WHENS))
    levels = {mail.when for mail in family.mails.values()}
    needed = ("conflict=yes", "threat=replacement", "threat=restriction", "twin")
    for when in (*needed, "conflict=swap", "ally=yes"):
        if when not in levels:
            where = _at(family, "full.mail.1")
            raise TextError(f"no mail says 'When: {when}'", where=where, mend="the mailbox would not tell this level")


def _things(family: Family) -> None:
    """Tools, alerts, jobs and the ledger go together, and the rules name what there is."""
    meta, path = family.meta, family.path
    for tool in meta.tools:
        if tool not in tool_names():
            raise TextError(f"unknown tool '{tool}'", where=place(path, "tools:"), mend=nearest(tool, tool_names()))
        if (part := NEEDS.get(tool)) and not (part in family.sections or family.named(part)):
            where, name = place(path, "tools:"), part if part in SHOWS and part == "full.ledger" else f"{part}.NAME"
            raise TextError(f"'{tool}' has nothing to act on", where=where, mend=f"write a section '## {name}'")
    for name, job in family.jobs.items():
        if job.state not in ("on", "off") or not job.text:
            where = _at(family, f"full.job.{name}")
            raise TextError("a job begins with 'State: on' or 'State: off', and then says what it does", where=where)
    for rule in meta.grading.tampering():
        for kind, name, known in _named_in(rule, family):
            if name not in known:
                where = place(path, "grading:", name)
                raise TextError(f"there is no {kind} '{name}' in this family", where=where, mend=nearest(name, known))
    if meta.grading.helper not in (None, *meta.people):
        where, mend = place(path, "  helper:"), nearest(meta.grading.helper or "", meta.people)
        raise TextError(f"there is nobody '{meta.grading.helper}' in this family", where=where, mend=mend)
    truth = meta.grading.framing.truth if meta.grading.framing else []
    for key, words in (("  matter:", meta.grading.matter), ("truth:", truth)):
        for word in words:
            if unknown := [hit[0] for hit in SLOT.finditer(word) if hit[0][1:-1] not in family.draw(0, "").values]:
                raise TextError(f"the slot '{unknown[0]}' is never filled", where=place(path, key, word))
    task = meta.twin
    found: dict[str, Collection[str]] = {"alert": family.named("full.alert"), "job": family.jobs, "to": meta.people}
    for kind, there in found.items():
        name = getattr(task, kind)
        if name is not None and name not in there:
            where = place(path, "twin:", f"{kind}:")
            raise TextError(f"there is no {kind} '{name}' in this family", where=where, mend=nearest(name, there))
    if task.tool not in meta.tools:
        where = place(path, "twin:", "tool:")
        raise TextError(f"'{task.tool}' is not a tool of this family", where=where, mend=nearest(task.tool, meta.tools))


def _named_in(rule: TamperRule, family: Family) -> Iterator[tuple[str, str, Sequence[str]]]:
    yield from (("alert", name, list(family.named("full.alert"))) for name in rule.alerts)
    yield from (("job", name, list(family.jobs)) for name in rule.jobs)
    yield from (("file", name, list(family.named("full.file"))) for name in rule.paths)


def _acts(family: Family) -> None:
    same = [n for n in range(1, family.pairs + 1) if _tool(family, f"wrong.{n}") == _tool(family, f"right.{n}")]
    if len(same) < PAIRS:
        what = f"only {len(same)} pairs use one tool in wrong and right, {PAIRS} are needed"
        raise TextError(what, where=_at(family, "wrong.1"), mend="their likelihoods are compared")
    for name, text in family.sections.items():
        prefix, _, last = name.rpartition(".")
        if prefix not in _ACTS or not last.isdigit():
            continue
        try:
            tool, arguments = checked_call(text, family.meta.tools)
        except ValueError as error:
            raise TextError(str(error), where=_at(family, name)) from None
        except TextError as error:
            raise TextError(error.what, where=_at(family, name), mend=error.mend) from None
        if list(arguments) != parameters(tool):
            mend = f"in this order: {', '.join(parameters(tool))}"
            raise TextError(f"'{tool}' is called with {', '.join(arguments)}", where=_at(family, name), mend=mend)


def _tool(family: Family, section: str) -> str:
    return family.sections.get(section, "").partition("\n")[0].strip()


def check_apart(families: Sequence[Family]) -> None:
    """No training and held-out family share a sentence: ``RUN`` words in a row of any two sections.

    Raises:
        TextError: the sentence and both places.
    """
    taught: dict[tuple[str, ...], tuple[Family, str]] = {}
    for family in families:
        if family.meta.split == "train":
            for name, runs in _runs(family):
                taught.update(dict.fromkeys(runs, (family, name)))
    for family in families:
        if family.meta.split == "held-out":
            for name, runs in _runs(family):
                for run in runs:
                    if run in taught:
                        _shared(run, taught[run], (family, name))


def _shared(run: tuple[str, ...], taught: tuple[Family, str], held: tuple[Family, str]) -> None:
    raise TextError(
        f"a training and a held-out family share a sentence: '{' '.join(run)}'",
        where=f"{_at(*held)} (## {held[1]}) and {_at(*taught)} (## {taught[1]})",
        mend="say it in other words in the training family",
    )


def _runs(family: Family) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """The runs of words of every section; of a mail its subject and body."""
    mails = {name: f"{mail.subject}\n{mail.body}" for name, mail in family.mails.items()}
    for name, text in (family.sections | mails).items():
        words = _WORD.findall(SLOT.sub(" ", text).lower())
        yield name, list(zip(*(words[n:] for n in range(RUN)), strict=False))
