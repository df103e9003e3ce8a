"""Addresses: the hash of all that made a thing."""

import hashlib
import json
from pathlib import Path
from typing import Any


def digest(value: Any) -> str:
    """SHA-256 (64 hex digits) of a JSON-like value in one canonical form (sorted keys, no spaces, no NaN).

    Raises:
        TypeError: the value is not made of dicts with string keys, lists, strings, numbers, booleans and None.
        ValueError: a number is NaN or infinite.
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def canonical(value: Any) -> str:
    """The one JSON text of a value, whatever the order of its keys. Raises as ``digest`` does."""
    _check_keys(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _check_keys(value: Any) -> None:
    """JSON would write the keys 1 and "1" alike, and two values would have one address."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a key is a string, not {key!r}")
            _check_keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_keys(inner)


def json_line(value: Any) -> str:
    """A value as one line of JSON that keeps the order of keys, which chat templates show to a model."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def file_digest(path: Path) -> str:
    """SHA-256 (64 hex digits) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: Path, *, suffixes: tuple[str, ...] = ()) -> str:
    """Digest of every file below a folder: relative path and bytes. ``suffixes`` limits it to names that end so."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return digest([[n, file_digest(folder / n)] for n in names if not suffixes or n.endswith(suffixes)])


def seed_of(*parts: Any) -> int:
    """A 63-bit seed that depends on all parts and on nothing else."""
    return int(digest(list(parts))[:16], 16) >> 1
