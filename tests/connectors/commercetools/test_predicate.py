"""The sandbox understands the vendor's query predicates, and refuses what the vendor refuses."""

from typing import Any

import pytest

from connectors.commercetools.sandbox_predicate import Malformed, predicate

FIELDS = frozenset(
    {"id", "email", "version", "isEmailVerified", "lastModifiedAt", "custom", "addresses", "stores", "ids"}
)
ANNA: dict[str, Any] = {
    "id": "b",
    "email": 'anna"s@example.com',
    "version": 3,
    "isEmailVerified": True,
    "lastModifiedAt": "2026-03-14T08:15:30.125Z",
    "custom": {"fields": {"loyaltyNumber": "LC1", "points": 12.5}},
    "addresses": [{"postalCode": "1010", "city": "Riga"}, {"postalCode": "2020", "city": "Jurmala"}],
    "ids": ["x", "y"],
}


def holds(text: str, **variables: str) -> bool:
    return predicate(text, variables, FIELDS)(ANNA)


@pytest.mark.parametrize(
    "text",
    [
        'id = "b"',
        'id != "c" and id <> "d"',
        'id > "a" and id <= "b"',
        "version >= 3 and version < 4",
        "isEmailVerified = true",
        'email = "anna\\"s@example.com"',
        'lastModifiedAt = "2026-03-14T09:15:30.125+01:00"',
        'lastModifiedAt > "2026-03-14T08:15:30.124Z" and lastModifiedAt < "2026-03-14T08:15:30.126Z"',
        'id = "x" or id = "y" or id = "b"',
        'id = "b" or version = 9 and id = "x"',
        'not(id = "a") and not (version in (1, 2))',
        'id in ("a", "b")',
        'id not in ("a", "c")',
        'custom(fields(loyaltyNumber = "LC1" and points > 12))',
        'custom(fields(loyaltyNumber in ("LC1", "LC2")))',
        "custom(fields(`loyaltyNumber` is defined))",
        "custom(fields(tier is not defined)) and stores is not defined",
        'addresses(postalCode = "2020" and city = "Jurmala")',
        'ids contains any ("y", "z") and ids contains all ("x", "y")',
        "stores is empty and ids is not empty",
        '((id = "b"))',
    ],
)
def test_a_true_predicate_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        'id = "a"',
        'addresses(postalCode = "2020" and city = "Riga")',
        'stores(key = "x")',
        'custom(fields(tier = "gold"))',
        'custom(fields(tier != "gold"))',
        'not(id in ("a", "b"))',
        '(id = "b" or version = 9) and id = "x"',
    ],
)
def test_a_false_predicate_does_not_hold(text: str) -> None:
    assert not holds(text)


def test_variables_take_the_type_of_their_field() -> None:
    assert holds("version = :v and id in :ids and lastModifiedAt >= :t", v="3", ids="b", t="2026-01-01T00:00:00.000Z")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id",
        "id =",
        "id = b",
        'id = "b" and',
        'id = "b" version = 3',
        '(id = "b"',
        'nickname = "x"',
        'version = "3"',
        'lastModifiedAt > "yesterday"',
        'lastModifiedAt > "2026-03-14T08:15:30"',
        "id = :missing",
        'id ~ "b"',
        "(" * 40,
    ],
)
def test_a_malformed_predicate_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        holds(text)
