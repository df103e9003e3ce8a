"""Untrusted text made visible and inert, for HTML and for Markdown (law 10)."""

import re
import unicodedata
from functools import lru_cache

KEPT = "\n\t\u200c\u200d"
"""Control and format characters that stay: line feed, tab, and the joiners of scripts and emoji."""

HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Unicode categories that no reader sees, or that move or hide what stands around them (ANSI codes, bidi overrides,
tag characters, line separators)."""


class Md(str):
    """A string that already is Markdown."""

    __slots__ = ()


def visible(text: str) -> str:
    """The text with every hidden character shown by a symbol or its code point; Windows line ends become plain ones."""
    return "".join(map(_shown, text.replace("\r\n", "\n")))


@lru_cache(maxsize=4096)
def _shown(char: str) -> str:
    code = ord(char)
    hidden = unicodedata.category(char) in HIDDEN or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    if char in KEPT or not hidden:
        return char
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def one_line(text: str) -> str:
    """Visible, with all white space (line ends too) made single spaces."""
    return " ".join(visible(text).split())


_ENTITY = re.compile(r"&(?=[#\w])")
_SPECIAL = re.compile(r"[\\`*\[\]~|$]|<(?![\s\d=])|(?<![^\W_])_|_(?![^\W_])")
_NUMBERS = re.compile(r"\\\[([−+]?\d[−+\d., ]*)\\\](?![(\[:])")
_START = re.compile(r"^([-+](?=[\s-]|$)|[#=>]|\d+[.)](?=\s|$))")
_LINKS = re.compile(r"(?i)\b(?:(https?|ftp)://|(www)\.|(mailto|xmpp):)")


def escaped(text: str) -> Md:
    """One line of text that Markdown (CommonMark and GitHub's) shows as it is: no markup, HTML, link, table or list."""
    line = _SPECIAL.sub(r"\\\g<0>", _ENTITY.sub("&amp;", one_line(text)))
    line = _NUMBERS.sub(r"[\1]", line)
    line = _LINKS.sub(_unlinked, line).replace("@", "&#64;")
    return Md(_START.sub(lambda match: f"{match[0][:-1]}\\{match[0][-1]}", line))


def _unlinked(match: re.Match[str]) -> str:
    if match[1]:
        return f"{match[1]}&#58;//"
    return f"{match[2]}&#46;" if match[2] else f"{match[3]}&#58;"


def fenced(text: str) -> Md:
    """The text in a code fence longer than any in it."""
    shown = visible(text)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return Md(f"{fence}text\n{shown}\n{fence}")


def code(text: str) -> Md:
    """The text in a code span longer than any in it, fit for a table cell."""
    line = one_line(text)
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return Md(f"{ticks}{pad}{line}{pad}{ticks}".replace("|", "\\|"))


def together(text: str) -> str:
    """Our own sentences with the sign kept beside its number: no line break in "39.1 %" or "p = 0.012"."""
    return re.sub(r"(?<=[\dp=<]) (?=%|points?\b|[=<\d])|(?<=\d,) (?=[−+\d.]+\])", "\u00a0", text)
