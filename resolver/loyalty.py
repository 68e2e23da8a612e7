"""Keep the loyalty ledger: points are never created or lost by who-is-who. -> ledger.loyalty_entry, ledger.conflict

Joining two people joins no accounts: both keep their points, and a steward is asked.
"""

from resolver import dispute
from resolver.run import Run
from resolver.warehouse import queries, transaction

_QUERIES = queries("loyalty")


def entries(run: Run) -> None:
    """Append the movements that are new, and work out whose each account is."""
    with transaction(run.warehouse):
        run.warehouse.execute(_QUERIES["told"])
        run.warehouse.execute(_QUERIES["append_entries"], {"run_id": run.run_id})
        for name in ("accounts", "clear_accounts", "keep_accounts", "disputes"):
            run.warehouse.execute(_QUERIES[name])
        dispute.keep(run, "loyalty")
