"""Signatures: made by the library, checked by the sandbox in its own way, and refused for the vendor's reasons."""

from datetime import UTC, datetime
from itertools import count
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.magento.criteria import Filter, query
from connectors.magento.sandbox_auth import (
    CONSUMER_KEY,
    CONSUMER_SECRET,
    NONCE_USED,
    TOKEN,
    TOKEN_SECRET,
    UNAUTHORISED,
    Gate,
    No,
)
from connectors.magento.signing import SignedRequests

SHOP = "https://shop.example/rest/all/V1/orders"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WRONG = No("The signature is invalid. Verify and try again.")


def signer(**changed: str) -> SignedRequests:
    secrets = {
        "consumer_secret": CONSUMER_SECRET,
        "access_token": TOKEN,
        "access_token_secret": TOKEN_SECRET,
        **{name: value for name, value in changed.items() if name not in {"consumer_key", "nonce"}},
    }
    numbers = count()
    return SignedRequests(
        consumer_key=changed.get("consumer_key", CONSUMER_KEY),
        clock=lambda: NOON,
        nonce=lambda: changed.get("nonce") or f"nonce-{next(numbers)}",
        **{name: SecretStr(value) for name, value in secrets.items()},
    )


def asked(value: str) -> str:
    return f"{SHOP}?{query([(Filter('updated_at', 'gteq', value),)], order=('entity_id',), page_size=5)}"


def authorization(url: str, by: SignedRequests | None = None, method: str = "GET") -> str:
    return (by or signer()).headers(method, url, b"")["Authorization"]


@given(st.text(max_size=30))
def test_whatever_is_searched_for_is_signed_as_the_vendor_checks_it(value: str) -> None:
    url = asked(value.encode("utf-8", "ignore").decode())
    assert Gate().refuses("GET", url, authorization(url)) is None


def test_a_blank_that_is_sent_as_a_plus_sign_makes_the_signature_wrong() -> None:
    """The vendor takes queries apart by percent signs only; clients that write `+` meet this as soon as they search."""
    url = f"{SHOP}?{urlencode({'searchCriteria[filterGroups][0][filters][0][value]': '2026-01-01 00:00:00'})}"
    assert "+" in url
    assert Gate().refuses("GET", url, authorization(url)) == WRONG


def test_the_method_is_hmac_sha256_and_the_time_is_the_clock_s() -> None:
    header = authorization(SHOP)
    assert 'oauth_signature_method="HMAC-SHA256"' in header
    assert f'oauth_timestamp="{int(NOON.timestamp())}"' in header


def test_no_secret_is_in_the_header() -> None:
    assert CONSUMER_SECRET not in authorization(SHOP)
    assert TOKEN_SECRET not in authorization(SHOP)


@pytest.mark.parametrize("name", ["consumer_secret", "access_token_secret"])
def test_another_secret_is_a_wrong_signature(name: str) -> None:
    assert Gate().refuses("GET", SHOP, authorization(SHOP, signer(**{name: "another"}))) == WRONG


@pytest.mark.parametrize("name", ["consumer_key", "access_token"])
def test_another_key_is_nobody(name: str) -> None:
    assert Gate().refuses("GET", SHOP, authorization(SHOP, signer(**{name: "another"}))) == UNAUTHORISED


def test_a_signature_is_for_one_request() -> None:
    url = asked("2026-01-01 00:00:00")
    header = authorization(url)
    assert Gate().refuses("DELETE", url, header) == WRONG
    assert Gate().refuses("GET", asked("2026-01-02 00:00:00"), header) == WRONG


def test_a_nonce_is_good_once() -> None:
    gate, by = Gate(), signer(nonce="the-same")
    assert gate.refuses("GET", SHOP, authorization(SHOP, by)) is None
    assert gate.refuses("GET", SHOP, authorization(SHOP, by)) == NONCE_USED
    assert gate.refuses("GET", SHOP, authorization(SHOP)) is None


def test_a_refused_request_may_be_signed_again() -> None:
    by = signer()
    first = by.headers("GET", SHOP, b"")
    assert by.renew(first)
    assert by.headers("GET", SHOP, b"") != first


def test_nobody_is_let_in_without_a_name() -> None:
    assert Gate().refuses("GET", SHOP, "") == UNAUTHORISED
    assert Gate().refuses("GET", SHOP, f"Bearer {TOKEN}") == UNAUTHORISED
    assert Gate(bearer=True).refuses("GET", SHOP, f"Bearer {TOKEN}") is None
    assert Gate(bearer=True).refuses("GET", SHOP, "Bearer another") == UNAUTHORISED
