"""What Inspect sees of teachwhy through its entry point: the model providers and the tasks."""

from teachwhy.evals.assessment.task import assessment
from teachwhy.evals.honeypots.likelihood import likelihood
from teachwhy.evals.honeypots.task import blackmail, framing, honeypots, leaking, sabotage, twins
from teachwhy.models.provider import teachwhy
from teachwhy.models.scripted import teachwhy_scripted

__all__ = [
    "assessment",
    "blackmail",
    "framing",
    "honeypots",
    "leaking",
    "likelihood",
    "sabotage",
    "teachwhy",
    "teachwhy_scripted",
    "twins",
]
