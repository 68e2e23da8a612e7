"""What a full read finds that no delta can: what was deleted, and what changed without a trace in its time stamp."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest

from connectors.magento.sandbox import serving
from connectors.magento.sandbox_habits import Habits
from connectors.magento.sandbox_shop import Shop
from connectors.sandbox.faults import Faults
from models.errors import Rejected
from models.landing import Deletion, Page, SourceRecord
from models.ports import Source
from resolver import land, run
from resolver.linkage import LinkageModel
from resolver.policy import LandingPolicy, Policy
from tests.connectors.conformance import PassingTime
from tests.connectors.magento.scenario import CUSTOMERS, CUT, ORDERS, hour, vanish, world
from tests.connectors.magento.test_source import answering, ids, numbers, row, source_at

Warehouse = duckdb.DuckDBPyConnection


@pytest.fixture
def shop() -> Shop:
    return world()


@contextmanager
def standing(shop: Shop, habits: Habits | None = None, **chosen: object) -> Iterator[Source]:
    with source_at(
        serving(shop, Faults(), habits), PassingTime(), **{"page_size": 20, "details": (), **chosen}
    ) as source:
        yield source


def landed_fully(connection: Warehouse, model: LinkageModel, source: Source) -> list[str]:
    """Read everything and compare; gives the run's troubles."""
    policy = Policy(landing=LandingPolicy(vanish_limit=0.5))
    with run.begun("land", connection, policy, model, PassingTime().clock) as begun:
        land.everything(begun, source)
    return begun.troubles


def on_disk(connection: Warehouse) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, number in connection.execute("select object, source_id from derived.current_record").fetchall():
        found.setdefault(name, set()).add(number)
    return found


def test_what_was_deleted_is_ended_by_the_next_full_read(
    connection: Warehouse, model: LinkageModel, shop: Shop
) -> None:
    with standing(shop) as source:
        assert set(source.listed) == set(source.objects)
        landed_fully(connection, model, source)
        before = on_disk(connection)
        gone = vanish(shop)
        assert set(gone) == set(source.listed)
        assert landed_fully(connection, model, source) == []
    after = on_disk(connection)
    assert {name: before[name] - after[name] for name in before} == {name: set(gone[name]) for name in before}
    compared = connection.execute(
        "select object, vanished, unlisted from ledger.reconciliation order by fact"
    ).fetchall()
    assert compared[len(source.objects) :] == [(name, 1, 0) for name in source.objects]


def test_orders_of_a_deleted_customer_become_orders_of_nobody_although_nobody_moved_their_time(
    connection: Warehouse, model: LinkageModel, shop: Shop
) -> None:
    with standing(shop) as source:
        landed_fully(connection, model, source)
        shop.remove_customer(1)
        landed_fully(connection, model, source)
    [(customer, changed)] = connection.execute(
        "select body->>'customer', changed_at from derived.current_record where record = 'magento:order:101'"
    ).fetchall()
    assert customer is None
    assert changed == hour(1)


def test_what_is_out_of_the_settings_scope_is_still_there(
    connection: Warehouse, model: LinkageModel, shop: Shop
) -> None:
    with standing(shop) as source:
        landed_fully(connection, model, source)
    before = on_disk(connection)
    with standing(shop, websites=(1,)) as source:
        assert landed_fully(connection, model, source) == []
    assert on_disk(connection) == before


def test_a_row_that_can_no_longer_be_loaded_is_not_gone(connection: Warehouse, model: LinkageModel, shop: Shop) -> None:
    with standing(shop) as source:
        landed_fully(connection, model, source)
    before = on_disk(connection)
    with standing(shop, Habits(broken_rows=frozenset({3, 7, 110}), broken_with=500)) as source:
        landed_fully(connection, model, source)
        assert on_disk(connection) == before
        pages = list(source.missing("customer", ["2", "3", "7", "11"]))
    assert told(pages) == {"2": "person", "11": "person"}
    assert sorted(one.source_id or "" for page in pages for one in page.refused) == ["3", "7"]


def told(pages: list[Page]) -> dict[str, str]:
    return {record.key.source_id: record.body.kind for page in pages for record in page.records}


def test_known_records_are_asked_for_many_at_a_time(shop: Shop) -> None:
    with standing(shop) as source:
        pages = list(source.missing("order", [*numbers(101, 135)]))
    assert told(pages) == {
        number: "order" if int(number) <= 100 + ORDERS else "deletion"
        for number in numbers(101, 135)
        if number != "105"
    }
    assert len(shop.asked) == 2


def test_what_is_gone_is_told_without_a_time_and_read_again_from_what_was_told(shop: Shop) -> None:
    with standing(shop) as source:
        for name in source.objects:
            [record] = [one for page in source.missing(name, ["777"]) for one in page.records]
            assert record == source.translate(name, record.raw)
            assert (record.body, record.changed_at) == (Deletion(), None)


def test_a_record_that_changed_after_the_window_is_told_and_not_taken_for_gone(shop: Shop) -> None:
    with standing(shop) as source:
        shop.edit_customer(5, CUT.replace(year=2030), lastname="Lantern")
        assert "5" not in ids(source, "customer")
        [record] = [one for page in source.missing("customer", ["5"]) for one in page.records]
    assert isinstance(record, SourceRecord)
    assert record.body.kind == "person"


@pytest.mark.parametrize(
    "answer",
    [
        {"items": [row(7)], "total_count": 1},
        {"items": [], "total_count": 40},
        {"items": [row(1)], "total_count": 40},
    ],
)
def test_a_shop_that_does_not_answer_by_id_ends_nothing(answer: object) -> None:
    with source_at(answering(answer), PassingTime()) as source, pytest.raises(Rejected) as refused:
        list(source.missing("order", ["1", "2"]))
    assert refused.value.code == "filter_ignored"


def test_a_list_that_is_not_there_ends_nothing() -> None:
    no_route = answering({"message": "Request does not match any route."}, 404)
    with source_at(no_route, PassingTime()) as source, pytest.raises(Rejected, match="not found"):
        list(source.missing("order", ["1"]))


def test_everybody_is_there_after_a_quiet_full_read(connection: Warehouse, model: LinkageModel, shop: Shop) -> None:
    with standing(shop) as source:
        landed_fully(connection, model, source)
        versions = connection.execute("select count(*) from ledger.source_record").fetchall()
        landed_fully(connection, model, source)
    assert connection.execute("select count(*) from ledger.source_record").fetchall() == versions
    assert len(on_disk(connection)["customer"]) == CUSTOMERS - 1
