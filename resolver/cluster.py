"""Cluster records into people, and keep each person's profile id. -> ledger.membership, ledger.conflict

Merges and splits are no events of their own: they are records that leave one profile and join another.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set

import pyarrow as pa

from resolver import dispute, linkage, namesakes
from resolver.identify import rule_rows
from resolver.run import Run
from resolver.warehouse import offered, queries, transaction

_QUERIES = queries("cluster")


def records(run: Run) -> None:
    """Work out who is who from the judgements, and record every move."""
    names, thin = _names(run, "records"), _names(run, "thin")
    joins = _table(run, "joins")
    walls = _walls(run, names, joins)
    together = linkage.agglomerate(
        sorted(set(names) - set(thin)),
        _table(run, "weights"),
        walls=walls.select(["left", "right"]),
        joins=joins,
        contradictions=_table(run, "contradictions"),
        policy=run.policy.linkage,
    ).clusters.select(["record", "cluster"])
    rich = namesakes.parted(run, together)
    carried = _carried(run, thin, rich)
    left_over = sorted(set(thin) - set(carried["record"].to_pylist()))
    rest = linkage.components(left_over, _table(run, "joins_of_thin"))
    profiles = _profiles(run, _members(rich, carried, rest))
    moves = pa.table({"record": list(profiles), "profile": list(profiles.values())}, schema=_MOVES)
    with (
        offered(run.warehouse, "cluster_now", moves),
        offered(run.warehouse, "cluster_before", together),
        offered(run.warehouse, "cluster_carried", carried),
        offered(run.warehouse, "cluster_left_over", pa.table({"record": pa.array(left_over, pa.string())})),
        offered(run.warehouse, "cluster_wall", walls),
        transaction(run.warehouse),
    ):
        _append(run)


_MOVES = pa.schema([("record", pa.string()), ("profile", pa.string())])


def _append(run: Run) -> None:
    stamp = {"run_id": run.run_id, "recorded_at": run.clock()}
    run.warehouse.execute(_QUERIES["support"])
    run.warehouse.execute(_QUERIES["append_leaves"], stamp)
    run.warehouse.execute(_QUERIES["append_joins"], stamp)
    low = run.policy.review.low_probability
    run.warehouse.execute(_QUERIES["doubts"], {"low_log_odds": math.log(low / (1 - low)) if low else -math.inf})
    dispute.keep(run, "identity")


def _names(run: Run, query: str) -> list[str]:
    return [name for (name,) in run.warehouse.execute(_QUERIES[query]).fetchall()]


def _table(run: Run, query: str) -> pa.Table:
    return run.warehouse.sql(_QUERIES[query]).to_arrow_table()


def _walls(run: Run, names: Sequence[str], joins: pa.Table) -> pa.Table:
    """Pairs that may not share a profile. Contradictions are sought wherever rules chain records together."""
    with offered(run.warehouse, "joined_component", linkage.components(names, joins)):
        return _table(run, "walls")


def _carried(run: Run, thin: Sequence[str], rich: pa.Table) -> pa.Table:
    """record, carrier, kind: thin records that belong to one of the people found among the rich ones."""
    with (
        offered(run.warehouse, "cluster_thin", pa.table({"record": pa.array(thin, pa.string())})),
        offered(run.warehouse, "cluster_of_rich", rich),
        offered(run.warehouse, "rule_policy", rule_rows(run.policy)),
    ):
        run.warehouse.execute(_QUERIES["claims"])
        return _table(run, "carried")


def _members(rich: pa.Table, carried: pa.Table, left_over: pa.Table) -> list[list[str]]:
    """The records of each cluster: those that speak for themselves with those that they carry, and the thin rest."""
    cluster_of = dict(zip(rich["record"].to_pylist(), rich["cluster"].to_pylist(), strict=True))
    carriers = zip(carried["record"].to_pylist(), carried["carrier"].to_pylist(), strict=True)
    cluster_of |= {record: cluster_of[carrier] for record, carrier in carriers}
    cluster_of |= dict(zip(left_over["record"].to_pylist(), left_over["component"].to_pylist(), strict=True))
    by_cluster: dict[str, list[str]] = defaultdict(list)
    for record, cluster in cluster_of.items():
        by_cluster[cluster].append(record)
    return sorted(sorted(members) for members in by_cluster.values())


def _profiles(run: Run, members: Sequence[Sequence[str]]) -> dict[str, str]:
    known = run.warehouse.execute(_QUERIES["known_profiles"]).fetchall()
    given = {profile for (profile,) in run.warehouse.execute(_QUERIES["profile_ids"]).fetchall()}
    return assign(
        members,
        belongs={record: profile for record, profile, _ in known},
        founded={profile: founded for _, profile, founded in known},
        given=given,
    )


def assign(
    members: Sequence[Sequence[str]], *, belongs: Mapping[str, str], founded: Mapping[str, int], given: Set[str]
) -> dict[str, str]:
    """Record -> profile id for clusters of records.

    A profile that splits stays with the fragment that holds most of its records; clusters that merge keep the oldest of
    their profiles; a new cluster is named after its first record. Nothing depends on the order of the input.
    """
    claims = _claims(members, belongs)
    profiles: dict[str, str] = {}
    taken = set(given)
    for i, cluster in enumerate(members):
        profile = min(claims.get(i, ()), key=lambda p: (founded[p], p), default=None)
        if profile is None:
            profile = _new_id(cluster[0], taken)
            taken.add(profile)
        profiles.update(dict.fromkeys(cluster, profile))
    return profiles


def _claims(members: Sequence[Sequence[str]], belongs: Mapping[str, str]) -> dict[int, list[str]]:
    """Cluster number -> the profiles whose largest part it holds."""
    best: dict[str, tuple[int, int]] = {}
    for i, cluster in enumerate(members):
        for profile, size in Counter(_kept(cluster, belongs)).items():
            if profile not in best or size > best[profile][0]:
                best[profile] = (size, i)
    claims: dict[int, list[str]] = defaultdict(list)
    for profile, (_, i) in best.items():
        claims[i].append(profile)
    return claims


def _kept(cluster: Iterable[str], belongs: Mapping[str, str]) -> Iterable[str]:
    return (belongs[record] for record in cluster if record in belongs)


def _new_id(record: str, taken: Set[str]) -> str:
    """An id that names the first record's hash; the next free one where a former profile has it."""
    for attempt in range(len(taken) + 1):
        text = record if attempt == 0 else f"{record}#{attempt}"
        profile = f"p-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        if profile not in taken:
            return profile
    raise AssertionError("more ids are taken than were given")
