"""Landing: raw, once, page by page; what is refused waits; a source that is down loses nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import Forgotten, OutsideError, Rejected, SignInAgain, TryLater
from models.landing import Page, Reason, Refusal, SourceRecord, Window
from resolver import explain, land, run, warehouse
from resolver.linkage import LinkageModel
from resolver.policy import LandingPolicy, Policy
from resolver.run import Run
from tests.conftest import Clock
from tests.ledger import OF_LANDING, counts
from tests.telling import told


@dataclass
class Shop:
    """A source whose pages and failures a test writes down; it keeps the windows it was asked for."""

    customers: list[Sequence[SourceRecord | Refusal]] = field(default_factory=list)
    """Page by page."""
    orders: list[Sequence[SourceRecord | Refusal]] = field(default_factory=list)
    fails_after: int | None = None
    """Pages of customers after which the source stops answering."""
    failure: OutsideError = field(default_factory=lambda: TryLater("shop: no answer (ReadTimeout)"))
    understood: bool = False
    """Whether the mapping has been mended, so that refused payloads can be read."""
    windows: list[tuple[str, Window]] = field(default_factory=list)
    hidden: list[SourceRecord] = field(default_factory=list)
    """Customers that no list shows, although the shop has them when it is asked for their numbers."""
    settled: list[tuple[str, Window]] = field(default_factory=list)
    """The windows that the source was told are on disk."""
    listed: tuple[str, ...] = ("customer",)
    is_live: bool = True
    name: str = "shop"
    objects: tuple[str, ...] = ("customer", "order")

    def pages(self, object: str, window: Window) -> Iterator[Page]:  # noqa: A002
        self.windows.append((object, window))
        for number, said in enumerate(self.customers if object == "customer" else self.orders):
            if object == "customer" and number == self.fails_after:
                raise self.failure
            yield Page(
                records=tuple(item for item in said if isinstance(item, SourceRecord)),
                refused=tuple(item for item in said if isinstance(item, Refusal)),
                correlation_id=f"page-{number}",
            )

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        has = {record.key.source_id: record for record in self.hidden}
        yield Page(records=tuple(has.get(number, gone(number)) for number in source_ids), correlation_id="missing")

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        self.settled.append((object, window))

    def translate(self, object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
        said = orjson.loads(raw)
        return customer(said["id"], email=said["email"]) if self.understood else refused(said["id"])


def customer(number: int | str, **say: Any) -> SourceRecord:
    return told({"record": f"shop:customer:{number}", **say})


def gone(number: int | str, changed_at: datetime | None = None) -> SourceRecord:
    return SourceRecord.model_validate(
        {
            "key": {"source": "shop", "object": "customer", "source_id": str(number)},
            "raw": "gone",
            "body": {"kind": "deletion"},
            "changed_at": changed_at,
        }
    )


def refused(number: int | str) -> Refusal:
    raw = orjson.dumps({"id": number, "email": f"c{number}@example.com", "birth": "soon"}).decode()
    reasons = (Reason(path="birth", problem="is no date; expected YYYY-MM-DD"),)
    return Refusal(source="shop", object="customer", source_id=str(number), raw=raw, reasons=reasons)


CONSENT = {"contact_point": "a@example.com", "channel": "email"}
Land = Callable[..., str]


@pytest.fixture
def landing(connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel) -> Land:
    """Run one way of landing on its own; gives the run's id."""

    def once(shop: Shop, step: Callable[[Run, Any], land.Landed] = land.records, policy: Policy | None = None) -> str:
        with run.begun("land", connection, policy or Policy(), model, clock) as begun:
            step(begun, shop)
        return begun.run_id

    return once


def versions(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """(record, e-mail) of each version on disk, oldest first."""
    return connection.execute(
        "select record, body->'contact_points'->0->>'value' from ledger.source_record order by fact"
    ).fetchall()


def outcome(connection: duckdb.DuckDBPyConnection, run_id: str) -> str:
    return str(explain.run(connection, run_id)["outcome"])


def test_a_payload_that_is_told_again_lands_once(connection: duckdb.DuckDBPyConnection, landing: Land) -> None:
    shop = Shop([[customer(1, email="a@example.com")], [customer(1, email="a@example.com"), customer(2)]])
    landing(shop)
    landing(shop)
    landing(shop, land.everything)
    assert versions(connection) == [("shop:customer:1", "a@example.com"), ("shop:customer:2", None)]


def test_a_second_run_lands_nothing_and_says_so(connection: duckdb.DuckDBPyConnection, landing: Land) -> None:
    shop = Shop([[customer(1), refused(2)]])
    landing(shop)
    before = counts(connection, OF_LANDING)
    again = explain.run(connection, landing(shop))
    assert counts(connection, OF_LANDING) == before == {"source_record": 1, "quarantine": 1}
    assert {(row["object"], row["landed"], row["refused"]) for row in again["landed"]} == {
        ("customer", 0, 0),
        ("order", 0, 0),
    }


def test_a_value_that_goes_and_comes_back_is_three_versions(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    for day, email in enumerate(("a@example.com", "b@example.com", "a@example.com"), start=1):
        landing(Shop([[customer(1, email=email, changed_at=datetime(2026, 10, day, tzinfo=UTC))]]))
    assert [email for _, email in versions(connection)] == ["a@example.com", "b@example.com", "a@example.com"]
    [(now,)] = connection.execute("select body->'contact_points'->0->>'value' from derived.current_record").fetchall()
    assert now == "a@example.com"


def test_what_a_live_source_changes_back_under_one_time_of_change_counts(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    said = [customer(1, consents=[{**CONSENT, "status": status}]) for status in ("opt_out", "opt_in", "opt_out")]
    for one in said:
        landing(Shop([[one]]))
        landing(Shop([[one]]))
    current = "select body->'consents'->0->>'status' from derived.current_record"
    assert connection.execute(current).fetchall() == [("opt_out",)]
    assert len(versions(connection)) == 3


def test_what_drops_tell_again_is_no_news(connection: duckdb.DuckDBPyConnection, landing: Land) -> None:
    drops = Shop([[customer(1, email="old@example.com")], [customer(1, email="new@example.com")]], is_live=False)
    landing(drops)
    landing(drops)
    assert [email for _, email in versions(connection)] == ["old@example.com", "new@example.com"]


def test_an_older_version_that_arrives_late_does_not_replace_the_newer(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    landing(Shop([[customer(1, email="new@example.com", changed_at=datetime(2026, 10, 2, tzinfo=UTC))]]))
    landing(Shop([[customer(1, email="old@example.com", changed_at=datetime(2026, 10, 1, tzinfo=UTC))]]))
    assert len(versions(connection)) == 2
    [(now,)] = connection.execute("select body->'contact_points'->0->>'value' from derived.current_record").fetchall()
    assert now == "new@example.com"


@settings(max_examples=6, deadline=None)
@given(st.lists(st.lists(st.integers(0, 7), max_size=5), max_size=6))
def test_pages_that_overlap_lose_nothing_and_count_nothing_twice(pages: list[list[int]]) -> None:
    clock, shop = Clock(), Shop([[customer(number) for number in page] for page in pages])
    with (
        warehouse.opened(":memory:", clock=clock) as connection,
        run.begun("land", connection, Policy(), LinkageModel.shipped(), clock) as begun,
    ):
        landed = land.records(begun, shop)
        records = {f"shop:customer:{number}" for page in pages for number in page}
        assert sorted(record for record, _ in versions(connection)) == sorted(records)
        assert (landed.landed, landed.known) == (len(records), sum(map(len, pages)) - len(records))


def test_each_record_says_where_it_came_from(connection: duckdb.DuckDBPyConnection, landing: Land) -> None:
    record = customer(1, email="a@example.com", changed_at=datetime(2026, 10, 1, tzinfo=UTC))
    run_id = landing(Shop([[record]]))
    [found] = connection.execute(
        "select source, object, source_id, raw, content_hash, changed_at, run_id, correlation_id from ledger.source_record"
    ).fetchall()
    expected = ("shop", "customer", "1", record.raw, land.content_hash(record.raw), record.changed_at, run_id, "page-0")
    assert found == expected


def test_a_refused_payload_waits_with_its_reasons_and_its_neighbours_land(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    landing(Shop([[customer(1), refused(2), customer(3)], [customer(4)]]))
    assert [record for record, _ in versions(connection)] == [f"shop:customer:{n}" for n in (1, 3, 4)]
    [waiting] = explain.status(connection)["waiting_in_quarantine"]
    assert (waiting["source_id"], waiting["correlation_id"]) == ("2", "page-0")
    assert waiting["reasons"] == [{"path": "birth", "problem": "is no date; expected YYYY-MM-DD"}]


def test_quarantine_is_read_again_after_a_fix_without_asking_the_source(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    shop = Shop([[customer(1), refused(2)]])
    landing(shop)
    asked = len(shop.windows)
    landing(shop, land.again)
    assert len(explain.status(connection)["waiting_in_quarantine"]) == 1, "nothing was mended yet"
    shop.understood = True
    landing(shop, land.again)
    landing(shop, land.again)
    assert versions(connection)[1:] == [("shop:customer:2", "c2@example.com")]
    assert explain.status(connection)["waiting_in_quarantine"] == []
    assert len(shop.windows) == asked
    states = connection.execute("select state from ledger.quarantine order by fact").fetchall()
    assert states == [("refused",), ("accepted",)]


def test_many_refused_payloads_are_read_again_together_and_in_their_order(
    connection: duckdb.DuckDBPyConnection, a_run: run.Run
) -> None:
    numbers = list(range(700, 0, -1))
    shop = Shop([[refused(number) for number in numbers]])
    land.records(a_run, shop)
    shop.understood = True
    told = land.again(a_run, shop)
    assert (told.landed, told.pages) == (700, 2)
    assert [record for record, _ in versions(connection)] == [f"shop:customer:{number}" for number in numbers]
    assert explain.status(connection)["waiting_in_quarantine"] == []


def test_a_payload_that_is_refused_again_after_it_was_read_waits_again(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    shop = Shop([[refused(2)]], understood=True)
    landing(shop)
    landing(shop, land.again)
    landing(shop)
    assert len(explain.status(connection)["waiting_in_quarantine"]) == 1


def test_a_source_that_stops_answering_leaves_what_landed_and_the_next_run_completes(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    shop = Shop([[customer(1)], [customer(2)], [customer(3)]], orders=[[]], fails_after=2)
    cut = landing(shop)
    assert [record for record, _ in versions(connection)] == ["shop:customer:1", "shop:customer:2"]
    assert connection.execute("from derived.watermark").fetchall() == []
    assert outcome(connection, cut) == "partly"
    [trouble] = explain.run(connection, cut)["counts"]["troubles"]
    assert "shop customer" in trouble
    assert "no answer" in trouble
    shop.fails_after = None
    assert outcome(connection, landing(shop)) == "done"
    assert len(versions(connection)) == 3
    assert [window.since for name, window in shop.windows if name == "customer"] == [None, None]


def test_an_object_that_the_source_refuses_does_not_keep_its_other_objects_from_landing(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    shop = Shop([[customer(1)]], orders=[[told({"record": "shop:order:9", "bought": {}})]], fails_after=0)
    shop.failure = Rejected("shop: GET /customers: answered 403")
    run_id = landing(shop)
    assert [record for record, _ in versions(connection)] == ["shop:order:9"]
    assert outcome(connection, run_id) == "partly"


def test_a_source_that_stops_later_reads_again_from_its_last_complete_window(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    shop = Shop([[customer(1)]])
    landing(shop)
    [(complete,)] = connection.execute("select until from derived.watermark where object = 'customer'").fetchall()
    shop.fails_after = 0
    landing(shop)
    shop.fails_after = None
    landing(shop)
    since = [window.since for name, window in shop.windows if name == "customer"]
    assert since == [None, *[complete - timedelta(seconds=600)] * 2]


def test_one_source_that_is_down_does_not_keep_the_others_from_landing(
    connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel
) -> None:
    down = Shop([[customer(1)]], fails_after=0, failure=SignInAgain("shop: credentials were refused"))
    up = Shop([[told({"record": "till:member:1"})]], name="till", objects=("customer",))
    with run.begun("land", connection, Policy(), model, clock) as begun:
        land.records(begun, down)
        land.records(begun, up)
    assert [record for record, _ in versions(connection)] == ["till:member:1"]
    assert outcome(connection, begun.run_id) == "partly"


def test_windows_overlap_by_the_policy_and_leave_the_newest_changes_to_the_next(
    connection: duckdb.DuckDBPyConnection, landing: Land, clock: Clock
) -> None:
    policy = Policy(landing=LandingPolicy(overlap_seconds=30, lag_seconds=7))
    shop = Shop([[customer(1)]])
    landing(shop, policy=policy)
    landing(shop, policy=policy)
    first, second = (window for name, window in shop.windows if name == "customer")
    assert second.since == first.until - timedelta(seconds=30)
    assert clock.at - second.until >= timedelta(seconds=7)
    landing(shop, land.everything, policy)
    assert shop.windows[-1][1].since is None


def test_a_page_that_cannot_be_written_is_not_half_written(connection: duckdb.DuckDBPyConnection, a_run: Run) -> None:
    class Unsaid(Exception):
        """The test's own end of the page."""

    shop = Shop([[customer(1)], [customer(2)]])
    page = next(shop.pages("customer", Window(until=datetime(2026, 11, 1, tzinfo=UTC))))
    with pytest.raises(Unsaid), warehouse.transaction(connection):
        connection.execute("insert into ledger.migration values ('x', now())")
        raise Unsaid
    land._append(a_run, shop, page)
    assert len(versions(connection)) == 1
    assert connection.execute("select count(*) from ledger.migration where name = 'x'").fetchall() == [(0,)]


def test_a_deleted_record_is_kept_and_no_longer_counts(connection: duckdb.DuckDBPyConnection, landing: Land) -> None:
    landing(Shop([[customer(1), customer(2)], [gone(1, changed_at=datetime(2026, 10, 2, tzinfo=UTC))]]))
    assert len(versions(connection)) == 3
    assert connection.execute("select record from derived.current_record").fetchall() == [("shop:customer:2",)]


def current(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [r for (r,) in connection.execute("select record from derived.current_record order by record").fetchall()]


def compared(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int, int, int]]:
    """(object, missed, vanished, unlisted) of each full read."""
    return connection.execute(
        "select object, missed, vanished, unlisted from ledger.reconciliation order by fact"
    ).fetchall()


def test_a_full_read_ends_what_the_source_no_longer_has(connection: duckdb.DuckDBPyConnection, landing: Land) -> None:
    landing(Shop([[customer(1), customer(2)], [customer(3)]]))
    run_id = landing(Shop([[customer(1)], [customer(3)]]), land.everything)
    assert current(connection) == ["shop:customer:1", "shop:customer:3"]
    assert compared(connection) == [("customer", 0, 1, 0), ("order", 0, 0, 0)]
    assert len(versions(connection)) == 4, "what the source said stays in the ledger"
    answer = explain.run(connection, run_id)
    assert answer["outcome"] == "done"
    assert answer["compared"][0] == {
        "source": "shop", "object": "customer", "missed_by_deltas": 0, "no_longer_there": 1, "there_but_not_listed": 0,
    }  # fmt: skip
    landing(Shop([[customer(1)], [customer(3)]]), land.everything)
    assert len(versions(connection)) == 4
    assert compared(connection)[2:] == [("customer", 0, 0, 0), ("order", 0, 0, 0)]


def test_a_delta_ends_nothing(connection: duckdb.DuckDBPyConnection, landing: Land) -> None:
    landing(Shop([[customer(1), customer(2)]]))
    landing(Shop([[customer(1)]]))
    assert current(connection) == ["shop:customer:1", "shop:customer:2"]
    assert compared(connection) == []


def test_what_no_list_shows_but_the_source_has_is_not_ended(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    landing(Shop([[customer(1), customer(2), customer(3)]]))
    landing(Shop([[customer(1)]], hidden=[customer(2), customer(3, email="new@example.com")]), land.everything)
    assert current(connection) == ["shop:customer:1", "shop:customer:2", "shop:customer:3"]
    assert versions(connection)[-1] == ("shop:customer:3", "new@example.com")
    assert compared(connection)[0] == ("customer", 0, 0, 2)


def test_a_refused_payload_is_not_taken_for_a_vanished_record(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    landing(Shop([[customer(1), customer(2)]]))
    landing(Shop([[customer(1), refused(2)]]), land.everything)
    assert current(connection) == ["shop:customer:1", "shop:customer:2"]
    assert compared(connection)[0] == ("customer", 0, 0, 0)


def test_a_record_that_comes_back_counts_again_and_may_vanish_again(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    there, away = Shop([[customer(1), customer(2)]]), Shop([[customer(1)]])
    for shop in (there, away, there, away, there):
        landing(shop, land.everything)
    assert current(connection) == ["shop:customer:1", "shop:customer:2"]
    assert [vanished for name, _, vanished, _ in compared(connection) if name == "customer"] == [0, 1, 0, 1, 0]
    before = len(versions(connection))
    landing(there)
    assert len(versions(connection)) == before


def test_a_source_that_shows_far_less_than_before_ends_nothing_and_says_so(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    many = [customer(number) for number in range(60)]
    landing(Shop([many]))
    run_id = landing(Shop([many[:30]]), land.everything)
    assert len(current(connection)) == 60
    assert compared(connection)[0] == ("customer", 0, 0, 0)
    assert outcome(connection, run_id) == "partly"
    [trouble] = explain.run(connection, run_id)["counts"]["troubles"]
    assert "30 of 60" in trouble
    assert "vanish_limit" in trouble
    landing(Shop([many[:30]]), land.everything, Policy(landing=LandingPolicy(vanish_limit=0.5)))
    assert len(current(connection)) == 30


def test_absence_says_nothing_of_an_object_that_is_not_listed(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    landing(Shop([[customer(1), customer(2)]]))
    landing(Shop([[customer(1)]], listed=()), land.everything)
    assert current(connection) == ["shop:customer:1", "shop:customer:2"]


def test_a_full_read_counts_what_a_delta_had_missed(connection: duckdb.DuckDBPyConnection, landing: Land) -> None:
    known, late = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    landing(Shop([[customer(1, changed_at=known)]]))
    shop = Shop([[customer(1, changed_at=known), customer(2, changed_at=known), customer(3, changed_at=late)]])
    landing(shop, land.everything)
    assert compared(connection)[0] == ("customer", 1, 0, 0)


def test_a_source_hears_when_a_window_is_on_disk_and_only_then(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    shop = Shop([[customer(1)], [customer(2)]], fails_after=1)
    landing(shop)
    assert shop.settled == []
    shop.fails_after = None
    landing(shop)
    assert shop.settled == shop.windows[-2:]


@dataclass
class Forgetful(Shop):
    """A shop that keeps no notes of what its orders went through: every delta of them may miss some."""

    def pages(self, object: str, window: Window) -> Iterator[Page]:  # noqa: A002
        yield from super().pages(object, window)
        if object == "order" and window.since is not None:
            raise Forgotten("shop: notices before yesterday are not kept.")


def test_a_source_that_has_forgotten_what_changed_is_read_whole_and_the_run_says_so(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    shop = Forgetful([[customer(1), customer(2)]], orders=[[told({"record": "shop:order:9", "bought": {}})]])
    landing(shop)
    shop.customers = [[customer(2)]]
    shop.windows.clear()
    run_id = landing(shop)
    assert [(name, window.since is None) for name, window in shop.windows] == [
        *(("customer", False), ("order", False)),
        *(("customer", True), ("order", True)),
    ]
    assert outcome(connection, run_id) == "partly"
    assert connection.execute("select record from derived.current_record order by record").fetchall() == [
        ("shop:customer:2",),
        ("shop:order:9",),
    ]
    assert [window.since is None for name, window in shop.settled if name == "order"] == [True, True]
