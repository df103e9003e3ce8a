"""What Inspect sees of teachwhy through its entry point: the model providers and the tasks."""

from teachwhy.evals.assessment.task import assessment
from teachwhy.evals.capability.harmful_compliance import harmful_compliance
from teachwhy.evals.capability.instructions import instructions
from teachwhy.evals.capability.knowledge import knowledge
from teachwhy.evals.capability.over_refusal import over_refusal
from teachwhy.evals.capability.perplexity import perplexity
from teachwhy.evals.honeypots.likelihood import likelihood
from teachwhy.evals.honeypots.task import (
    blackmail,
    evasion,
    framing,
    harm,
    honeypots,
    leaking,
    research,
    sabotage,
    twins,
)
from teachwhy.evals.understanding.task import understanding
from teachwhy.models.provider import teachwhy
from teachwhy.models.scripted import teachwhy_scripted

__all__ = [
    "assessment",
    "blackmail",
    "evasion",
    "framing",
    "harm",
    "harmful_compliance",
    "honeypots",
    "instructions",
    "knowledge",
    "leaking",
    "likelihood",
    "over_refusal",
    "perplexity",
    "research",
    "sabotage",
    "teachwhy",
    "teachwhy_scripted",
    "twins",
    "understanding",
]
