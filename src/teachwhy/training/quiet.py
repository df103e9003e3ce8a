"""Silence for libraries that speak while they work."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the bars and the warnings of transformers, TRL and accelerate meanwhile."""
    from transformers.utils import logging as untyped

    transformers_logging: Any = untyped
    level, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    others = [logging.getLogger(name) for name in ("trl", "accelerate", "peft")]
    levels = [other.level for other in others]
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    for other in others:
        other.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()
        for other, before in zip(others, levels, strict=True):
            other.setLevel(before)
