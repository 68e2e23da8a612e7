"""The text of a transaction is the one that the standard library writes, once what must not land is taken out."""

from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.pos.written import forget_namespaces, written
from tests.connectors.pos.tills import FIXTURES

CARDS = ("PrimaryAccountNumber", "Track1Data", "Track2Data", "Track3Data", "CardSecurityCode")
SPACES = ("", "{urn:a}", "{urn:b&c}", "{http://www.w3.org/2001/XMLSchema-instance}", "{http://www.w3.org/1999/xhtml}")
NAMES = ("A", "B", "LoyaltyCard", "OperatorName", "PrimaryAccountNumber", "Track2Data")
TEXTS = st.none() | st.sampled_from(("", " \n ", "\u00a0", "x", " x ", "a & <b> \"c\" 'd'\r\n\t", "Zoë 東", "]]>"))
NAME = st.builds("".join, st.tuples(st.sampled_from(SPACES), st.sampled_from(NAMES)))


def grown(children: st.SearchStrategy[Element]) -> st.SearchStrategy[Element]:
    return st.builds(
        element,
        NAME,
        st.dictionaries(NAME, TEXTS.map(lambda text: text or ""), max_size=3),
        TEXTS,
        TEXTS,
        st.lists(children, max_size=4),
    )


def element(
    tag: str, attributes: dict[str, str], text: str | None, tail: str | None, children: list[Element]
) -> Element:
    made = Element(tag, attributes)
    made.text, made.tail = text, tail
    made.extend(children)
    return made


def cleaned(part: Element) -> Element:
    """A slow and plain reading of the same rules."""
    attributes = {name: value for name, value in part.items() if not name.endswith("OperatorName")}
    made = Element(part.tag, attributes)
    made.text = None if part.text is None or part.text.isspace() else part.text
    for child in part:
        if part.tag.endswith("LoyaltyCard") or not child.tag.endswith(CARDS):
            kept = cleaned(child)
            kept.tail = None if child.tail is None or child.tail.isspace() else child.tail
            made.append(kept)
    return made


@settings(max_examples=300, deadline=None)
@given(st.recursive(st.builds(Element, NAME), grown, max_leaves=12))
def test_it_is_what_the_standard_library_writes(tree: Element) -> None:
    tree.tail = None
    assert written(tree) == tostring(cleaned(tree), encoding="unicode")


@pytest.mark.parametrize("name", ["v6_sale_loyalty.xml", "v22_flat.xml", "v21_loyalty_line.xml", "no_namespace.xml"])
def test_every_dialect_is_written_so(name: str) -> None:
    for transaction in fromstring((FIXTURES / name).read_bytes()):
        transaction.tail = None
        assert written(transaction) == tostring(cleaned(transaction), encoding="unicode")


def test_names_are_local_when_namespaces_are_forgotten() -> None:
    tree = fromstring('<a:R xmlns:a="urn:a"><a:B a:c="1" c="2" a:d="3"/></a:R>')
    forget_namespaces(tree)
    assert [(part.tag, part.get("c"), part.get("d")) for part in tree.iter()] == [("R", None, None), ("B", "2", "3")]
