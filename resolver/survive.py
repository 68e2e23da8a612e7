"""Choose each field of each golden profile, and keep where it came from. -> ledger.profile_version, ledger.conflict"""

import pyarrow as pa

from resolver import dispute
from resolver.policy import GOLDEN_FIELDS, SurvivorshipPolicy
from resolver.run import Run
from resolver.warehouse import offered, queries, transaction

_QUERIES = queries("survive")


def fields(run: Run) -> None:
    """Append a version of every profile that we now believe something else about."""
    policy = run.policy.survivorship
    stamp = {"run_id": run.run_id, "recorded_at": run.clock()}
    with (
        offered(run.warehouse, "trust_rows", _trust(policy)),
        offered(run.warehouse, "preference_rows", _preference(policy)),
        transaction(run.warehouse),
    ):
        for name in ("clear_policy", "trust", "preference", "candidates", "choices", "golden"):
            run.warehouse.execute(_QUERIES[name])
        run.warehouse.execute(_QUERIES["append_versions"], stamp)
        run.warehouse.execute(_QUERIES["append_retired"], stamp)
        run.warehouse.execute(_QUERIES["disputes"], {"contested": list(policy.contested)})
        dispute.keep(run, "attribute")


def _trust(policy: SurvivorshipPolicy) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"field": field, "source": source, "rank": rank}
            for field in GOLDEN_FIELDS
            for rank, source in enumerate(policy.field_trust.get(field, policy.trust))
        ]
    )


def _preference(policy: SurvivorshipPolicy) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"field": field, "position": position, "criterion": criterion}
            for field in GOLDEN_FIELDS
            for position, criterion in enumerate(policy.field_order.get(field, policy.order))
        ]
    )
