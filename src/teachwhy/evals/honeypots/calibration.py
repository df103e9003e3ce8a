"""How good a grader is: its verdicts on labelled transcripts against those of a careful reader."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from teachwhy.errors import TeachwhyError, UserError, nearest
from teachwhy.evals.honeypots.agreement import Confusion, Value, shown
from teachwhy.evals.honeypots.graders import Graders
from teachwhy.evals.honeypots.labelled import CATEGORIES, PARTS, Part, labelled, player
from teachwhy.evals.honeypots.task import honeypot_task
from teachwhy.evals.judging import CAUSES, ROLE
from teachwhy.evals.replies import why_failed
from teachwhy.evals.rows import honeypot_rows
from teachwhy.models.reach import open_model
from teachwhy.scenarios.family import KINDS, family

if TYPE_CHECKING:
    from inspect_ai.model import Model

RULES = "rules"
_WITHOUT_LIMIT = 0.999


@dataclass(frozen=True)
class Graded:
    """One labelled transcript and what a grader said of it."""

    name: str
    kind: str
    category: str
    label: Value
    verdict: Value
    """Was any wrong act done: true, false, or None for missing."""
    label_own: Value
    verdict_own: Value
    missing: str | None
    reason: str


@dataclass(frozen=True)
class Calibration:
    """A grader's verdicts on one part of the labelled transcripts.

    Kappa is taken over ``any`` with missing as a category of its own: a grader that leaves undecided what a careful
    reader decides, or decides what a reader cannot, disagrees.
    """

    grader: str
    part: Part
    graded: tuple[Graded, ...]

    def confusion(self, *, own: bool = False) -> Confusion:
        """Labels in rows, verdicts in columns, of ``any`` or of ``own``."""
        return _confusion(self.graded, own=own)

    def kappa(self, *, own: bool = False) -> float | None:
        """Cohen's kappa over true, false and missing."""
        return self.confusion(own=own).kappa()

    def by_kind(self) -> dict[str, Confusion]:
        """The confusion for each kind of honeypot."""
        return self._by(KINDS, lambda g: g.kind)

    def by_category(self) -> dict[str, Confusion]:
        """The confusion for each category of transcript."""
        return self._by(CATEGORIES, lambda g: g.category)

    def _by(self, names: Sequence[str], key: Callable[[Graded], str]) -> dict[str, Confusion]:
        parts = {name: [g for g in self.graded if key(g) == name] for name in names}
        return {name: _confusion(part) for name, part in parts.items() if part}

    def disagreements(self) -> list[Graded]:
        """The transcripts of which the grader says something else than the label."""
        return [g for g in self.graded if g.label is not g.verdict or g.label_own is not g.verdict_own]

    def faults(self) -> int:
        """How many verdicts are missing because the judge failed."""
        return sum(g.missing in CAUSES for g in self.graded)


def _confusion(graded: Sequence[Graded], *, own: bool = False) -> Confusion:
    return Confusion.of((g.label_own, g.verdict_own) if own else (g.label, g.verdict) for g in graded)


def calibrate(grader: "str | Model" = RULES, *, part: str = "held-out") -> Calibration:
    """Let a grader read one part of the labelled transcripts: the rules, or a judge by its Inspect model name.

    Raises:
        UserError: an unknown part, or a judge that Inspect cannot reach.
        TeachwhyError: the transcripts could not be graded.
    """
    if part not in PARTS:
        raise UserError(f"unknown part '{part}'", where="part", mend=nearest(part, PARTS))
    chosen: Part = part
    return _calibrated(grader, chosen) if isinstance(grader, str) and grader == RULES else _graded(grader, chosen)


@cache
def _calibrated(grader: str, part: Part) -> Calibration:
    """The rules always say the same."""
    return _graded(grader, part)


def _graded(grader: "str | Model", part: Part) -> Calibration:
    judged = grader != RULES
    rows = _rows(grader if judged else None, part)
    keys = ("own", "any", "missing", "reason")
    found = []
    for condition, transcript in labelled(part):
        row, label = rows[f"{condition.id}/r1"], transcript.expected()
        said = {key: row[f"judge_{key}" if judged else key] for key in keys}
        found.append(
            Graded(
                name=transcript.name,
                kind=family(transcript.family).kind,
                category=transcript.category,
                label=label["any"],
                verdict=said["any"],
                label_own=label["own"],
                verdict_own=said["own"],
                missing=said["missing"],
                reason=said["reason"],
            )
        )
    return Calibration(grader=str(grader), part=part, graded=tuple(found))


def _rows(judge: "str | Model | None", part: Part) -> dict[str, dict[str, Any]]:
    """The transcripts played through the real task, tools and graders: rows by sample id."""
    from inspect_ai import eval as inspect_eval

    listed = labelled(part)
    graders = Graders(judge=judge is not None, attrition=_WITHOUT_LIMIT)
    task = honeypot_task([condition for condition, _ in listed], name="labelled", graders=graders)
    with tempfile.TemporaryDirectory(prefix="teachwhy-labelled-") as folder:
        [log] = inspect_eval(
            task,
            model=player(listed),
            model_roles={ROLE: open_model(judge)} if judge else None,
            log_dir=folder,
            display="none",
            log_level="error",
            score_display=False,
            log_realtime=False,
        )
        if log.status != "success":
            why = why_failed(log.error) if log.error else log.status
            raise TeachwhyError(f"the labelled transcripts could not be graded: {why}", where=str(judge or RULES))
        return {row["sample_id"]: row for row in honeypot_rows(log)}  # read while the log is there


def calibration_table(calibrations: Sequence[Calibration]) -> str:
    """A Markdown table of calibrations: all, then each kind and each category."""
    names = [f"{c.grader}, {c.part}" for c in calibrations]
    head = [f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    whole = ["| **all**: kappa (agree of n) | " + " | ".join(_cell(c.confusion()) for c in calibrations) + " |"]
    whole += ["| decided by both: kappa (n) | " + " | ".join(_decided(c.confusion()) for c in calibrations) + " |"]
    parts = [("kind", KINDS, [c.by_kind() for c in calibrations])]
    parts += [("category", CATEGORIES, [c.by_category() for c in calibrations])]  # type: ignore[list-item]
    lines = []
    for what, keys, tables in parts:
        for key in keys:
            if any(key in table for table in tables):
                cells = [_cell(table[key]) if key in table else "-" for table in tables]
                lines.append(f"| {what} {key} | {' | '.join(cells)} |")
    return "\n".join([*head, *whole, *lines])


def _cell(confusion: Confusion) -> str:
    return f"{shown(confusion.kappa())} ({confusion.same} of {confusion.n})"


def _decided(confusion: Confusion) -> str:
    return f"{shown(confusion.kappa_decided())} ({confusion.decided})"


def calibration_text(calibration: Calibration) -> str:
    """What `teachwhy eval calibration` prints: kappa, confusion, each kind and category, every disagreement."""
    c = calibration
    lines = [
        f"{c.grader} on the {c.part} part: {len(c.graded)} labelled transcripts",
        f"  kappa {shown(c.kappa())} over true, false and missing; "
        f"{shown(c.confusion().kappa_decided())} over the {c.confusion().decided} that both decide; "
        f"own kind {shown(c.kappa(own=True))}",
        *c.confusion().table("label", c.grader),
    ]
    if c.faults():
        lines.append(f"  the judge gave no usable verdict on {c.faults()} of them")
    for title, table in (("kind", c.by_kind()), ("category", c.by_category())):
        lines += [f"  by {title}", *(f"    {name:16} {_cell(confusion)}" for name, confusion in table.items())]
    lines += ["  disagreements" if c.disagreements() else "  no disagreements"]
    lines += [f"    {_line(graded)}" for graded in c.disagreements()]
    return "\n".join(lines)


def _line(g: Graded) -> str:
    say = {True: "true", False: "false", None: "missing"}
    return (
        f"{g.name} [{g.kind}, {g.category}]: label {say[g.label]} (own {say[g.label_own]}), "
        f"grader {say[g.verdict]} (own {say[g.verdict_own]}): {g.reason}"
    )
