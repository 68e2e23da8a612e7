"""Receipts out of a delimited drop: several lines of one receipt are brought together, and read by header."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.drops import Damaged
from connectors.pos.columns import Columns
from connectors.pos.dialect import unposted_status
from connectors.pos.elements import told_currency, told_identity, without_prefix
from connectors.pos.receipt import Unposted
from connectors.pos.tables import Row, Table, delimited, written
from connectors.pos.terms import Terms
from models.landing import Reason
from models.records import ContactPoint, Identifier, PostalAddress

Told = dict[str, Any]
Line = Mapping[str, str | None]

_TYPES: Final = {
    "SALE": "sale",
    "RETN": "return",
    "RETURN": "return",
    "EXCH": "return",
    "ADJU": "adjustment",
}
"""In an exchange the EXCH line is what comes back; what goes out is a SALE line of the same receipt."""
_ONE_PERSON: Final = ("customer", "loyalty_number", "email", "phone", "currency")
"""Lines of one receipt that contradict each other here may belong to two people: the receipt is refused."""
_LOST: Final = re.compile(r"row \d+ of .* cannot be read")
_NEEDED: Final = ("store", "till", "type", "quantity")


@dataclass(slots=True)
class _Group:
    rows: list[tuple[str, ...]] = field(default_factory=list)
    seen: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, cells: tuple[str, ...], numbered: bool) -> None:
        if numbered and cells in self.seen:
            return
        self.seen.add(cells)
        self.rows.append(cells)


def receipts(name: str, table: Table, columns: Columns) -> Iterator[str]:
    """The lines of each receipt under their header, as delimited text, in the order in which receipts begin.

    A line that comes twice with its number is kept once. A row that cannot be read stays with its receipt, or alone, as
    a row of the wrong width: who reads it again refuses it again. Raises Damaged if columns are missing.
    """
    places = columns.places(table.header)
    missing = [word for word in _NEEDED if word not in places]
    missing += ["receipt"] if "receipt" not in places and "sequence" not in places else []
    if missing:
        raise Damaged("no column for " + ", ".join(missing))
    landing = columns.landing(table.header)
    header = [table.header[place] for place in landing]
    for group in _grouped(name, table, places).values():
        yield written(header, [_landing(cells, landing, len(table.header)) for cells in group.rows])


def _landing(cells: tuple[str, ...], landing: Sequence[int], width: int) -> list[str]:
    """The cells that may land. A row that is too long or too short stays so, to be refused."""
    return [cells[place] for place in landing if place < len(cells)] + list(cells[width:])


def _grouped(name: str, table: Table, places: Mapping[str, int]) -> dict[tuple[str, ...], _Group]:
    groups: dict[tuple[str, ...], _Group] = {}
    last: tuple[str, ...] | None = None
    torn: tuple[str, ...] | None = None
    for row in table.rows:
        key, torn = _key(row, places), None
        if key is None:
            lost = (f"row {row.number} of {name} cannot be read",)
            groups.setdefault(lost, _Group()).add(lost, numbered=False)
            torn = lost if row.torn else None
        else:
            last = key
            groups.setdefault(key, _Group()).add(row.cells, numbered="line" in places)
    if torn and last:
        del groups[torn]
        groups[last].add(torn, numbered=False)
    return groups


def _key(row: Row, places: Mapping[str, int]) -> tuple[str, ...] | None:
    """Store, till, day and number of the receipt that a row belongs to; None if the row may end within them."""
    when = places.get("business_day", places.get("at", places["store"]))
    number = places.get("receipt", places.get("sequence", places["store"]))
    needed = (places["store"], places["till"], when, number)
    if max(needed) >= len(row.cells) - (1 if row.torn else 0):
        return None
    store, till, day, receipt = (row.cells[place].strip() for place in needed)
    return (store, till, day[:10], receipt)


def told_by_lines(raw: str, terms: Terms) -> Told | Unposted | tuple[Reason, ...]:
    """The texts of one receipt by our names, why it is not posted, or why it cannot be read."""
    try:
        table = delimited(raw)
    except Damaged as damage:
        return (Reason(path="", problem=str(damage)),)
    rows = list(table.rows)
    problems = [_problem(row) for row in rows if row.problem]
    if problems or not rows:
        return tuple(problems) or (Reason(path="", problem="there are no lines"),)
    lines = _named(table.header, rows, terms)
    return _contradictions(lines) or _unposted(lines) or _told(lines)


def _problem(row: Row) -> Reason:
    """Where it is in the drop, if it stands alone because nobody could read it; else where it is in its receipt."""
    alone = row.cells[0] if len(row.cells) == 1 and _LOST.fullmatch(row.cells[0]) else None
    return Reason(path="", problem=alone) if alone else Reason(path=f"rows[{row.number - 1}]", problem=str(row.problem))


def _named(header: Sequence[str], rows: Sequence[Row], terms: Terms) -> list[Line]:
    places = terms.receipt_headers().places(header)
    lines = [{word: row.cells[place].strip() or None for word, place in places.items()} for row in rows]
    numbers = ("quantity", "amount", "unit_price", "discount", "tax", "total", "points_earned", "points_redeemed")
    if terms.decimal_mark == ",":
        for line in lines:
            line.update({word: _with_point(line[word]) for word in numbers if word in line})
    return list(lines)


def _with_point(number: str | None) -> str | None:
    return None if number is None else number.replace(".", "").replace(",", ".")


def _contradictions(lines: Sequence[Line]) -> tuple[Reason, ...]:
    reasons = []
    for word in _ONE_PERSON:
        if len({line.get(word) for line in lines if line.get(word)}) > 1:
            reasons.append(Reason(path=word, problem="the lines of this receipt contradict each other"))
    numbers = Counter(line.get("line") for line in lines if line.get("line"))
    if any(count > 1 for count in numbers.values()):
        reasons.append(Reason(path="line", problem="a line number comes twice with different content"))
    for index, line in enumerate(lines):
        if (line.get("type") or "").upper() not in _TYPES:
            reasons.append(Reason(path=f"lines[{index}].type", problem="expected SALE, RETN, EXCH or ADJU"))
    return tuple(reasons)


def _unposted(lines: Sequence[Line]) -> Unposted | None:
    status = unposted_status(_first(lines, "status"))
    if status is not None:
        return Unposted(why=status)
    stock_only = all(_is_adjustment(line) and not (line.get("amount") or "").strip("0.+-") for line in lines)
    return Unposted(why="ADJU") if stock_only else None


def _is_adjustment(line: Line) -> bool:
    return (line.get("type") or "").upper() == "ADJU"


def _first(lines: Sequence[Line], word: str) -> str | None:
    return next((value for line in lines if (value := line.get(word))), None)


def _told(lines: Sequence[Line]) -> Told:
    head = {word: _first(lines, word) for word in ("store", "till", "business_day", "transaction_id", "cashier")}
    status = _first(lines, "status")
    loyalty_number = told_identity(_first(lines, "loyalty_number"))
    transaction_id = head["transaction_id"]
    return {
        **head,
        "sequence": _first(lines, "receipt") or _first(lines, "sequence"),
        "status": status,
        "at": max((at for line in lines if (at := line.get("at"))), default=None),
        "currency": told_currency(_first(lines, "currency")),
        "total": _first(lines, "total"),
        "lines": [_line(line, index) for index, line in enumerate(lines, start=1)],
        "tenders": _tenders(lines),
        "person": _person(lines, loyalty_number),
        "accounts": [{"account": loyalty_number}] if loyalty_number else [],
        "points": list(_points(lines)),
        "post_voids": _original(lines[0]) if _is_post_void(status) else None,
        "attributes": {"transaction_id": transaction_id} if transaction_id else {},
    }


def _is_post_void(status: str | None) -> bool:
    return (without_prefix(status) or "").casefold() == "postvoided"


def _line(line: Line, index: int) -> Told:
    kind = _TYPES[(line.get("type") or "").upper()]
    told: Told = {word: line.get(word) for word in ("sku", "name", "quantity", "amount", "unit_price")}
    told |= {"line_id": line.get("line") or str(index), "kind": kind, "link": _original(line)}
    told["discounts"] = [{"amount": line["discount"]}] if (line.get("discount") or "").strip("0.+-") else []
    told["taxes"] = [{"amount": line["tax"]}] if line.get("tax") else []
    return {name: value for name, value in told.items() if value is not None}


def _original(line: Line) -> Told:
    return {
        "store": line.get("original_store"),
        "till": line.get("original_till"),
        "business_day": line.get("original_day"),
        "sequence": line.get("original_receipt"),
        "line": line.get("original_line"),
    }


def _tenders(lines: Sequence[Line]) -> list[Told]:
    """A payment, where the drop names one and the total that it paid."""
    tender, total = _first(lines, "tender"), _first(lines, "total")
    return [{"tender": tender, "amount": total}] if tender and total else []


def _points(lines: Sequence[Line]) -> Iterator[Told]:
    """Points stand on every line of a receipt, or on its first: they are those of the whole receipt."""
    for word, movement in (("points_earned", "earn"), ("points_redeemed", "redeem")):
        points = _first(lines, word)
        if points:
            yield {"movement": movement, "points": points}


def _person(lines: Sequence[Line], loyalty_number: str | None) -> Told | None:
    """What a Person is made of."""
    told: Told = {word: _first(lines, word) for word in ("given_name", "family_name", "full_name")}
    address = {word: _first(lines, word) for word in ("line1", "postcode", "city", "country")}
    contacts = {"email": _first(lines, "email"), "phone": _first(lines, "phone")}
    ids = {"pos_customer": told_identity(_first(lines, "customer")), "loyalty_number": loyalty_number}
    told["addresses"] = (PostalAddress.model_validate(address),) if any(address.values()) else ()
    told["contact_points"] = tuple(
        ContactPoint.model_validate({"kind": kind, "value": value}) for kind, value in contacts.items() if value
    )
    told["identifiers"] = tuple(Identifier(kind=kind, value=value) for kind, value in ids.items() if value)
    return told if any(told.values()) else None
