"""What vanished: how it is asked for, and what a full read makes of it in the ledger."""

from collections.abc import Callable, Iterator, Sequence

import duckdb
import pytest

from connectors.bigcommerce.sandbox import serving
from connectors.bigcommerce.sandbox_shop import Shop
from connectors.bigcommerce.translate import translate
from connectors.sandbox.faults import Faults
from models.errors import Rejected
from models.landing import Deletion, SourceRecord, Window
from models.ports import Source
from resolver import land, run
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.conftest import Clock
from tests.connectors.bigcommerce.scenario import CUT, hour, vanish, world
from tests.connectors.bigcommerce.test_source import deaf_to, source_at
from tests.connectors.conformance import PassingTime

Land = Callable[[Callable[[run.Run, Source], land.Landed]], None]


@pytest.fixture
def shop() -> Shop:
    return world()


@pytest.fixture
def source(shop: Shop) -> Iterator[Source]:
    with source_at(serving(shop, Faults()), PassingTime()) as source:
        yield source


def became(source: Source, object_: str, ids: Sequence[str]) -> dict[str, SourceRecord]:
    return {record.key.source_id: record for page in source.missing(object_, ids) for record in page.records}


def test_all_but_refunds_are_listed(source: Source) -> None:
    assert set(source.listed) == {"customer", "subscriber", "order"}


def test_what_is_gone_is_a_deletion_without_a_time_and_what_is_there_is_told(shop: Shop, source: Source) -> None:
    for object_, gone in vanish(shop).items():
        (lost,) = gone
        kept = "105" if object_ == "order" else "5"
        shop.orders[105]["total_inc_tax"] = "1.0000"
        told = became(source, object_, [lost, kept])
        assert (told[lost].body, told[lost].changed_at) == (Deletion(), None)
        assert not isinstance(told[kept].body, Deletion)


def test_a_deletion_reads_the_same_from_its_payload(shop: Shop, source: Source) -> None:
    vanish(shop)
    lost = became(source, "customer", ["3"])["3"]
    assert lost.raw == '{"gone":true,"id":3}'
    assert translate("customer", lost.raw, {}) == lost


def test_an_archived_order_is_a_deletion_with_its_time(shop: Shop, source: Source) -> None:
    shop.archive_order(103, hour(40))
    record = became(source, "order", ["103"])["103"]
    assert (record.body, record.changed_at) == (Deletion(at=hour(40)), hour(40))
    assert translate("order", record.raw, {}) == record


def test_known_customers_are_asked_for_a_page_at_a_time(shop: Shop, source: Source) -> None:
    became(source, "customer", [str(number) for number in range(1, 13)])
    asked = [one for one in shop.asked if one.startswith("/v3/customers?")]
    assert len(asked) == 3
    assert "id%3Ain=1%2C2%2C3%2C4%2C5&limit=5" in asked[0]


def test_a_store_that_does_not_hear_which_ids_we_ask_for_ends_nobody(shop: Shop) -> None:
    with source_at(deaf_to(serving(shop, Faults()), "id:in"), PassingTime()) as source:
        for object_ in ("customer", "subscriber"):
            with pytest.raises(Rejected) as raised:
                became(source, object_, ["900"])
            assert raised.value.code == "filter_ignored"


def test_an_id_that_is_no_number_never_reaches_a_path(shop: Shop, source: Source) -> None:
    assert became(source, "order", ["../customers", "1/../2"]) == {}
    assert shop.asked == []


@pytest.fixture
def landing(connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel, source: Source) -> Land:
    """A run of its own that lands what changed, or everything, of a store whose changes are all some weeks old."""

    def landed(how: Callable[[run.Run, Source], land.Landed]) -> None:
        with run.begun("test", connection, Policy(), model, clock) as begun:
            how(begun, source)

    return landed


def current(connection: duckdb.DuckDBPyConnection, object_: str) -> set[str]:
    found = connection.execute(
        "select source_id from derived.current_record where source = 'bigcommerce' and object = ?", [object_]
    )
    return {source_id for (source_id,) in found.fetchall()}


def compared(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int, int]]:
    """(missed, vanished, unlisted) per object, of the last full read."""
    found = connection.execute(
        "select object, missed, vanished, unlisted from ledger.reconciliation "
        "qualify row_number() over (partition by object order by fact desc) = 1"
    )
    return {object_: (missed, vanished, unlisted) for object_, missed, vanished, unlisted in found.fetchall()}


def test_a_full_read_ends_what_vanished_and_finds_what_no_delta_could_see(
    connection: duckdb.DuckDBPyConnection, landing: Land, shop: Shop
) -> None:
    landing(land.records)
    gone = vanish(shop)
    shop.archive_order(104, hour(40))
    shop.edit_address(5, 0, address1="9 Harbour Row")
    shop.edit_shipment(107, 0, tracking_number="T-NEW")
    landing(land.records)
    for object_, ids in gone.items():
        assert ids <= current(connection, object_)

    landing(land.everything)

    for object_, ids in gone.items():
        assert not ids & current(connection, object_)
    assert "104" not in current(connection, "order")
    assert compared(connection) == {
        "customer": (1, 1, 0),
        "subscriber": (0, 1, 0),
        "order": (1, 2, 0),
        "refund": (0, 0, 0),
    }


def test_a_second_full_read_finds_nothing_more(
    connection: duckdb.DuckDBPyConnection, landing: Land, shop: Shop
) -> None:
    landing(land.records)
    vanish(shop)
    shop.archive_order(104, hour(40))
    landing(land.everything)
    [(before,)] = connection.execute("select count(*) from ledger.source_record").fetchall()
    landing(land.everything)
    [(after,)] = connection.execute("select count(*) from ledger.source_record").fetchall()
    assert before == after
    assert compared(connection) == dict.fromkeys(("customer", "subscriber", "order", "refund"), (0, 0, 0))


def test_an_order_that_is_there_but_in_no_list_stays(source: Source) -> None:
    """Lists of archived orders are inconsistent: only the order itself says what it is."""
    told = became(source, "order", ["107"])["107"]
    assert not isinstance(told.body, Deletion)
    assert told == next(
        record
        for page in source.pages("order", Window(until=CUT))
        for record in page.records
        if record.key.source_id == "107"
    )
