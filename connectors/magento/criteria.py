"""The vendor's search criteria as a query string: groups are all to hold, of a group's filters any."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote


class Filter(NamedTuple):
    """One condition, e.g. `Filter("entity_id", "gt", "42")`; the vendor knows eq, gt, gteq, lteq, in and more."""

    field: str
    condition: str
    value: str


Group = tuple[Filter, ...]


def query(
    groups: Sequence[Group], *, order: Sequence[str], page_size: int, page: int = 1, fields: str | None = None
) -> str:
    """The query string, sorted by `order`, downwards by `-field`; pages without an order are in none.

    Blanks are `%20`: the vendor checks signatures as if a `+` were a plus sign.
    """
    pairs: list[tuple[str, str]] = []
    for at, group in enumerate(groups):
        for place, one in enumerate(group):
            name = f"searchCriteria[filterGroups][{at}][filters][{place}]"
            pairs += [
                (f"{name}[field]", one.field),
                (f"{name}[value]", one.value),
                (f"{name}[conditionType]", one.condition),
            ]
    for at, field in enumerate(order):
        pairs.append((f"searchCriteria[sortOrders][{at}][field]", field.removeprefix("-")))
        pairs.append((f"searchCriteria[sortOrders][{at}][direction]", "DESC" if field.startswith("-") else "ASC"))
    pairs += [("searchCriteria[pageSize]", str(page_size)), ("searchCriteria[currentPage]", str(page))]
    if fields:
        pairs.append(("fields", fields))
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
