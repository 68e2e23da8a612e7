"""The sandbox's servers and faults, as a client on the network sees them."""

import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.sandbox.faults import Faults, faulty
from connectors.sandbox.server import running, running_on


class Counting:
    """An app that counts what it carried out."""

    def __init__(self) -> None:
        self.done = 0
        self.app = Starlette(routes=[Route("/{path:path}", self._answer)])

    async def _answer(self, _: Request) -> Response:
        self.done += 1
        return PlainTextResponse("x" * 1000)


@pytest.fixture
def counting() -> Counting:
    return Counting()


def test_servers_run_side_by_side_on_free_ports_and_are_gone_afterwards(counting: Counting) -> None:
    with running({"shop": counting.app, "till": counting.app}) as urls:
        assert len(set(urls.values())) == 2
        assert [httpx.get(url).status_code for url in urls.values()] == [200, 200]
    with pytest.raises(httpx.ConnectError):
        httpx.get(urls["shop"])


def test_a_server_takes_the_port_it_is_given(counting: Counting) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running_on({"shop": counting.app}, {"shop": port}) as urls:
        assert urls == {"shop": f"http://127.0.0.1:{port}"}
        assert httpx.get(urls["shop"]).status_code == 200


def test_a_port_that_is_taken_is_an_error(counting: Counting) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="in use"),
        running_on({"shop": counting.app}, {"shop": taken.getsockname()[1]}),
    ):
        pass


def test_a_dropped_connection_dies_after_the_work_was_done(counting: Counting) -> None:
    app = faulty(counting.app, Faults(1, {"dropped": 1.0}), {})
    with running({"shop": app}) as urls, pytest.raises(httpx.TransportError):
        httpx.get(urls["shop"])
    assert counting.done == 1


def test_a_hung_up_connection_dies_before_any_work(counting: Counting) -> None:
    app = faulty(counting.app, Faults(1, {"hung_up": 1.0}), {})
    with running({"shop": app}) as urls, pytest.raises(httpx.TransportError):
        httpx.get(urls["shop"])
    assert counting.done == 0


def test_a_vendor_names_its_own_faults(counting: Counting) -> None:
    own = {"throttled": PlainTextResponse("slow down", status_code=429)}
    with running({"shop": faulty(counting.app, Faults(1, {"throttled": 1.0}), own)}) as urls:
        assert httpx.get(urls["shop"]).status_code == 429


def test_a_fault_that_nobody_knows_is_refused(counting: Counting) -> None:
    with pytest.raises(ValueError, match="no such fault here"):
        faulty(counting.app, Faults(1, {"earthquake": 0.5}), {})


@pytest.mark.parametrize("rates", [{"slow": -0.1}, {"slow": 0.6, "dropped": 0.6}])
def test_rates_are_shares(rates: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        Faults(1, rates)


def test_the_same_seed_draws_the_same_faults() -> None:
    def draws(seed: int) -> list[str | None]:
        faults = Faults(seed, {"slow": 0.2, "dropped": 0.2})
        return [faults.draw(f"GET /{number}") for number in range(50)]

    assert draws(3) == draws(3)
    assert draws(3) != draws(4)


def test_one_request_meets_no_more_than_its_share_of_faults_in_a_row() -> None:
    faults = Faults(1, {"unavailable": 1.0}, in_a_row=2)
    assert [faults.draw("GET /") for _ in range(6)] == ["unavailable", "unavailable", None] * 2
    assert faults.injected == {"unavailable": 4}
