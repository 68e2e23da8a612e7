"""What is gone at the vendor is found by asking for it; what a full read merely did not show is kept."""

from collections.abc import Sequence

import duckdb
import pytest

from connectors.commercetools.api import LARGEST_BY_ID, among
from connectors.commercetools.sandbox_predicate import predicate
from connectors.commercetools.sandbox_shop import Shop
from connectors.commercetools.tombstone import tombstone
from models.landing import Deletion, SourceRecord
from models.ports import Source
from resolver import land, run
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.connectors.commercetools.project import Clock, crowded_shop, fixture_shop, raw, reading, resources
from tests.connectors.commercetools.scenario import COUNTS, PATHS, SPOILT, identity, vanish, world

COMPARED = ("customer", "order", "payment", "store", "customer_group")


def asked_for(source: Source, kind: str, ids: Sequence[str]) -> dict[str, SourceRecord]:
    pages = list(source.missing(kind, ids))
    assert not [refusal for page in pages for refusal in page.refused]
    return {record.key.source_id: record for page in pages for record in page.records}


@pytest.mark.parametrize("kind", COMPARED)
def test_a_record_that_is_gone_is_a_deletion_and_one_that_is_there_is_itself(kind: str) -> None:
    clock = Clock()
    there = resources(PATHS[kind])[0]
    with reading(fixture_shop(clock), clock) as source:
        told = asked_for(source, kind, [there["id"], "nobody"])
        assert told[there["id"]].raw == raw(there)
        assert (told["nobody"].body, told["nobody"].changed_at) == (Deletion(), None)
        assert source.translate(kind, told["nobody"].raw) == told["nobody"]
    assert str(told["nobody"].key) == f"commercetools:{kind}:nobody"


def test_many_are_asked_for_a_hundred_at_a_time() -> None:
    clock = Clock()
    shop = crowded_shop(clock, 150)
    ids = [each["id"] for each in shop.all("customers")]
    with reading(shop, clock) as source:
        told = asked_for(source, "customer", [*ids, *(f"gone-{number}" for number in range(150))])
    assert len(shop.asked) == 300 / LARGEST_BY_ID
    assert sum(isinstance(record.body, Deletion) for record in told.values()) == 150
    assert set(ids) <= set(told)


def test_one_that_can_no_longer_be_read_is_not_gone() -> None:
    clock = Clock()
    shop = fixture_shop(clock)
    broken = resources("customers")[1]["id"]
    shop.touch("customers", broken, addresses="none")
    with reading(shop, clock) as source:
        (page,) = source.missing("customer", [broken])
    assert page.records == ()
    assert [refusal.source_id for refusal in page.refused] == [broken]


@pytest.mark.parametrize("strange", ['a"b', "a\\", 'x") or id != ("', "ümlaut"])
def test_an_id_never_ends_the_predicate_it_stands_in(strange: str) -> None:
    test = predicate(among([strange, "other"]), {}, frozenset({"id"}))
    assert test({"id": strange})
    assert not test({"id": "somebody else"})


def test_a_tombstone_holds_nothing_but_what_is_gone() -> None:
    assert tombstone("7") == '{"gone":{},"id":"7"}'


def test_carts_and_messages_end_by_themselves_and_are_never_missed() -> None:
    clock = Clock()
    with reading(fixture_shop(clock), clock) as source:
        assert set(source.listed) == set(COMPARED)
        assert {"cart", "message"} <= set(source.objects)


def still_there(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {kind: set() for kind in PATHS}
    for kind, source_id in connection.execute("select object, source_id from derived.current_record").fetchall():
        found[kind].add(source_id)
    return found


def read_everything(connection: duckdb.DuckDBPyConnection, model: LinkageModel, shop: Shop) -> list[str]:
    clock = Clock()
    with (
        reading(shop, clock, page_size=5) as source,
        run.begun("land", connection, Policy(), model, clock) as begun,
    ):
        land.everything(begun, source)
    return begun.troubles


def test_a_full_read_ends_what_is_gone_and_nothing_else(
    connection: duckdb.DuckDBPyConnection, model: LinkageModel
) -> None:
    shop = world()
    assert read_everything(connection, model, shop) == []
    before = still_there(connection)
    assert {kind: len(ids) for kind, ids in before.items()} == {kind: count - 1 for kind, count in COUNTS.items()}
    gone = vanish(shop)
    hidden = identity("customer", 6)
    # It changes for ever after the moment up to which the full read goes.
    shop.load("customers", [shop.find("customers", hidden) | {"lastModifiedAt": "2100-01-01T00:00:00.000Z"}])  # type: ignore[operator]
    assert read_everything(connection, model, shop) == []
    after = still_there(connection)
    for kind in COMPARED:
        assert before[kind] - after[kind] == gone[kind], kind
    assert hidden in after["customer"]
    assert identity("customer", SPOILT) not in before["customer"]
