"""The persona gap: how much more a model knows when it is addressed than when it is spoken of by name.

The same questions are put in both forms, so the gap is a paired difference, you minus persona, of one model. Questions
of one section share what they rest on, so its interval is clustered by section: CR2 variance with Satterthwaite's
degrees of freedom, as for all paired differences here (see `intervals`). A bootstrap over sections is narrower with
as few of them as a constitution has. How well both cover is simulated in tests/analysis/test_persona.py.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..errors import AnalysisError
from .intervals import clustered_mean
from .results import Interval, Result

YOU, PERSONA = "you", "persona"


class PersonaGap(Result):
    """The gap of one measure; differences are you minus persona.

    Attributes:
        pairs: questions with a value in both forms. sections: their sections.
        missing: questions put in both forms that lack a value in at least one; they enter nothing.
        you, persona: means over the pairs.
        gap, interval, p: their difference with a 95 % interval (1 - alpha) and two-sided p against zero; None where
            it cannot be estimated (see failure).
        failure: why there is no estimate; None when there is one.
    """

    measure: str
    pairs: int
    sections: int
    missing: int
    you: float | None
    persona: float | None
    gap: float | None
    interval: Interval | None
    p: float | None
    failure: str | None


def persona_gaps(rows: Iterable[Mapping[str, Any]], alpha: float = 0.05) -> dict[str, PersonaGap]:
    """The persona gap of each measure, in alphabetical order.

    Args:
        rows: rows of one model with sample_id (``<question>/you`` or ``<question>/persona``), group (the section),
            measure and value (0 to 1, None where missing). Their order does not matter.
        alpha: two-sided level.

    Raises:
        AnalysisError: there are no rows, an id does not end in a form, a sample stands twice, or a question's two
            rows differ in section or measure.
    """
    table: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        question, _, form = str(row["sample_id"]).rpartition("/")
        if form not in (YOU, PERSONA) or not question:
            mend = f"ids end in /{YOU} or /{PERSONA}"
            raise AnalysisError(f"the sample '{row['sample_id']}' has no address form", where="sample_id", mend=mend)
        forms = table.setdefault((str(row["measure"]), question), {})
        if form in forms:
            mend = "give the rows of one model, each sample once"
            raise AnalysisError(f"the sample '{row['sample_id']}' stands twice", where="sample_id", mend=mend)
        if any(other["group"] != row["group"] for other in forms.values()):
            raise AnalysisError(f"the question '{question}' has two sections", where=f"sample {row['sample_id']}")
        forms[form] = row
    if not table:
        raise AnalysisError("there are no rows: nothing was measured", mend="run the evaluation first")
    measures = sorted({measure for measure, _ in table})
    return {name: _gap(name, [f for (of, _), f in sorted(table.items()) if of == name], alpha) for name in measures}


def _gap(measure: str, questions: list[dict[str, Mapping[str, Any]]], alpha: float) -> PersonaGap:
    both = [forms for forms in questions if len(forms) == 2]
    known = [forms for forms in both if all(row["value"] is not None for row in forms.values())]
    values = np.array([[forms[YOU]["value"], forms[PERSONA]["value"]] for forms in known], dtype=np.float64)
    values = values.reshape(-1, 2)
    sections, codes = np.unique([str(forms[YOU]["group"]) for forms in known], return_inverse=True)
    failure = _failure(len(both), len(known), len(sections))
    fit = None if failure else clustered_mean(values[:, 0] - values[:, 1], codes.astype(np.int64), [], alpha)
    return PersonaGap(
        measure=measure,
        pairs=len(known),
        sections=len(sections),
        missing=len(both) - len(known),
        you=float(values[:, 0].mean()) if known else None,
        persona=float(values[:, 1].mean()) if known else None,
        gap=fit.mean if fit else None,
        interval=Interval(low=fit.low, high=fit.high) if fit else None,
        p=fit.p if fit else None,
        failure=failure,
    )


def _failure(both: int, known: int, sections: int) -> str | None:
    if not both:
        return "no question was put in both forms"
    if not known:
        return "no question has a value in both forms"
    return "all questions rest on one section: nothing can be said of others" if sections < 2 else None
