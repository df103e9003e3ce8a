"""What Inspect sees of teachwhy through its entry point: the model providers and the tasks."""

from teachwhy.evals.capability.harmful_compliance import harmful_compliance
from teachwhy.evals.capability.instructions import instructions
from teachwhy.evals.capability.knowledge import knowledge
from teachwhy.evals.capability.over_refusal import over_refusal
from teachwhy.evals.capability.perplexity import perplexity
from teachwhy.evals.honeypots.likelihood import likelihood
from teachwhy.evals.honeypots.task import blackmail, framing, honeypots, leaking, sabotage, twins
from teachwhy.models.provider import teachwhy
from teachwhy.models.scripted import teachwhy_scripted

__all__ = [
    "blackmail",
    "framing",
    "harmful_compliance",
    "honeypots",
    "instructions",
    "knowledge",
    "leaking",
    "likelihood",
    "over_refusal",
    "perplexity",
    "sabotage",
    "teachwhy",
    "teachwhy_scripted",
    "twins",
]
