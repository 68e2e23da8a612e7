"""A file as somebody else would send it: the shops' customers, exported by an agency with columns of its own."""

from pathlib import Path
from typing import Any, Final

import polars as pl

from connectors.sandbox.population import Population

FILE: Final = "mailing_list.csv"

_COLUMNS: Final = {
    "source_id": "Member No",
    "given_name": "First name",
    "family_name": "Last name",
    "email": "E-mail",
    "phone": "Mobile",
    "address_line": "Street",
    "postcode": "Zip",
    "city": "Town",
    "country": "Country",
    "birth_date": "Born",
    "modified_at": "Changed",
}
_EVERY: Final = 3
"""The agency knows one in so many of the customers."""


def write_drop(population: Population, directory: Path) -> int:
    """Write the export; the same bytes for the same population. Returns the number of rows."""
    directory.mkdir(parents=True, exist_ok=True)
    shops = pl.col("system").is_in(["bigcommerce", "commercetools", "magento"]) & (pl.col("object") == "customer")
    kept = pl.col("deleted_at").is_null() & pl.col("modified_at").is_not_null()
    rows = (
        population.records.filter(shops & kept)
        .sort("system", "source_id")
        .gather_every(_EVERY)
        .with_columns(pl.col("modified_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
        .select(pl.col(ours).alias(theirs) for ours, theirs in _COLUMNS.items())
        .collect()
    )
    rows.write_csv(directory / FILE)
    return rows.height


def settings(population: Population, directory: Path) -> dict[str, Any]:
    """The settings by which the source reads such a drop."""
    columns = {
        "given_name": "First name",
        "family_name": "Last name",
        "email": ["E-mail"],
        "phone": ["Mobile"],
        "line1": "Street",
        "postcode": "Zip",
        "city": "Town",
        "country": "Country",
        "birth_date": "Born",
    }
    pattern = {"files": FILE, "id": "Member No", "changed_at": "Changed", "columns": columns}
    return {"folder": directory, "patterns": {"mailing_list": pattern}}
