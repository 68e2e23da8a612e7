"""The walk through what changed: by (stamp, Id), by REST or Bulk, with what belongs to each record.

Three stretches make a window: records that changed, records whose belongings changed without them, and deletions that
no query tells any more.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from connectors.payload import Payload
from connectors.salesforce import soql
from connectors.salesforce.answers import ABSENT, LOST_LOCATOR
from connectors.salesforce.api import Api, Scope, Stretch
from connectors.salesforce.catalogue import Child, Cut, Wanted
from connectors.salesforce.rows import typed
from connectors.salesforce.soql import Place
from models.errors import Rejected
from models.landing import Window

log = logging.getLogger(__name__)

_BARE = ("Id", "IsDeleted", "MasterRecordId", "SystemModstamp", "LastModifiedDate")
"""What is kept of a deleted record."""
_TOGETHER = 300
"""Ids in one query: with the field list it stays below the 16 kB that an address may have."""
_WHOLE_PREVIEW = 250
"""A preview of fewer characters is all there is: the vendor cuts at 255, and blanks at the end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of an object in this org: only what it has. types: of each field by dotted name.

    stamp: the field by which changes are found; None if the org has none for it that can be filtered.
    """

    object: str
    stamp: str | None
    fields: tuple[str, ...]
    types: dict[str, str]
    children: tuple[tuple[Child, "Plan"], ...]
    only: str
    remembers_deletions: bool
    cut: Cut | None
    known_by: Child | None


class Reader:
    """Reads what the catalogue wants from one org.

    bulk_above: so many records are better fetched by a Bulk job. longest_text: bytes above which a preview must do.
    """

    def __init__(self, api: Api, bulk_above: int, longest_text: int) -> None:
        self._api = api
        self._bulk_above = bulk_above
        self._longest_text = longest_text

    def plan(self, wanted: Wanted) -> Plan | None:
        """What of it this org can tell; None if it lacks the object, or what makes it of interest."""
        known = self._api.describe(wanted.object)
        if known is None or any(name not in known.fields for name in wanted.needs):
            return None
        stamp = known.stamp()
        asked = (*wanted.fields, stamp) if stamp else wanted.fields
        found = {name: self._api.type_of(wanted.object, name) for name in dict.fromkeys(asked)}
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
            wanted.cut,
            wanted.known_by,
        )

    def _belonging(self, child: Child) -> Plan | None:
        plan = self.plan(Wanted(child.object, ("Id", child.field, *child.fields), child.children))
        if plan is None or child.field not in plan.types:
            log.info("salesforce: this org has no %s, or hides it; records come without", child.object)
            return None
        return plan

    def changed(self, plan: Plan, window: Window) -> Iterator[Stretch]:
        """Every record that changed in the window, deleted ones among them, with its belongings.

        Raises Rejected with code no_stamp for an object whose changes cannot be found.
        """
        stamp = plan.stamp
        if stamp is None:
            raise Rejected(f"salesforce: {plan.object} has no time by which changes could be found", code="no_stamp")
        if window.since is None:
            plan = self._without_empty(plan)
            yield from (self._whole(plan, stretch) for stretch in self._walk(plan, stamp, window))
            return
        seen: set[str] = set()
        for stretch in chain(self._walk(plan, stamp, window), self._touched(plan, window, seen)):
            seen.update(_text(each, "Id") for each in stretch.rows)
            yield self._whole(plan, stretch)
        yield from self._gone(plan, stamp, window, seen)

    def _without_empty(self, plan: Plan) -> Plan:
        """Without belongings of which the org has none at all: asking costs a request for every 300 records."""
        kept = (
            (child, belonging)
            for child, belonging in plan.children
            if not child.findable or self._api.count("query", soql.select(("COUNT()",), child.object, ()))
        )
        return replace(plan, children=tuple(kept))

    def known(self, plan: Plan, ids: Sequence[str]) -> Iterator[Stretch]:
        """Which of these records are still there and of interest, whole; those in the recycle bin as deleted.

        At most 300 ids. Yields one stretch at least.
        """
        link = plan.known_by
        if link is not None:
            pages = self._by_id("query", ("Id", link.field), link.object, soql.one_of("Id", ids))
            links = [(stretch.correlation_id, _texts(stretch.rows, link.field)) for stretch in pages]
            yield Stretch([], links[0][0])
            ids = sorted({owner for _, owners in links for owner in owners})
        if ids:
            for stretch in self._by_id("queryAll", plan.fields, plan.object, soql.one_of("Id", ids), plan.only):
                rows = [typed(each, plan.types) for each in stretch.rows]
                yield self._whole(plan, Stretch(rows, stretch.correlation_id))

    def _walk(self, plan: Plan, stamp: str, window: Window) -> Iterator[Stretch]:
        """What changed in the window, oldest change first, by Bulk if it is much.

        A forgotten locator is no loss: the walk goes on from the last record that came. Nor is a Bulk job that the
        vendor refuses, or that failed: it goes on by REST.
        """
        inside = (soql.within(stamp, window), plan.only)
        by_bulk = self._api.count("queryAll", soql.select(("COUNT()",), plan.object, inside)) > self._bulk_above
        place: Place | None = None
        while True:
            conditions = (*inside, soql.beyond(stamp, place))
            asked = soql.select(plan.fields, plan.object, conditions, (f"{stamp} ASC", "Id ASC"))
            pages = self._api.bulk("queryAll", asked, plan.object) if by_bulk else self._api.query("queryAll", asked)
            before = place
            try:
                for stretch in pages:
                    rows = [typed(each, plan.types) for each in stretch.rows]
                    if rows:
                        place = _last(rows, stamp) or place
                        yield Stretch(rows, stretch.correlation_id)
                return
            except Rejected as error:
                forgotten = error.code == LOST_LOCATOR and place != before
                if not forgotten and not by_bulk:
                    raise
                by_bulk = by_bulk and forgotten
                how = "Bulk" if by_bulk else "REST"
                log.info("salesforce: %s of %s; going on from the last record by %s", error.code, plan.object, how)

    def _by_id(self, scope: Scope, fields: Sequence[str], object_: str, *conditions: str) -> Iterator[Stretch]:
        """What these conditions find, by REST in the order of their ids; as little troubled by a forgotten locator."""
        last = ""
        while True:
            after = f"Id > {soql.quoted(last)}" if last else ""
            before = last
            try:
                for stretch in self._api.query(scope, soql.select(fields, object_, (*conditions, after), ("Id ASC",))):
                    last = next(iter(_texts(reversed(stretch.rows), "Id")), last)
                    yield stretch
                return
            except Rejected as error:
                if error.code != LOST_LOCATOR or last == before:
                    raise

    def _touched(self, plan: Plan, window: Window, seen: set[str]) -> Iterator[Stretch]:
        """Records that did not change themselves but whose belongings did."""
        for child, belonging in plan.children:
            for part in parts(self._owners(child, belonging, window)):
                conditions = (soql.one_of(child.parent, part), plan.only)
                for stretch in self._by_id("query", plan.fields, plan.object, *conditions):
                    rows = [typed(each, plan.types) for each in stretch.rows if _text(each, "Id") not in seen]
                    yield Stretch(rows, stretch.correlation_id)

    def _owners(self, child: Child, plan: Plan, window: Window) -> Collection[str]:
        """To what those belong that changed in the window, or whose own belongings did."""
        found: dict[str, None] = {}
        if not child.findable or plan.stamp is None:
            return found
        fields = ("Id", child.field)
        for stretch in self._by_id("queryAll", fields, child.object, soql.within(plan.stamp, window)):
            found.update(dict.fromkeys(_texts(stretch.rows, child.field)))
        for inner, belonging in plan.children:
            for part in parts(self._owners(inner, belonging, window)):
                for stretch in self._by_id("query", fields, child.object, soql.one_of(inner.parent, part)):
                    found.update(dict.fromkeys(_texts(stretch.rows, child.field)))
        return found

    def _gone(self, plan: Plan, stamp: str, window: Window, seen: set[str]) -> Iterator[Stretch]:
        """Deletions that the walk did not meet. What still lies in the recycle bin is told by its own record."""
        if not plan.remembers_deletions:
            return
        told = {each: (at, correlation) for each, at, correlation in self._api.deleted(plan.object, window)}
        for part in parts([each for each in told if each not in seen]):
            fields = [name for name in _BARE if name in plan.types]
            pages = self._by_id("queryAll", fields, plan.object, soql.one_of("Id", part))
            found = {_text(each, "Id"): typed(each, plan.types) for stretch in pages for each in stretch.rows}
            purged = [
                {**vanished(plan.object, each), stamp: soql.literal(told[each][0])}
                for each in part
                if each not in found
            ]
            rows = [each for each in found.values() if each.get("IsDeleted")] + purged
            if rows:
                yield Stretch(rows, told[part[0]][1])

    def _whole(self, plan: Plan, stretch: Stretch) -> Stretch:
        """Each record with its belongings; of a deleted one only that it is gone, and where it went."""
        alive = [each for each in stretch.rows if not each.get("IsDeleted")]
        gone = [_bare(each) for each in stretch.rows if each.get("IsDeleted")]
        for child, belonging in plan.children:
            self._join(child, belonging, [*alive, *(gone if child.outlives else ())])
        if plan.cut is not None:
            self._complete(plan.object, plan.cut, alive)
        return Stretch([*alive, *gone], stretch.correlation_id)

    def _complete(self, object_: str, cut: Cut, rows: Sequence[Payload]) -> None:
        """Fetch the texts that are longer than their previews, one request each; those beyond the limit stay cut."""
        for row in rows:
            size = row.get(cut.size, 0)
            if len(_text(row, cut.preview)) < _WHOLE_PREVIEW or not isinstance(size, int) or size > self._longest_text:
                continue
            try:
                text = self._api.blob(object_, _text(row, "Id"), cut.field).content
            except Rejected as error:
                if error.code not in ABSENT:  # gone since it was listed: the next window tells that
                    raise
                continue
            if len(text) <= self._longest_text:
                row[cut.field] = text.decode("utf-8", "replace")

    def _join(self, child: Child, plan: Plan, owners: Sequence[Payload]) -> None:
        """Put its belongings into each of these records, as a list in the order of their ids."""
        if child.told_as is None:
            return
        found = self._belongings(child, plan, _texts(owners, child.parent))
        for each in owners:
            listed = found.get(_text(each, child.parent))
            if listed:
                each[child.told_as] = listed

    def _belongings(self, child: Child, plan: Plan, parents: Sequence[str]) -> dict[str, list[Payload]]:
        """Belongings by what they belong to, with what belongs to them."""
        scope: Scope = "queryAll" if child.outlives else "query"
        found: dict[str, list[Payload]] = {}
        for part in parts(parents):
            for stretch in self._by_id(scope, plan.fields, child.object, soql.one_of(child.field, part)):
                rows = [typed(each, plan.types) for each in stretch.rows]
                for inner, belonging in plan.children:
                    self._join(inner, belonging, rows)
                for each in rows:
                    if owner := _text(each, child.field):
                        found.setdefault(owner, []).append(each)
        return found


def parts(values: Iterable[str]) -> Iterator[list[str]]:
    """As many values as fit into one query, each once."""
    listed = list(dict.fromkeys(values))
    return (listed[start : start + _TOGETHER] for start in range(0, len(listed), _TOGETHER))


def _text(row: Payload, name: str) -> str:
    """The text in a field; empty where there is none. A record that lacks what it cannot lack is refused later."""
    told = row.get(name)
    return told if isinstance(told, str) else ""


def _texts(rows: Iterable[Payload], name: str) -> list[str]:
    return [told for row in rows if (told := _text(row, name))]


def _last(rows: Sequence[Payload], stamp: str) -> Place | None:
    """Where a page ends: at its last record that says where it stands."""
    places = (Place(_text(row, stamp), _text(row, "Id")) for row in reversed(rows))
    return next((place for place in places if place.at and place.id), None)


def _bare(row: Payload) -> Payload:
    """Nothing of the person: what is gone is not kept a second time."""
    return {name: row[name] for name in ("attributes", *_BARE) if name in row}


def vanished(object_: str, id_: str) -> Payload:
    """What is told of a record that the org no longer has."""
    return {"attributes": {"type": object_}, "Id": id_, "IsDeleted": True}
