"""Every source keeps the same promises. See conformance.py for what a vendor has to bring."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from connectors.sandbox.faults import Faults
from connectors.sandbox.garbling import garbled
from models.errors import OutsideError
from models.landing import Refusal, Window
from tests.connectors.conformance import PassingTime, Read, Scenario, Stage, Stand, personal, read, scenario_of, vendors


@pytest.fixture(params=vendors())
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return scenario_of(request.param)


@contextmanager
def standing(
    scenario: Scenario, folder: Path, faults: Faults | None = None, time: PassingTime | None = None
) -> Iterator[Stand]:
    folder.mkdir(exist_ok=True)
    with scenario.stand(Stage(time or PassingTime(), faults or Faults(), folder)) as stand:
        yield stand


def everything(scenario: Scenario) -> Window:
    return Window(until=scenario.cut)


def quiet_read(scenario: Scenario, folder: Path) -> Read:
    with standing(scenario, folder) as stand:
        return read(stand.source, everything(scenario))


def test_brings_exactly_the_expected_records(scenario: Scenario, tmp_path: Path) -> None:
    told = quiet_read(scenario, tmp_path)
    for object_, ids in scenario.expected.items():
        assert told.ids(object_) == sorted(ids), object_


def test_refuses_what_cannot_be_read_and_says_where(scenario: Scenario, tmp_path: Path) -> None:
    told = quiet_read(scenario, tmp_path)
    for object_, ids in scenario.refused.items():
        assert told.refused_ids(object_) == sorted(ids), object_
    assert all(reason.problem for refusal in told.refused for reason in refusal.reasons)


def test_names_its_records_by_its_folder(scenario: Scenario, tmp_path: Path) -> None:
    told = quiet_read(scenario, tmp_path)
    assert {record.key.source for record in told.records} == {scenario.vendor}


def test_is_live_if_it_is_asked_and_not_if_it_reads_what_was_dropped(scenario: Scenario, tmp_path: Path) -> None:
    with standing(scenario, tmp_path) as stand:
        read(stand.source, everything(scenario))
        assert stand.source.is_live == bool(stand.asked())


def test_asks_for_each_page_once(scenario: Scenario, tmp_path: Path) -> None:
    with standing(scenario, tmp_path) as stand:
        read(stand.source, everything(scenario))
        asked = list(stand.asked())
    assert len(asked) == len(set(asked))


def test_the_same_payload_gives_the_same_record(scenario: Scenario, tmp_path: Path) -> None:
    with standing(scenario, tmp_path) as stand:
        told = read(stand.source, everything(scenario))
        for record in told.records:
            assert stand.source.translate(record.key.object, record.raw) == record
        for refusal in told.refused:
            assert stand.source.translate(refusal.object, refusal.raw) == refusal


def test_a_window_brings_what_changed_in_it(scenario: Scenario, tmp_path: Path) -> None:
    delta = scenario.delta
    with standing(scenario, tmp_path) as stand:
        told = read(stand.source, delta.window)
    for object_, ids in delta.expected.items():
        assert told.ids(object_) == sorted(ids), object_
    assert all(delta.window.holds(record.changed_at) for record in told.records if record.changed_at)


def test_records_that_change_while_pages_are_read_are_neither_lost_nor_doubled(
    scenario: Scenario, tmp_path: Path
) -> None:
    with standing(scenario, tmp_path) as stand:
        if stand.disturb is None:
            pytest.skip("nothing can change while this source is read: its drops are complete before they are seen")
        stand.disturb()
        first = read(stand.source, everything(scenario))
        later = Window(since=scenario.cut, until=scenario.cut.replace(year=scenario.cut.year + 1))
        second = read(stand.source, later)
        settled = read(stand.source, Window(until=later.until))
    assert {**first.latest(), **second.latest()} == settled.latest()
    for one in (first, second):
        assert len(one.texts()) == len(set(one.texts()))


def test_waits_when_told_to(scenario: Scenario, tmp_path: Path) -> None:
    if scenario.told_wait is None:
        pytest.skip("this source is never told to wait")
    fault, seconds = scenario.told_wait
    faults, time = Faults(7, {fault: 0.2}), PassingTime()
    with standing(scenario, tmp_path, faults, time) as stand:
        told = read(stand.source, everything(scenario))
    assert faults.injected[fault] > 0
    assert sum(time.slept) >= faults.injected[fault] * seconds
    assert {key for key, _ in told.texts()} == {key for key, _ in quiet_read(scenario, tmp_path / "quiet").texts()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_survives_faults_with_the_same_records(scenario: Scenario, seed: int, tmp_path: Path) -> None:
    if not scenario.faults:
        pytest.skip("this source has no server that could fail")
    faults = Faults(seed, scenario.faults)
    with standing(scenario, tmp_path, faults) as stand:
        told = read(stand.source, everything(scenario))
    assert sum(faults.injected.values()) > 0
    assert told.texts() == quiet_read(scenario, tmp_path / "quiet").texts()


@pytest.mark.parametrize("seed", range(6))
def test_an_answer_without_sense_is_an_error_that_names_the_next_move(
    scenario: Scenario, seed: int, tmp_path: Path
) -> None:
    if not scenario.faults:
        pytest.skip("this source has no server that could answer without sense")
    faults = Faults(seed, {"garbled": (0.05, 0.2, 0.5)[seed % 3]})
    with standing(scenario, tmp_path, faults) as stand:
        for object_ in stand.source.objects:
            for window in (everything(scenario), scenario.delta.window):
                with suppress(OutsideError):
                    list(stand.source.pages(object_, window))
            if object_ in stand.source.listed:
                with suppress(OutsideError):
                    list(stand.source.missing(object_, sorted(scenario.expected[object_])[:7]))
    assert sum(faults.injected.values()) > 0


def test_a_payload_with_something_odd_in_it_is_a_record_or_a_refusal(scenario: Scenario, tmp_path: Path) -> None:
    random = Random(1)
    with standing(scenario, tmp_path) as stand:
        if not stand.source.is_live:
            pytest.skip("its payloads are made by us of what a file holds; other tests spoil the files")
        told = read(stand.source, everything(scenario))
        payloads = [(one.key.object, one.raw) for one in told.records]
        for object_, raw in random.choices(payloads, k=600):
            odd = garbled(raw.encode(), random).decode()
            assert stand.source.translate(object_, odd) == stand.source.translate(object_, odd)


SECRET = "Petra, 4111 1111"
ODD: Sequence[Any] = (SECRET, [SECRET], {SECRET: 1}, {SECRET: []}, [{SECRET: None}], [[SECRET]])


def renamed(content: str, random: Random) -> str:
    """The payload with a secret among the keys of one of its tables, and something odd under it."""
    tables: list[dict[str, Any]] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            tables.append(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            look(inner)

    told = orjson.loads(content)
    look(told)
    random.choice(tables)[SECRET] = random.choice(ODD)
    return orjson.dumps(told).decode()


def test_a_reason_never_repeats_what_it_found(scenario: Scenario, tmp_path: Path) -> None:
    random = Random(2)
    refused = 0
    with standing(scenario, tmp_path) as stand:
        if not stand.source.is_live:
            pytest.skip("its payloads are made by us of what a file holds; other tests spoil the files")
        told = read(stand.source, everything(scenario))
        payloads = [(one.key.object, one.raw) for one in told.records]
        for number, (object_, raw) in enumerate(random.choices(payloads, k=1_500)):
            odd = renamed(raw, random) if number % 3 == 0 else garbled(raw.encode(), random, ODD).decode()
            answer = stand.source.translate(object_, odd)
            if isinstance(answer, Refusal):
                refused += 1
                assert not [reason for reason in answer.reasons if "Petra" in f"{reason.path} {reason.problem}"]
    assert refused > 200


def test_no_token_and_nothing_personal_is_logged(
    scenario: Scenario, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with standing(scenario, tmp_path, Faults(5, scenario.faults)) as stand:
        told = read(stand.source, everything(scenario))
    lines = "\n".join(record.getMessage() + str(record.exc_info or "") for record in caplog.records)
    assert caplog.records
    for secret in (*scenario.secrets, *personal(told.records)):
        assert secret not in lines
