"""The stand-in's daily files: what changed on a day, with the trailer and the marker that make a file whole."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import orjson

from connectors.aptos.source_map import Layout, SourceMap
from connectors.payload import read_path
from connectors.sandbox.receiving import Body, Dialect

_FEED = {
    "customer": "customers",
    "transaction": "transactions",
    "loyalty_account": "loyalty_accounts",
    "loyalty_entry": "loyalty_entries",
    "interaction": "interactions",
}
_ANSWERS = {"opt_in": "Y", "opt_out": "N", "pending": "P", "unknown": "U"}


class Changed(Protocol):
    """What the writer needs of the CRM."""

    changes: list[tuple[str, Body]]


@dataclass(frozen=True)
class DayWriter:
    """Writes the files of one day, under the names and with the columns of a map.

    dialect: the names of fields in NDJSON, and of columns, where they are not the contract's.
    """

    folder: Path
    source: SourceMap
    dialect: Dialect = field(default_factory=Dialect)

    def write(self, shop: Changed, day: date, sequence: int = 1) -> list[Path]:
        """What changed on this day in UTC, a file for each object that the map has files of. Returns the files."""
        return [
            self._write(object_, read.file, _of_day(shop, _FEED[object_], day), day, sequence)
            for object_, read in self.source.objects.items()
            if read.file is not None
        ]

    def _write(self, object_: str, layout: Layout, items: Iterable[Body], day: date, sequence: int) -> Path:
        name = layout.pattern.replace("{yyyymmdd}", f"{day:%Y%m%d}").replace("{seq}", f"{sequence:04d}")
        if layout.form == "ndjson":
            return self.put(name, "", [orjson.dumps(self.dialect.said(item)).decode() for item in items])
        columns = list(dict.fromkeys(pick.source for pick in layout.fields if pick.source))
        contract = {theirs: name for name, theirs in self.dialect.names.items()}
        rows = [_cells(item) for item in items]
        told = [layout.delimiter.join(row.get(contract.get(name, name), "") for name in columns) for row in rows]
        return self.put(name, layout.delimiter.join(columns), told)

    def put(self, name: str, header: str, rows: Sequence[str]) -> Path:
        """Write a file with its trailer, then its marker."""
        data = "".join(f"{row}\n" for row in rows).encode()
        digest = hashlib.sha256(data).hexdigest()
        trailer = self.source.files.trailer.replace("{count}", str(len(rows))).replace("{sha256}", digest)
        path = self.folder / name
        path.write_bytes((f"{header}\n" if header else "").encode() + data + f"{trailer}\n".encode())
        (self.folder / f"{name}{self.source.files.done_suffix}").touch()
        return path


def _of_day(shop: Changed, object_: str, day: date) -> list[Body]:
    return [
        body
        for kind, body in shop.changes
        if kind == object_ and datetime.fromisoformat(body["modifiedAt"]).date() == day
    ]


def _cells(customer: Body) -> Mapping[str, str]:
    """A customer in the columns of a flat file: of each list the first."""
    consents = {one["channel"]: one for one in reversed(customer.get("consents", []))}
    told: Mapping[str, Any] = {
        "ACTION": "D" if customer.get("status") == "merged" else "U",
        "CUSTOMER_NO": customer["customerNumber"],
        "ALT_SYSTEM": read_path(customer, "alternateKeys.0.system"),
        "ALT_KEY": read_path(customer, "alternateKeys.0.value"),
        "FIRST_NAME": customer.get("firstName"),
        "LAST_NAME": customer.get("lastName"),
        "EMAIL": read_path(customer, "emails.0.value"),
        "EMAIL_TYPE": read_path(customer, "emails.0.type"),
        "PHONE": read_path(customer, "phones.0.value"),
        "PHONE_TYPE": read_path(customer, "phones.0.type"),
        "ADDR_TYPE": read_path(customer, "addresses.0.type"),
        "ADDR1": read_path(customer, "addresses.0.line1"),
        "CITY": read_path(customer, "addresses.0.city"),
        "POSTAL": read_path(customer, "addresses.0.postalCode"),
        "COUNTRY": read_path(customer, "addresses.0.country"),
        "STORE_OF_RECORD": customer.get("storeOfRecord"),
        "EMAIL_OPTIN": _ANSWERS.get(consents.get("email", {}).get("status", "")),
        "EMAIL_OPTIN_TS": consents.get("email", {}).get("capturedAt"),
        "SMS_OPTIN": _ANSWERS.get(consents.get("sms", {}).get("status", "")),
        "SMS_OPTIN_TS": consents.get("sms", {}).get("capturedAt"),
        "MODIFIED_TS": customer["modifiedAt"],
    }
    return {name: str(value) for name, value in told.items() if value is not None}
