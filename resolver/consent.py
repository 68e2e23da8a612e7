"""Keep what people said about being written to. -> ledger.consent_event, ledger.conflict

Consent stays at the contact point: a merge adds no event, and no yes moves to another address or another person.
"""

from resolver import dispute
from resolver.run import Run
from resolver.warehouse import queries, transaction

_QUERIES = queries("consent")


def events(run: Run) -> None:
    """Append the answers that are new, and point out those that contradict each other."""
    with transaction(run.warehouse):
        run.warehouse.execute(_QUERIES["append_events"], {"run_id": run.run_id})
        run.warehouse.execute(_QUERIES["disputes"])
        dispute.keep(run, "consent")
