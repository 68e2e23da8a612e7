"""The HTTP door against real servers on loopback; the time that passes is the test's own."""

import logging
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.http import Answer, Door, Patience, retry_after
from connectors.sandbox.faults import Faults, faulty
from connectors.sandbox.server import running
from connectors.sign_in import client_credentials, password_grant, token_error
from models.errors import Contradicted, OutsideError, Rejected, SignInAgain, TryLater
from tests.connectors.conformance import PassingTime


class Vendor:
    """Answers from a list, then 200; remembers what it was asked."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []
        self.bodies: list[bytes] = []
        methods = ["GET", "PUT", "POST", "DELETE"]
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=methods)])

    async def _answer(self, request: Request) -> Response:
        self.asked.append(request)
        self.bodies.append(await request.body())
        return self.answers.pop(0) if self.answers else JSONResponse({"ok": True})


@contextmanager
def door_to(vendor: Vendor, time: PassingTime, faults: Faults | None = None, **options: Any) -> Iterator[Door]:
    app = faulty(vendor.app, faults or Faults(), {})
    settings: dict[str, Any] = {"vendor": "shop", "clock": time.clock, "sleep": time.sleep, **options}
    with running({"shop": app}) as urls, Door(urls["shop"], **settings) as door:
        yield door


@pytest.fixture
def time() -> PassingTime:
    return PassingTime()


def no(status: int, **headers: str) -> Response:
    return Response(
        "no", status_code=status, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def test_waits_as_long_as_the_vendor_says(time: PassingTime) -> None:
    vendor = Vendor(no(429, Retry_After="17"))
    with door_to(vendor, time, random=lambda low, high: low) as door:
        assert door.get("/orders").json() == {"ok": True}
    assert time.slept == [17.0]


def test_a_wait_told_to_one_holds_back_everybody(time: PassingTime) -> None:
    vendor = Vendor(no(200, X_Wait="9"))

    def told(answer: Answer) -> float | None:
        return float(answer.headers["x-wait"]) if "x-wait" in answer.headers else None

    with door_to(vendor, time, wait_from=told) as door:
        door.get("/orders")
        assert time.slept == []
        door.get("/orders")
    assert sum(time.slept) == 9.0


def test_backs_off_with_full_jitter_when_no_wait_is_told(time: PassingTime) -> None:
    vendor = Vendor(no(503), no(429), no(500))
    with door_to(vendor, time, random=lambda low, high: high, patience=Patience(first=1.0, longest=3.0)) as door:
        door.get("/orders")
    assert time.slept == [1.0, 2.0, 3.0]


def test_gives_up_after_its_attempts_and_says_what_it_asked(time: PassingTime) -> None:
    vendor = Vendor(*[no(503)] * 9)
    with door_to(vendor, time, patience=Patience(attempts=3)) as door, pytest.raises(TryLater) as raised:
        door.get("/orders/5", correlation_id="c-1")
    assert len(vendor.asked) == 3
    assert (raised.value.code, raised.value.correlation_id, raised.value.maybe_done) == ("503", "c-1", False)
    assert "GET /orders/5" in str(raised.value)


def test_does_not_sleep_for_hours_because_a_vendor_says_so(time: PassingTime) -> None:
    vendor = Vendor(no(429, Retry_After="7200"))
    with door_to(vendor, time) as door:
        for _ in range(2):
            with pytest.raises(TryLater) as raised:
                door.get("/orders")
            assert raised.value.after_seconds == 7200
        assert len(vendor.asked) == 1
        assert time.slept == []


@pytest.mark.parametrize(
    ("status", "error"), [(400, Rejected), (404, Rejected), (302, Rejected), (409, Contradicted), (401, SignInAgain)]
)
def test_does_not_repeat_what_will_not_get_better(time: PassingTime, status: int, error: type[OutsideError]) -> None:
    vendor = Vendor(no(status, Location="https://elsewhere.example/"))
    with door_to(vendor, time) as door, pytest.raises(error) as raised:
        door.get("/orders")
    assert raised.value.code == str(status)
    assert raised.value.correlation_id
    assert len(vendor.asked) == 1


def test_a_write_that_adds_is_not_repeated_when_it_may_have_happened(time: PassingTime) -> None:
    vendor = Vendor()
    with door_to(vendor, time, Faults(1, {"dropped": 1.0})) as door, pytest.raises(TryLater) as raised:
        door.post("/notes", json={"text": "hello"})
    assert raised.value.maybe_done
    assert len(vendor.asked) == 1


def test_a_broken_server_may_have_done_what_it_was_asked_to_add(time: PassingTime) -> None:
    vendor = Vendor(no(502))
    with door_to(vendor, time) as door, pytest.raises(TryLater) as raised:
        door.post("/notes", json={"text": "hello"})
    assert raised.value.maybe_done
    assert len(vendor.asked) == 1


def test_a_write_that_adds_is_repeated_when_it_surely_did_not_happen(time: PassingTime) -> None:
    vendor = Vendor(no(429))
    with door_to(vendor, time) as door:
        door.post("/notes", json={"text": "hello"})
    assert vendor.bodies == [b'{"text":"hello"}'] * 2


def test_a_server_that_is_not_there_leaves_a_write_surely_undone(time: PassingTime) -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    door = Door(f"http://127.0.0.1:{port}", vendor="shop", clock=time.clock, sleep=time.sleep)
    with door, pytest.raises(TryLater) as raised:
        door.post("/notes", json={})
    assert not raised.value.maybe_done
    assert len(time.slept) == Patience().attempts - 1


def test_reads_and_repeatable_writes_survive_dropped_connections(time: PassingTime) -> None:
    vendor = Vendor()
    with door_to(vendor, time, Faults(1, {"dropped": 0.5, "hung_up": 0.5})) as door:
        assert door.get("/orders").status == 200
        assert door.put("/orders/1", json={"a": 1}).status == 200
        assert door.delete("/orders/1").status == 200
        assert door.post_idempotent("/orders", json={"a": 1}).status == 200


def test_a_repeatable_write_without_any_answer_may_have_happened(time: PassingTime) -> None:
    faults = Faults(1, {"dropped": 1.0}, in_a_row=99)
    with door_to(Vendor(), time, faults) as door, pytest.raises(TryLater) as raised:
        door.put("/orders/1", json={})
    assert raised.value.maybe_done


def test_stays_away_from_a_server_that_does_not_answer_and_tries_once_later(time: PassingTime) -> None:
    vendor = Vendor(*[no(500)] * 13)
    with door_to(vendor, time, patience=Patience(attempts=1)) as door:
        for _ in range(12):
            with pytest.raises(TryLater, match="answered 500"):
                door.get("/orders")
        with pytest.raises(TryLater) as raised:
            door.get("/orders")
        assert raised.value.code == "circuit_open"
        assert raised.value.after_seconds == 30.0
        assert len(vendor.asked) == 12
        time.sleep(31)
        with pytest.raises(TryLater, match="answered 500"):
            door.get("/orders")
        assert len(vendor.asked) == 13
        time.sleep(31)
        assert door.get("/orders").status == 200
        assert door.get("/orders").status == 200


def test_nobody_waits_for_a_server_that_everybody_stays_away_from(time: PassingTime) -> None:
    with door_to(Vendor(*[no(500)] * 12), time, patience=Patience(attempts=12)) as door:
        with pytest.raises(TryLater):
            door.get("/orders")
        before = len(time.slept)
        with pytest.raises(TryLater) as raised:
            door.get("/orders")
    assert raised.value.code == "circuit_open"
    assert len(time.slept) == before


def test_being_busy_is_no_reason_to_stay_away(time: PassingTime) -> None:
    with door_to(Vendor(*[no(429)] * 20), time, patience=Patience(attempts=21)) as door:
        assert door.get("/orders").status == 200


def test_retries_run_out_when_hardly_anything_is_answered(time: PassingTime) -> None:
    vendor = Vendor(*[no(502)] * 500)
    with door_to(vendor, time, patience=Patience(attempts=6)) as door:
        for _ in range(60):
            time.sleep(60)
            with pytest.raises(TryLater):
                door.get("/orders")
    assert len(vendor.asked) <= 60 + 60


def test_keeps_its_own_rate(time: PassingTime) -> None:
    began = time.clock()
    with door_to(Vendor(), time, per_second=5.0, burst=2) as door:
        for _ in range(12):
            door.get("/orders")
    assert (time.clock() - began).total_seconds() == pytest.approx(2.0, abs=0.001)


def test_a_request_keeps_its_correlation_id_through_retries(time: PassingTime) -> None:
    vendor = Vendor(no(503), no(503))
    with door_to(vendor, time) as door:
        answer = door.get("/orders")
        door.get("/orders", correlation_id="mine")
    sent = [request.headers["X-Correlation-Id"] for request in vendor.asked]
    assert sent == [answer.correlation_id] * 3 + ["mine"]


def test_logs_say_what_was_asked_without_secrets_or_contacts(
    time: PassingTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vendor = Vendor(no(503))
    with door_to(vendor, time, headers={"X-Auth-Token": "hush"}) as door:
        door.get("/customers/jane@mail.example/orders", params={"email": "joe@mail.example"})
        door.get("/cards/4711", shown_as="/cards/{card}")
    lines = "\n".join(record.getMessage() for record in caplog.records)
    assert "GET /customers/*/orders" in lines
    assert "GET /cards/{card}" in lines
    assert not any(secret in lines for secret in ("hush", "jane", "joe", "4711"))


def test_an_answer_larger_than_the_limit_is_not_read_to_its_end(time: PassingTime) -> None:
    vendor = Vendor(Response(b"x" * 100_000))
    with door_to(vendor, time, largest_answer=50_000) as door, pytest.raises(Rejected) as raised:
        door.get("/orders")
    assert raised.value.code == "too_large"


def test_an_answer_that_is_no_json_is_not_the_vendor_speaking(time: PassingTime) -> None:
    with door_to(Vendor(Response("<html>maintenance</html>")), time) as door, pytest.raises(TryLater):
        door.get("/orders").json()


def test_half_a_character_in_one_record_does_not_cost_the_page(time: PassingTime) -> None:
    whole = b'"\\ud83d\\ude00 \\\\u00e9"'
    for half in (b"\\ud83d", b"\\uDE00", b"\\ud83d\\ud83d"):
        vendor = Vendor(Response(b'[{"name":"Ana%b"},{"name":%b}]' % (half, whole)))
        with door_to(vendor, time) as door:
            told = door.get("/customers").json()
        assert [one["name"].strip("\ufffd") for one in told] == ["Ana", "\U0001f600 \\u00e9"]
        assert "\ufffd" in told[0]["name"]


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("12", 12.0), ("Mon, 02 Nov 2026 12:00:30 GMT", 30.0), ("Mon, 02 Nov 2026 11:00:00 GMT", 0.0), ("soon", None)],
)
def test_reads_retry_after_as_seconds_or_as_a_date(told: str, seconds: float | None) -> None:
    headers = {"Retry-After": told, "Date": "Mon, 02 Nov 2026 12:00:00 GMT"}
    assert retry_after(Answer("shop: GET /", 429, headers, b"", "c")) == seconds


@pytest.mark.parametrize(
    "wrong",
    [
        "shop.example",
        "https://",
        "https://shop.example:abc",
        "https://shop.example:99999",
        "https://[::1",
        "https://a b",
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_asked(wrong: str, time: PassingTime) -> None:
    with pytest.raises(ValueError, match="write one such as https"):
        Door(wrong, vendor="shop", clock=time.clock, sleep=time.sleep)


def test_refuses_to_send_secrets_unencrypted_to_another_machine(time: PassingTime) -> None:
    with pytest.raises(ValueError, match="https"):
        Door("http://shop.example", vendor="shop", clock=time.clock, sleep=time.sleep)


def test_refuses_a_server_whose_certificate_is_not_trusted(time: PassingTime, tmp_path: Path) -> None:
    with tls_server(tmp_path) as port, pytest.raises(Rejected) as raised:
        Door(f"https://127.0.0.1:{port}", vendor="shop", clock=time.clock, sleep=time.sleep).get("/")
    assert raised.value.code == "certificate"


@contextmanager
def tls_server(folder: Path) -> Iterator[int]:
    """A server with a certificate that nobody vouches for."""
    own_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    paper = x509.CertificateBuilder(name, name, own_key.public_key(), 1, now, now + timedelta(days=1))
    pem = folder / "server.pem"
    pem.write_bytes(
        paper.sign(own_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + own_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=_greet, args=(listening, context), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def _greet(listening: Any, context: ssl.SSLContext) -> None:
    connection, _ = listening.accept()
    try:
        context.wrap_socket(connection, server_side=True).close()
    except OSError:
        connection.close()


class TokenVendor:
    """A token server and an API that takes only the latest token."""

    def __init__(self, lives: int = 3600) -> None:
        self.lives = lives
        self.made: list[dict[str, list[str]]] = []
        self.basic: list[str] = []
        self.revoked = False
        self.refuses_client = False
        self.app = Starlette(routes=[Route("/token", self._token, methods=["POST"]), Route("/orders", self._orders)])

    async def _token(self, request: Request) -> Response:
        if self.refuses_client:
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        self.made.append(parse_qs((await request.body()).decode()))
        self.basic.append(request.headers.get("Authorization", ""))
        self.revoked = False
        return JSONResponse(
            {"access_token": f"token-{len(self.made)}", "expires_in": self.lives, "token_type": "Bearer"}
        )

    async def _orders(self, request: Request) -> Response:
        good = request.headers.get("Authorization") == f"Bearer token-{len(self.made)}" and not self.revoked
        return JSONResponse({"ok": True}, status_code=200 if good else 401)


@contextmanager
def signed_door(vendor: TokenVendor, time: PassingTime, grant: Callable[..., Any], **words: Any) -> Iterator[Door]:
    with running({"shop": vendor.app}) as urls:
        ways: dict[str, Any] = {"vendor": "shop", "clock": time.clock, "sleep": time.sleep}
        tokens = Door(urls["shop"], classify=token_error, **ways)
        secret = SecretStr("client-secret")
        sign_in = grant(tokens, "/token", client_id="me", client_secret=secret, clock=time.clock, **words)
        with tokens, Door(urls["shop"], sign_in=sign_in, **ways) as door:
            yield door


def test_a_token_is_fetched_once_however_many_ask(time: PassingTime) -> None:
    vendor = TokenVendor()
    with signed_door(vendor, time, client_credentials, scope="manage:x") as door, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: door.get("/orders").status, range(24)))
    assert answers == [200] * 24
    assert vendor.made == [{"grant_type": ["client_credentials"], "scope": ["manage:x"]}]
    assert vendor.basic[0].startswith("Basic ")


def test_a_token_is_renewed_before_it_ends(time: PassingTime) -> None:
    vendor = TokenVendor(lives=600)
    with signed_door(vendor, time, client_credentials) as door:
        door.get("/orders")
        time.sleep(539)
        door.get("/orders")
        assert len(vendor.made) == 1
        time.sleep(2)
        door.get("/orders")
    assert len(vendor.made) == 2


def test_a_token_that_is_refused_in_mid_run_is_renewed_and_the_request_repeated(time: PassingTime) -> None:
    vendor = TokenVendor()
    with signed_door(vendor, time, client_credentials) as door:
        door.get("/orders")
        vendor.revoked = True
        assert door.get("/orders").status == 200
    assert len(vendor.made) == 2
    assert time.slept == []


def test_signs_in_with_name_and_password(time: PassingTime) -> None:
    vendor = TokenVendor()
    words = {"username": "robot", "password": SecretStr("pa ss&word"), "auth_method": "client_secret_post"}
    with signed_door(vendor, time, password_grant, **words) as door:
        door.get("/orders")
    told = {name: values[0] for name, values in vendor.made[0].items()}
    expected = {"grant_type": "password", "username": "robot", "password": "pa ss&word"}
    assert told == {**expected, "client_id": "me", "client_secret": "client-secret"}


def test_refused_credentials_are_for_a_person_to_look_at(time: PassingTime) -> None:
    vendor = TokenVendor()
    vendor.refuses_client = True
    with signed_door(vendor, time, client_credentials) as door, pytest.raises(SignInAgain) as raised:
        door.get("/orders")
    assert "client-secret" not in str(raised.value)
    assert time.slept == []
