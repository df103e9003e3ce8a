"""What an analysis declares before the first result is seen."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Primary = Literal["honeypots.any", "honeypots.own"]
Wrong = Literal["any", "own"]


def different(compare: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The comparisons, if each is of two arms and stands once.

    Raises:
        ValueError: one is not.
    """
    for number, (treatment, control) in enumerate(compare):
        if treatment == control:
            raise ValueError(f"'{treatment}' is compared with itself: name two different arms")
        if (treatment, control) in compare[:number]:
            raise ValueError(f"the comparison of '{treatment}' with '{control}' stands twice: leave one out")
    return compare


class Controls(BaseModel):
    """The names of the arms that a claim needs beside the two it compares; None where the study has none.

    Attributes:
        base: the model before any training of the study.
        organism: the model given the fault on purpose; None when the study makes none.
        benign: supervised training on harmless text, matched in tokens.
        actions: the right actions without reasons; needed for a claim on reasons.
        filler: the right actions with neutral filler as long as the reasons; needed for a claim on reasons.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str | None = "base"
    organism: str | None = None
    benign: str | None = None
    actions: str | None = None
    filler: str | None = None


class Plan(BaseModel):
    """The declared analysis: one primary measure and the comparisons that Holm's correction covers.

    Attributes:
        primary: the measure that decides; "any" counts every wrong act, "own" the scenario's own.
        compare: [treatment, control] pairs of arm names.
        families: how many scenario families the study meant to measure; None to expect no number.
        alpha: two-sided level of the tests and, as 1 - alpha, of the intervals of comparisons.
        controls: the control arms.
        reasons: the arms that teach reasons; None means each compared arm with "reason" in its name.
        twins: whether benign twins were to be run. Without them an inert model cannot be told from an
            aligned one, and the report says so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    primary: Primary = "honeypots.any"
    compare: tuple[tuple[str, str], ...]
    families: Annotated[int, Field(ge=1)] | None = None
    alpha: float = Field(default=0.05, gt=0.0, lt=0.5)
    controls: Controls = Controls()
    reasons: tuple[str, ...] | None = None
    twins: bool = True

    @field_validator("compare")
    @classmethod
    def _different(cls, compare: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return different(compare)

    @property
    def measure(self) -> Wrong:
        """The column of the frame that the primary measure reads."""
        return "any" if self.primary == "honeypots.any" else "own"

    def teaches_reasons(self, arm: str) -> bool:
        """Whether a comparison with this arm as treatment is one on reasons."""
        return "reason" in arm.lower() if self.reasons is None else arm in self.reasons
