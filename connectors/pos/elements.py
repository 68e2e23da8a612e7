"""Looking things up in an element whose names are local ones."""

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

Parts = dict[str, list[Element]]

_YES: Final = frozenset({"true", "1", "y", "yes"})


def children(element: Element | None, *names: str) -> Iterator[Element]:
    """Direct children with one of these names, in the order of the document."""
    if element is None:
        return iter(())
    return (child for child in element if child.tag in names) if len(names) > 1 else iter(element.findall(names[0]))


def parts(element: Element | None) -> Parts:
    """The children by name: one pass where many names are asked for."""
    found: Parts = {}
    for part in element if element is not None else ():
        if part.tag in found:
            found[part.tag].append(part)
        else:
            found[part.tag] = [part]
    return found


def first(of: Parts, name: str) -> Element | None:
    """The first child of a name."""
    found = of.get(name)
    return found[0] if found else None


def said(of: Parts, name: str) -> str | None:
    """The text of the first child of a name, stripped; None where there is none or nothing in it."""
    found = of.get(name)
    told = found[0].text if found else None
    return told.strip() or None if told else None


def child(element: Element | None, *path: str) -> Element | None:
    """The first child by name, then its first child by the next name, and so on."""
    for name in path:
        if element is None:
            return None
        element = element.find(name)
    return element


def text(element: Element | None, *path: str) -> str | None:
    """The text at the end of a path, stripped; None where there is no element or nothing in it."""
    for name in path:
        if element is None:
            return None
        element = element.find(name)
    return element.text.strip() or None if element is not None and element.text else None


def attribute(element: Element | None, *names: str) -> str | None:
    """The first of these attributes that is there and says something."""
    if element is None:
        return None
    for name in names:
        value = element.get(name)
        if value and (value := value.strip()):
            return value
    return None


def flagged(element: Element | None, *names: str) -> bool:
    """Whether one of these flags stands on the element and says yes."""
    if element is None or not element.keys():
        return False
    return any(says_yes(element.get(name, "").strip()) for name in names)


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
