"""What Inspect sees of teachwhy through its entry point: the model providers and the tasks."""

from teachwhy.models.provider import teachwhy
from teachwhy.models.scripted import teachwhy_scripted

__all__ = ["teachwhy", "teachwhy_scripted"]
