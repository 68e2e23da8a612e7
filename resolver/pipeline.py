"""A run on one page: bring in what sources say, work out who everyone is, tell the destinations."""

from collections.abc import Iterable

from models.ports import Destination, Source
from resolver import cluster, consent, gather, identify, judge, land, loyalty, publish, standardise, survive
from resolver.run import Run


# fmt: off
def resolve(run: Run, sources: Iterable[Source]) -> None:
    """Bring in what the sources say and work out who everyone is."""
    for source in sources:
        land.records(run, source)    # -> ledger.source_record, ledger.quarantine, ledger.landing
    gather.records(run)              #    derived.told, told_identifier, told_consent, purchase, waiting
    standardise.records(run)         #    derived.record
    identify.records(run)            #    derived.identifier, spelling
    judge.by_rule(run)               # -> ledger.judgement   same loyalty number, same verified e-mail ...
    judge.by_weight(run)             # -> ledger.judgement   the linkage model, for every pair that may be one person
    cluster.records(run)             # -> ledger.membership, ledger.conflict   joins, moves: merges and splits
    survive.fields(run)              # -> ledger.profile_version, ledger.conflict
    loyalty.entries(run)             # -> ledger.loyalty_entry, ledger.conflict
    consent.events(run)              # -> ledger.consent_event, ledger.conflict


def announce(run: Run, destinations: Iterable[Destination]) -> None:
    """Tell each destination what changed since it last heard from us."""
    for destination in destinations:
        publish.to(run, destination)     # -> ledger.rendering, ledger.publication
# fmt: on
