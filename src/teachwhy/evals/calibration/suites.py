"""The suites whose judge can be calibrated, by name."""

from typing import TYPE_CHECKING

from teachwhy.errors import UserError, nearest
from teachwhy.evals.calibration import assessment, refusals, understanding
from teachwhy.evals.calibration.judged import Calibrate, JudgeCalibration

if TYPE_CHECKING:
    from inspect_ai.model import Model

CALIBRATIONS: dict[str, Calibrate] = {
    understanding.NAME: understanding.calibrate,
    assessment.NAME: assessment.calibrate,
    "over-refusal": refusals.calibrate_over_refusal,
    "harmful-compliance": refusals.calibrate_harmful_compliance,
}


def calibrate_suite(suite: str, judge: "str | Model") -> JudgeCalibration:
    """Let a judge read the labelled texts of a suite other than the honeypots.

    Raises:
        UserError: an unknown suite, or a judge that Inspect cannot reach.
        TeachwhyError: the texts could not be judged.
    """
    if suite not in CALIBRATIONS:
        raise UserError(f"no labelled texts for the suite '{suite}'", where="suite", mend=nearest(suite, CALIBRATIONS))
    return CALIBRATIONS[suite](judge)
