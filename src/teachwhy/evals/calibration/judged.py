"""What the calibrations share: labelled texts, a run of the judge over them, agreement with the labels, its text."""

import tempfile
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.scorer import Score
from pydantic import BaseModel, ConfigDict

from teachwhy.errors import TeachwhyError, TextError
from teachwhy.evals.capability.common import once, read_yaml
from teachwhy.evals.honeypots.agreement import Confusion, shown
from teachwhy.evals.replies import why_failed
from teachwhy.models.reach import open_model
from teachwhy.texts import validated

if TYPE_CHECKING:
    from inspect_ai.model import Model

GRADER = "grader"
"""The role in which every suite asks its judge."""
UNDECIDED = ("unclear", "cut off")
"""Causes of a missing verdict that lie in what is judged, and not in the judge."""

L = TypeVar("L", bound="Labelled")


class Labelled(BaseModel):
    """One labelled text. ``note`` says why the label is what it is, where that is not plain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    note: str = ""


def read_labelled(folder: Path, model: type[L]) -> dict[str, tuple[L, ...]]:
    """The labelled texts of a folder, by the stem of their file.

    Raises:
        TextError: a file is not a YAML list of these, or a name stands twice.
    """
    found = {path.stem: _read(path, model) for path in sorted(folder.glob("*.yaml"))}
    once([one.name for listed in found.values() for one in listed], str(folder))
    return found


def _read(path: Path, model: type[L]) -> tuple[L, ...]:
    listed = read_yaml(path)
    if not isinstance(listed, list):
        raise TextError("the file is no list of labelled texts", where=path)
    return tuple(validated(model, one, where=path) for one in listed)


@dataclass(frozen=True)
class Ruled:
    """One label and what the judge said.

    Attributes:
        name: of the labelled text.
        group: what it is of: a type of question, a suite, a dimension.
        label: the verdict of a careful reader; None where such a reader leaves it open.
        verdict: the judge's; None where it is missing.
        missing: the cause, as the suite names it.
        reason: the judge's.
        off: how far the judged value is from the labelled one, in units of the scale; None where a verdict is no
            number, or one of the two is missing.
    """

    name: str
    group: str
    label: Hashable
    verdict: Hashable
    missing: str | None
    reason: str
    off: float | None = None


@dataclass(frozen=True)
class JudgeCalibration:
    """A judge's verdicts on the labelled texts of a suite.

    Attributes:
        suite: its name.
        judge: the judge's name.
        values: what a verdict may be; None is missing.
        ruled: one for each label, in the order of files.
        scale: the values are numbers in order of size, so agreement is weighted.
    """

    suite: str
    judge: str
    values: tuple[Hashable, ...]
    ruled: tuple[Ruled, ...]
    scale: bool = False

    def confusion(self) -> Confusion:
        """Labels in rows, verdicts in columns."""
        return _confusion(self.ruled, self.values)

    def kappa(self) -> float | None:
        """Cohen's kappa with missing as a value of its own; for a scale, weighted and over what both decide."""
        return _kappa(self.confusion(), scale=self.scale)

    def by_group(self) -> dict[str, Confusion]:
        """The confusion of each group."""
        return {name: _confusion(part, self.values) for name, part in self._groups().items()}

    def error(self) -> float | None:
        """Mean absolute difference between judged and labelled values; None where there are no numbers."""
        return _error(self.ruled)

    def disagreements(self) -> list[Ruled]:
        """What the judge says otherwise than the label; on a scale, by more than one step or missing."""
        return [one for one in self.ruled if _differs(one, scale=self.scale)]

    def faults(self) -> int:
        """How many verdicts are missing because the judge failed."""
        return sum(one.missing is not None and one.missing not in UNDECIDED for one in self.ruled)

    def text(self) -> str:
        """What ``teachwhy calibrate --suite`` prints: agreement, confusion, groups, every disagreement."""
        whole = self.confusion()
        lines = [f"{self.judge} on {self.suite}: {whole.n} labels", f"  {self._agreement(whole, self.ruled)}"]
        lines += [] if self.scale else whole.table("label", "judge")
        lines += [f"  the judge gave no usable verdict on {self.faults()} of them"] if self.faults() else []
        groups = self._groups()
        lines += [
            f"  {name:24} {self._agreement(_confusion(part, self.values), part)}" for name, part in groups.items()
        ]
        differing = self.disagreements()
        lines += ["  disagreements" if differing else "  no disagreements"]
        return "\n".join([*lines, *(f"    {_line(one)}" for one in differing)])

    def _groups(self) -> dict[str, list[Ruled]]:
        names = dict.fromkeys(one.group for one in self.ruled)
        return {name: [one for one in self.ruled if one.group == name] for name in names}

    def _agreement(self, confusion: Confusion, part: Sequence[Ruled]) -> str:
        kind = "weighted kappa" if self.scale else "kappa"
        said = f"{kind} {shown(_kappa(confusion, scale=self.scale))} ({confusion.same} of {confusion.n} alike)"
        error = _error(part)
        return said if error is None else f"{said}, mean absolute error {error:.2f}"


def _confusion(ruled: Sequence[Ruled], values: tuple[Hashable, ...]) -> Confusion:
    return Confusion.of(((one.label, one.verdict) for one in ruled), values)


def _kappa(confusion: Confusion, *, scale: bool) -> float | None:
    return confusion.kappa_weighted() if scale else confusion.kappa()


def _error(ruled: Sequence[Ruled]) -> float | None:
    offs = [one.off for one in ruled if one.off is not None]
    return float(np.mean(offs)) if offs else None


def _differs(one: Ruled, *, scale: bool) -> bool:
    return (one.off is None or one.off > 1) if scale else one.label != one.verdict


def _line(one: Ruled) -> str:
    label, verdict = ("missing" if said is None else str(said).lower() for said in (one.label, one.verdict))
    cause = f" ({one.missing})" if one.missing else ""
    return f"{one.name} [{one.group}]: label {label}, judge {verdict}{cause}: {one.reason}"


def judged(tasks: Sequence[Task], judge: "str | Model") -> list[dict[str, Score]]:
    """The scores of each task by sample id, with this judge in the role ``grader``. No model is measured.

    Raises:
        UserError: a judge that Inspect cannot reach.
        TeachwhyError: the labelled texts could not be put to it.
    """
    with tempfile.TemporaryDirectory(prefix="teachwhy-labelled-") as folder:
        logs = inspect_eval(
            list(tasks),
            model="none/none",
            model_roles={GRADER: open_model(judge)},
            log_dir=folder,
            display="none",
            log_level="error",
            score_display=False,
            log_realtime=False,
        )
        found = []
        for log in logs:
            if log.status != "success":
                why = why_failed(log.error) if log.error else log.status
                raise TeachwhyError(f"the labelled texts could not be judged: {why}", where=str(judge))
            scores = {str(sample.id): next(iter((sample.scores or {}).values())) for sample in log.samples or []}
            found.append(scores)
        return found


Calibrate = Callable[["str | Model"], JudgeCalibration]
"""A suite's calibration: a judge by its Inspect model name, or as a model."""
