"""The walk through what changed: by (stamp, Id), by REST or Bulk, with what belongs to each record.

Three stretches make a window: records that changed, records whose belongings changed without them, and deletions that
no query tells any more.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from connectors.payload import Payload
from connectors.salesforce import soql
from connectors.salesforce.answers import LOST_LOCATOR
from connectors.salesforce.api import Api, Scope, Stretch
from connectors.salesforce.catalogue import Child, Wanted
from connectors.salesforce.rows import typed
from connectors.salesforce.soql import Place
from models.errors import Rejected
from models.landing import Window

log = logging.getLogger(__name__)

_BARE = ("Id", "IsDeleted", "MasterRecordId", "SystemModstamp", "LastModifiedDate")
"""What is kept of a deleted record."""
_TOGETHER = 300
"""Ids in one query: with the field list it stays below the 16 kB that an address may have."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of an object in this org: only what it has. types: of each field by dotted name."""

    object: str
    stamp: str
    fields: tuple[str, ...]
    types: dict[str, str]
    children: tuple[tuple[Child, "Plan"], ...]
    only: str
    remembers_deletions: bool


class Reader:
    """Reads what the catalogue wants from one org. bulk_above: so many records are better fetched by a Bulk job."""

    def __init__(self, api: Api, bulk_above: int) -> None:
        self._api = api
        self._bulk_above = bulk_above

    def plan(self, wanted: Wanted) -> Plan | None:
        """What of it this org can tell; None if it lacks the object, or what makes it of interest."""
        known = self._api.describe(wanted.object)
        stamp = known.stamp() if known else None
        if known is None or any(name not in known.fields for name in wanted.needs):
            return None
        if stamp is None:
            raise Rejected(f"salesforce: {wanted.object} has no time by which changes could be found", code="no_stamp")
        found = {name: self._api.type_of(wanted.object, name) for name in dict.fromkeys((*wanted.fields, stamp))}
        types = {name: kind for name, kind in found.items() if kind}
        only = [text for name, text in wanted.only if self._api.type_of(wanted.object, name)]
        children = ((child, self._belonging(child)) for child in wanted.children if child.parent in types)
        return Plan(
            wanted.object,
            stamp,
            tuple(types),
            types,
            tuple((child, plan) for child, plan in children if plan is not None),
            soql.any_of(only),
            known.replicateable,
        )

    def _belonging(self, child: Child) -> Plan | None:
        plan = self.plan(Wanted(child.object, ("Id", child.field, *child.fields)))
        if plan is None:
            log.info("salesforce: this org has no %s, or hides it; %s come without", child.object, child.told_as)
        return plan

    def changed(self, plan: Plan, window: Window) -> Iterator[Stretch]:
        """Every record that changed in the window, deleted ones among them, with its belongings."""
        seen: set[str] = set()
        for stretch in self._walk(plan, window):
            if window.since is not None:
                seen.update(each["Id"] for each in stretch.rows)
            yield self._whole(plan, stretch)
        if window.since is None:
            return
        for stretch in self._touched(plan, window, seen):
            seen.update(each["Id"] for each in stretch.rows)
            yield self._whole(plan, stretch)
        yield from self._gone(plan, window, seen)

    def _walk(self, plan: Plan, window: Window) -> Iterator[Stretch]:
        """What changed in the window, oldest change first.

        A forgotten locator is no loss: the walk goes on from the last record that came.
        """
        inside = (soql.within(plan.stamp, window), plan.only)
        by_bulk = self._api.count("queryAll", soql.select(("COUNT()",), plan.object, inside)) > self._bulk_above
        place: Place | None = None
        while True:
            conditions = (*inside, soql.beyond(plan.stamp, place))
            asked = soql.select(plan.fields, plan.object, conditions, (f"{plan.stamp} ASC", "Id ASC"))
            pages = self._api.bulk("queryAll", asked, plan.object) if by_bulk else self._api.query("queryAll", asked)
            before = place
            try:
                for stretch in pages:
                    rows = [typed(each, plan.types) for each in stretch.rows]
                    if rows:
                        place = Place(rows[-1][plan.stamp], rows[-1]["Id"])
                        yield Stretch(rows, stretch.correlation_id)
                return
            except Rejected as error:
                if error.code != LOST_LOCATOR or place == before:
                    raise
                log.info("salesforce: the locator of %s was forgotten; going on from the last record", plan.object)

    def _by_id(self, scope: Scope, fields: Sequence[str], object_: str, *conditions: str) -> Iterator[Stretch]:
        """What these conditions find, by REST in the order of their ids; as little troubled by a forgotten locator."""
        last = ""
        while True:
            after = f"Id > {soql.quoted(last)}" if last else ""
            before = last
            try:
                for stretch in self._api.query(scope, soql.select(fields, object_, (*conditions, after), ("Id ASC",))):
                    last = stretch.rows[-1]["Id"] if stretch.rows else last
                    yield stretch
                return
            except Rejected as error:
                if error.code != LOST_LOCATOR or last == before:
                    raise

    def _touched(self, plan: Plan, window: Window, seen: set[str]) -> Iterator[Stretch]:
        """Records that did not change themselves but whose belongings did."""
        for child, belonging in (each for each in plan.children if each[0].findable):
            wanted: dict[str, None] = {}
            inside = soql.within(belonging.stamp, window)
            for stretch in self._by_id("queryAll", ("Id", child.field), child.object, inside):
                wanted.update((each[child.field], None) for each in stretch.rows if child.field in each)
            for part in _parts(wanted):
                conditions = (soql.one_of(child.parent, part), plan.only)
                for stretch in self._by_id("query", plan.fields, plan.object, *conditions):
                    rows = [typed(each, plan.types) for each in stretch.rows if each["Id"] not in seen]
                    yield Stretch(rows, stretch.correlation_id)

    def _gone(self, plan: Plan, window: Window, seen: set[str]) -> Iterator[Stretch]:
        """Deletions that the walk did not meet. What still lies in the recycle bin is told by its own record."""
        if not plan.remembers_deletions:
            return
        told = {each: (at, correlation) for each, at, correlation in self._api.deleted(plan.object, window)}
        for part in _parts([each for each in told if each not in seen]):
            fields = [name for name in _BARE if name in plan.types]
            pages = self._by_id("queryAll", fields, plan.object, soql.one_of("Id", part))
            found = {each["Id"]: typed(each, plan.types) for stretch in pages for each in stretch.rows}
            purged = [_purged(plan, each, soql.literal(told[each][0])) for each in part if each not in found]
            rows = [each for each in found.values() if each.get("IsDeleted")] + purged
            if rows:
                yield Stretch(rows, told[part[0]][1])

    def _whole(self, plan: Plan, stretch: Stretch) -> Stretch:
        """Each record with its belongings; of a deleted one only that it is gone, and where it went."""
        alive = [each for each in stretch.rows if not each.get("IsDeleted")]
        gone = [_bare(each) for each in stretch.rows if each.get("IsDeleted")]
        for child, belonging in plan.children:
            owners = [*alive, *(gone if child.outlives else ())]
            found = self._belongings(child, belonging, [each[child.parent] for each in owners if child.parent in each])
            for each in owners:
                listed = found.get(each.get(child.parent, ""))
                if listed:
                    each[child.told_as] = listed
        return Stretch([*alive, *gone], stretch.correlation_id)

    def _belongings(self, child: Child, plan: Plan, parents: Sequence[str]) -> dict[str, list[Payload]]:
        """Belongings by what they belong to, in the order of their ids."""
        scope: Scope = "queryAll" if child.outlives else "query"
        found: dict[str, list[Payload]] = {}
        for part in _parts(parents):
            for stretch in self._by_id(scope, plan.fields, child.object, soql.one_of(child.field, part)):
                for each in stretch.rows:
                    found.setdefault(each[child.field], []).append(typed(each, plan.types))
        return found


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    listed = list(dict.fromkeys(values))
    return (listed[start : start + _TOGETHER] for start in range(0, len(listed), _TOGETHER))


def _bare(row: Payload) -> Payload:
    """Nothing of the person: what is gone is not kept a second time."""
    return {name: row[name] for name in ("attributes", *_BARE) if name in row}


def _purged(plan: Plan, id_: str, at: str) -> Payload:
    return {"attributes": {"type": plan.object}, "Id": id_, "IsDeleted": True, plan.stamp: at}
