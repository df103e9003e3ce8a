"""Everything that the suites ask, as text: what no corpus may hold."""

from functools import cache

from teachwhy.evals.assessment.seeds import all_seeds
from teachwhy.evals.capability.held_out import held_out_texts
from teachwhy.evals.understanding.settings import Settings, materials


@cache
def asked_texts() -> dict[str, str]:
    """Requests, questions, passages and seeds by ``<suite>/<id>``; a question's key is left out, since the constitution
    itself holds it."""
    seeds = {f"assessment/{name}": "\n".join(seed.sections.values()) for name, seed in all_seeds().items()}
    questions = {f"understanding/{q.id}": q.ask for q in materials(Settings()).bank.questions}
    return held_out_texts() | seeds | questions
