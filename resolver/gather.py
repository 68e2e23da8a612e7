"""Gather what current source records tell, by person.

-> derived.told, told_identifier, told_consent, purchase, waiting
"""

from resolver.run import Run
from resolver.warehouse import queries, transaction

_QUERIES = queries("gather")
_ORDER = (
    "clear",
    "settlements",
    "purchases",
    "persons",
    "contacts",
    "addresses",
    "countries",
    "identifiers",
    "consents",
    "told",
    "waiting",
)


def records(run: Run) -> None:
    """Rebuild the derived tables of what is told; nothing is cleaned here."""
    with transaction(run.warehouse):
        for name in _ORDER:
            run.warehouse.execute(_QUERIES[name])
