"""The one loader of the project's Markdown texts: YAML front matter, then sections under level-2 headings."""

import re
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from teachwhy.errors import TextError, nearest

_HEADING = re.compile(r"^##[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n(.*))?\Z", re.DOTALL | re.MULTILINE)


class Meta(BaseModel):
    """Base of every front matter: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


M = TypeVar("M", bound=BaseModel)


def _whole(value: object) -> object:
    """A lone surrogate (half a character, from a cut byte stream) cannot be written as UTF-8: it becomes U+FFFD."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value


Untrusted = Annotated[str, BeforeValidator(_whole)]
"""Text that a model wrote or may have influenced."""


@dataclass(frozen=True)
class Text(Generic[M]):
    """A Markdown text: its typed front matter, what stands before the first heading, and its sections by heading."""

    path: Path
    meta: M
    lead: str
    sections: dict[str, str]


def read_utf8(path: Path) -> str:
    """The text of a file (without the byte order mark that some editors put first).

    Raises:
        TextError: the file is missing, cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise TextError("there is no such file", where=path) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise TextError("the file is not UTF-8", where=f"{path}, line {line}", mend="save it as UTF-8") from None
    except OSError as error:
        raise TextError(f"the file cannot be read: {error.strerror}", where=path) from None


def load_text(path: Path, meta: type[M]) -> Text[M]:
    """Read one Markdown text.

    Raises:
        TextError: no front matter, front matter that ``meta`` refuses, or a heading used twice.
    """
    match = _FRONT.match(read_utf8(path))
    if match is None:
        raise TextError("the file does not begin with front matter between two --- lines", where=path)
    try:
        front = yaml.safe_load(match[1]) or {}
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        raise TextError(f"the front matter is not YAML: {error}", where=path) from None
    pieces = _HEADING.split(match[2] or "")
    names, bodies = pieces[1::2], [body.strip() for body in pieces[2::2]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TextError(f"the section '## {twice[0]}' stands twice", where=path, mend="rename or merge one")
    return Text(path, validated(meta, front, where=path), pieces[0].strip(), dict(zip(names, bodies, strict=True)))


def validated(model: type[M], data: object, *, where: object, error: type[Exception] = TextError) -> M:
    """``model.model_validate`` whose failure is one of our errors, with the nearest name for an unknown key."""
    try:
        return model.model_validate(data)
    except ValidationError as failure:
        what, mend = _fault(model, failure.errors())
        raise error(what, where=where, mend=mend) from None  # type: ignore[call-arg]


def _fault(model: type[BaseModel], errors: list[ErrorDetails]) -> tuple[str, str]:
    """What is wrong and its mend. A misspelt key is also a missing one; the misspelling is what helps."""
    first = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown key '{place}'", nearest(str(first["loc"][-1]), _known_keys(model, first["loc"]))
    if first["type"] == "missing":
        return f"the key '{place}' is missing", f"add it; so far it is {reprlib.repr(first['input'])}"
    said = first["msg"].removeprefix("Value error, ")
    return f"'{place}': {said}" if place else said, f"it is {reprlib.repr(first['input'])} now"


def _known_keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The valid keys at the place where pydantic found an unknown one (best effort through nested models)."""
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        inner = [] if field is None else [a for a in _types(field.annotation) if issubclass(a, BaseModel)]
        model = inner[0] if inner else model
    return [field.alias or name for name, field in model.model_fields.items()]


def _types(annotation: object) -> list[type]:
    arguments = getattr(annotation, "__args__", ())
    return [annotation] if isinstance(annotation, type) and not arguments else [t for a in arguments for t in _types(a)]
