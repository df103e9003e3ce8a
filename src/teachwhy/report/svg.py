"""A figure made fit for the page: no outside reference, own ids, the page's colours, a title that is read out."""

import re
from xml.etree import ElementTree as Xml

from markupsafe import Markup

from teachwhy.report.figures import INK, POTS, QUIET, RULE, TWINS

_COLOURS = {INK: "ink", QUIET: "quiet", RULE: "rule", POTS: "pots", TWINS: "twins", "#ffffff": "paper"}
_FONT = re.compile(r"(font: [^;]*?px) [^;]*")


def inline(svg: bytes, prefix: str, title: str, says: str) -> Markup:
    """The SVG as an element of an HTML page.

    Args:
        prefix: begins every id, so that several figures can stand on one page.
        title, says: name and description for those who hear the page.
    """
    root = Xml.fromstring(svg)
    for parent in root.iter():
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {_local(key): _value(_local(key), value, prefix) for key, value in element.attrib.items()}
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-labelledby": f"{prefix}-t {prefix}-d"}
    named = Xml.Element("title", id=f"{prefix}-t"), Xml.Element("desc", id=f"{prefix}-d")
    named[0].text, named[1].text = title, says
    root[0:0] = named
    return Markup(Xml.tostring(root, encoding="unicode"))


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _value(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    if key == "href":
        return value.replace("#", f"#{prefix}-", 1)
    value = value.replace("url(#", f"url(#{prefix}-")
    if key == "style":
        for colour, name in _COLOURS.items():
            value = value.replace(colour, f"var(--{name})")
        value = _FONT.sub(r"\1 var(--sans)", value)
    return value
