"""The token ledger: what a stage of training read, taught and left out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from teachwhy.errors import StoreError
from teachwhy.texts import validated

Form = Literal["chat", "documents"]


class Ledger(BaseModel):
    """One stage's account. Tokens are counted after rendering, over all passes, without padding."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpus: str
    form: Form
    records_available: int
    records_used: int
    """Different records read at least once."""
    passes: float
    """Examples read over examples available: 2.5 is two whole passes and a half."""
    tokens_read: int
    tokens_supervised: int
    tokens_masked: int
    truncated: int
    """Records that were cut at the maximal length (allowed share: `Settings.overlong_share`)."""
    dropped: int
    """Records left out because nothing supervised stood within the maximal length."""
    dose_asked: int | None
    dose_given: int
    steps: int
    seconds: float
    """Spent in training steps that count (after a resume: those before the checkpoint and those after)."""
    tokens_per_second: float
    loss_first: float
    """Mean loss per supervised token over the first tenth of the steps, in nats."""
    loss_last: float


def write_ledgers(path: Path, ledgers: Sequence[Ledger]) -> None:
    """Write the ledgers of a training run, in the order of its stages."""
    path.write_text(json.dumps([ledger.model_dump() for ledger in ledgers], indent=2) + "\n", "utf-8")


def read_ledgers(path: Path) -> list[Ledger]:
    """Read them back.

    Raises:
        StoreError: the file is missing or not a list of ledgers.
    """
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"the ledger cannot be read: {error}", where=path) from None
    return [validated(Ledger, value, where=path, error=StoreError) for value in values]
