"""Looking things up in an element whose names are local ones."""

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

_YES: Final = frozenset({"true", "1", "y", "yes"})


def children(element: Element | None, *names: str) -> Iterator[Element]:
    """Direct children with one of these names, in the order of the document."""
    if element is None:
        return iter(())
    return (child for child in element if child.tag in names) if len(names) > 1 else iter(element.findall(names[0]))


def child(element: Element | None, *path: str) -> Element | None:
    """The first child by name, then its first child by the next name, and so on."""
    for name in path:
        if element is None:
            return None
        element = element.find(name)
    return element


def text(element: Element | None, *path: str) -> str | None:
    """The text at the end of a path, stripped; None where there is no element or nothing in it."""
    found = child(element, *path)
    return _stripped(found.text) if found is not None else None


def attribute(element: Element | None, *names: str) -> str | None:
    """The first of these attributes that is there and says something."""
    if element is None or not element.attrib:
        return None
    return next((value for name in names if (value := element.get(name, "").strip())), None)


def flagged(element: Element | None, *names: str) -> bool:
    """Whether one of these flags stands on the element and says yes."""
    if element is None or not element.attrib:
        return False
    return any(element.get(name, "").strip().casefold() in _YES for name in names)


def says_yes(value: str | None) -> bool:
    """Whether a text means yes."""
    return (value or "").casefold() in _YES


def without_prefix(value: str | None) -> str | None:
    """A value of an open code list without the vendor's `prefix:`."""
    return value.rpartition(":")[2] if value else None


def told_identity(value: str | None) -> str | None:
    """An identifier, or None where the till filled its width with zeros."""
    return value if value and value.strip("0") else None


def told_currency(value: str | None) -> str | None:
    """A currency, or None for XXX, which means that there is none."""
    return value if value and value != "XXX" else None


def _stripped(value: str | None) -> str | None:
    return (value or "").strip() or None
