"""What a full read does not bring is asked for by its number: gone, merged, or only hidden from the feed."""

import orjson
import pytest

from connectors.aptos.source import Settings, connect
from connectors.sandbox.faults import Faults
from models.landing import Deletion, Refusal, SourceRecord
from models.ports import Source
from tests.connectors.aptos.crm import DEPLOYMENTS, LISTED, SPOILT, customer, hour, identity, key, put, vanish
from tests.connectors.aptos.test_source import EVERYTHING, reading
from tests.connectors.conformance import PassingTime, read


def asked(source: Source, object_: str, *source_ids: str) -> dict[str, SourceRecord]:
    found = [one for page in source.missing(object_, source_ids) for one in page.records]
    assert all(source.translate(object_, one.raw) == one for one in found)
    return {one.key.source_id: one for one in found}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_what_vanished_is_a_deletion_and_what_is_hidden_stays_word_for_word(deployment: str) -> None:
    with reading(deployment) as (source, shop):
        assert tuple(source.listed) == LISTED
        before = read(source, EVERYTHING).latest()
        vanish(shop)
        told = read(source, EVERYTHING)
        for object_ in LISTED:
            lost, hidden = identity(object_, 5), identity(object_, 6)
            assert not {lost, hidden} & set(told.ids(object_))
            found = asked(source, object_, lost, hidden)
            assert found[lost].body == Deletion()
            assert found[lost].changed_at is None
            assert found[hidden].raw == before[f"aptos:{object_}:{hidden}"]


def test_a_customer_that_was_merged_away_names_the_one_that_stays() -> None:
    with reading() as (source, shop):
        for number, into in ((5, 6), (6, 7)):
            put(shop, "customer", number, hour(20), status="merged", mergedInto=key("customer", into))
        found = asked(source, "customer", identity("customer", 5))
    assert found[identity("customer", 5)].body == Deletion(merged_into=identity("customer", 7))


@pytest.mark.parametrize("into", ["P-1", "A999999", None])
def test_a_merge_into_what_is_no_customer_names_nobody(into: str | None) -> None:
    """What we retired ourselves points at a profile."""
    with reading() as (source, shop):
        put(shop, "customer", 5, hour(20), status="merged", mergedInto=into)
        found = asked(source, "customer", identity("customer", 5))
    assert found[identity("customer", 5)].body == Deletion()


def test_merges_that_go_round_in_circles_name_nobody() -> None:
    with reading() as (source, shop):
        for number, into in ((5, 6), (6, 5)):
            put(shop, "customer", number, hour(20), status="merged", mergedInto=key("customer", into))
        found = asked(source, "customer", identity("customer", 5))
    assert found[identity("customer", 5)].body == Deletion()


def test_a_crm_that_answers_with_the_survivor_has_merged_the_one_that_was_asked_for() -> None:
    with reading() as (source, shop):
        shop.customers[key("customer", 5)] = shop.customers[key("customer", 6)]
        found = asked(source, "customer", identity("customer", 5))
    assert found[identity("customer", 5)].body == Deletion(merged_into=identity("customer", 6))


def test_a_hidden_record_that_cannot_be_read_is_refused_and_not_ended() -> None:
    with reading() as (source, _):
        (page,) = source.missing("customer", [identity("customer", SPOILT)])
    assert page.records == ()
    assert [one.source_id for one in page.refused] == [identity("customer", SPOILT)]


def test_a_number_is_a_part_of_the_address_and_no_path() -> None:
    with reading() as (source, _):
        found = asked(source, "customer", "../loyalty/accounts/LC0001", "A000001?x=1", "a b/c")
    assert {type(one.body) for one in found.values()} == {Deletion}
    assert set(found) == {"../loyalty/accounts/LC0001", "A000001?x=1", "a b/c"}


def test_asking_survives_faults_with_the_same_answers() -> None:
    faults = Faults(3, {"throttled": 0.1, "unavailable": 0.1, "hung_up": 0.1, "dropped": 0.1, "token_expired": 0.1})
    with reading(faults=faults) as (source, shop):
        vanish(shop)
        numbers = [identity("customer", number) for number in range(1, 12)]
        found = asked(source, "customer", *numbers)
    assert sum(faults.injected.values()) > 0
    gone = {number for number, one in found.items() if isinstance(one.body, Deletion)}
    assert gone == {identity("customer", 5)}


def test_what_the_map_gives_no_lookup_for_is_not_listed() -> None:
    with reading() as (source, _):
        assert "transaction" not in source.listed
        assert "interaction" not in source.listed


def test_a_customer_who_tells_the_word_gone_is_a_customer() -> None:
    with reading() as (source, _):
        told = source.translate("customer", orjson.dumps(customer(1) | {"gone": "A000002"}).decode())
    assert not isinstance(told, Refusal)
    assert told.key.source_id == key("customer", 1)
    assert not isinstance(told.body, Deletion)


def test_daily_files_list_nothing_because_a_day_without_a_customer_says_nothing(tmp_path: object) -> None:
    time = PassingTime()
    source = connect(Settings.model_validate({"daily_files": tmp_path}), clock=time.clock, sleep=time.sleep)
    assert source.listed == ()
    assert list(source.missing("customer", ["A000001"])) == []
