"""Put disagreements on record for a steward, and take them off when they are gone. -> ledger.conflict"""

from typing import Literal

from resolver.run import Run
from resolver.warehouse import queries

_QUERIES = queries("dispute")


def keep(run: Run, kind: Literal["attribute", "identity", "loyalty", "consent"]) -> None:
    """Compare the step's temporary table `dispute_now` with the open conflicts of this kind; append what differs.

    `dispute_now` has kind, profile, attribute, candidates (JSON list), winner, rule. The caller holds the transaction.
    """
    stamp = {"run_id": run.run_id, "recorded_at": run.clock()}
    run.warehouse.execute(_QUERIES["append_changed"], stamp)
    run.warehouse.execute(_QUERIES["settle_gone"], {**stamp, "kind": kind})
