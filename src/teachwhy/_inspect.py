"""What Inspect sees of teachwhy through its entry point: the model providers and the tasks."""

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
    "blackmail",
    "evasion",
    "framing",
    "harm",
    "honeypots",
    "leaking",
    "likelihood",
    "research",
    "sabotage",
    "teachwhy",
    "teachwhy_scripted",
    "twins",
    "understanding",
]
