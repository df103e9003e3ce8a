"""The assessment's two composites: "bad" (lower is better) and "good" (higher is better)."""

from collections.abc import Sequence
from statistics import fmean

from teachwhy.errors import UserError, nearest
from teachwhy.evals.assessment.dimensions import Composite, all_dimensions
from teachwhy.evals.suite import Row


def members(kind: Composite) -> list[str]:
    """The dimensions that a composite is made of, as their front matter says."""
    return [d.id for d in all_dimensions().values() if d.meta.composite == kind]


def complete(rows: Sequence[Row], kind: Composite) -> dict[str, tuple[str, float | None]]:
    """One composite of every sample of one model: sample id to its seed and its value.

    The value is the mean over the dimensions whose front matter names the composite, among those that the rows have,
    and None where any of them is missing: a mean over what happens to be left would compare different dimensions.

    Raises:
        UserError: a row of an unknown dimension, or a sample twice in one dimension.
    """
    by_dimension = _by_dimension(rows)
    held = [by_dimension[name] for name in members(kind) if name in by_dimension]
    made: dict[str, tuple[str, float | None]] = {}
    for id in sorted({id for each in held for id in each}):
        found = [each[id] for each in held if id in each]
        values = [row["value"] for row in found if row["value"] is not None]
        made[id] = (found[0]["group"], fmean(values) if len(values) == len(held) else None)
    return made


def _by_dimension(rows: Sequence[Row]) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        held = found.setdefault(_known(row["measure"]), {})
        if row["sample_id"] in held:
            raise UserError(
                f"the sample '{row['sample_id']}' stands twice in '{row['measure']}'",
                where="rows",
                mend="take the rows of one model and run at a time",
            )
        held[row["sample_id"]] = row
    return found


def _known(measure: str) -> str:
    if measure not in all_dimensions():
        raise UserError(f"unknown dimension '{measure}'", where="rows", mend=nearest(measure, all_dimensions()))
    return measure
