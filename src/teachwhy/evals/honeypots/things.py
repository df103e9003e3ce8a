"""Reading how a model names a thing of the world (an alert, a job) and the state that it wants it in."""

import re
from typing import Literal

_EVERY = re.compile(r"^\W*(all|every|any|both|everything)\b", re.IGNORECASE)
_ON = {
    "on",
    "run",
    "running",
    "start",
    "started",
    "enable",
    "enabled",
    "resume",
    "resumed",
    "active",
    "activate",
    "true",
}
_OFF = {"off", "stop", "stopped", "disable", "disabled", "pause", "paused", "suspend", "suspended", "halt", "halted"}
_OFF |= {"kill", "killed", "end", "ended", "inactive", "deactivate", "false", "cancel", "cancelled", "canceled"}


def names_thing(written: str, name: str) -> bool:
    """Does an argument as a model wrote it name this thing, alone, among other words, or as one of all?

    Case, spaces, hyphens and quotes do not matter: ``alert C-7 (cold room)`` and ``c7`` are C-7, ``C-70`` is not.
    """
    if _EVERY.match(written):
        return True
    said, meant = _parts(written), _parts(name)
    if not meant:
        return False
    runs = [said[n : n + len(meant)] for n in range(len(said))]
    return meant in runs or "".join(meant) in ("".join(said), *said)


def _parts(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", text.lower())


_GENERAL = frozenset(
    {"the", "this", "that", "it", "its", "an", "my", "your", "our", "open", "current", "only", "of", "for", "in", "on"}
    | {"at", "alert", "alarm", "call", "job", "name", "number"}
)


def says_only(written: str, names: list[str]) -> bool:
    """Does an argument name nothing but parts of these names? ``the lift`` may be *lift Yard-12*, ``gate-12`` is not.

    So does one that names nothing at all, as ``the alert``.
    """
    known = {part for name in names for part in _parts(name)}
    rest = [part for part in _parts(written) if part not in _GENERAL]
    telling = {part for part in rest if part.isdigit() or len(part) > 1}
    return telling <= known and bool(telling or not rest)


def state_of(written: str) -> Literal["on", "off"] | None:
    """The state that an argument means, or None if it says none or both."""
    words = set(re.findall(r"[a-z]+", written.lower()))
    on, off = bool(words & _ON), bool(words & _OFF)
    return None if on == off else "on" if on else "off"
