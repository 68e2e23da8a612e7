"""The sandbox's front door: signatures as the vendor checks them, worked out here without the client's library."""

import hashlib
import hmac
import itertools
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote, unquote

from connectors.sandbox.receiving import utc_now

CONSUMER_KEY = "sandbox-consumer"
CONSUMER_SECRET = "sandbox-consumer-secret"  # noqa: S105  opens nothing but the sandbox
TOKEN = "sandbox-token"  # noqa: S105  opens nothing but the sandbox
TOKEN_SECRET = "sandbox-token-secret"  # noqa: S105  opens nothing but the sandbox
ADMIN, PASSWORD = "sandbox-admin", "sandbox-password"
CLIENT, CLIENT_SECRET = "sandbox-client", "sandbox-client-secret"

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class No:
    """Why a request is refused, in the vendor's words."""

    message: str
    parameters: object = None


UNAUTHORISED = No("The consumer isn't authorized to access %resources.", {"resources": "Magento_Customer::customer"})
NONCE_USED = No("The nonce is already being used by the consumer with ID %1", ["1"])


@dataclass
class Gate:
    """Checks the signature of each request. bearer: the shop has switched integration tokens as bearers back on."""

    bearer: bool = False
    clock: Callable[[], datetime] = utc_now
    _nonces: set[str] = field(default_factory=set)
    _used: set[str] = field(default_factory=set)
    _serial: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _tokens: dict[str, datetime] = field(default_factory=dict)
    """Tokens of administrators and of the identity service, and when they end."""

    def admin_token(self, told: Mapping[str, object]) -> str | None:
        """A token of four hours for the right name and password."""
        if (told.get("username"), told.get("password")) != (ADMIN, PASSWORD):
            return None
        return self._granted("admin", hours=4)

    def ims_token(self, form: Mapping[str, str]) -> str | None:
        """A token of a day for the client, if it is one for this service."""
        wanted = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": CLIENT_SECRET}
        right = {name: form.get(name) for name in wanted} == wanted
        return self._granted("ims", hours=24) if right and "commerce.accs" in form.get("scope", "").split(",") else None

    def end_tokens(self) -> None:
        """Tokens end before their time; one that was never used is too young for that."""
        for token in self._used:
            self._tokens.pop(token, None)

    def _granted(self, kind: str, hours: int) -> str:
        token = f"sandbox-{kind}-{next(self._serial)}"
        self._tokens[token] = self.clock() + timedelta(hours=hours)
        return token

    def _bears(self, token: str) -> bool:
        if token == TOKEN:
            return self.bearer
        self._used.add(token)
        until = self._tokens.get(token)
        return until is not None and self.clock() < until

    def refuses(self, method: str, url: str, authorization: str) -> No | None:
        """The reason, or None. `url` without its query and fragment is what was signed, the query apart."""
        if authorization.startswith("Bearer "):
            return None if self._bears(authorization.removeprefix("Bearer ")) else UNAUTHORISED
        told = {name: unquote(value) for name, value in _PARAMETER.findall(authorization)}
        known = told.get("oauth_consumer_key") == CONSUMER_KEY and told.get("oauth_token") == TOKEN
        if not authorization.startswith("OAuth ") or not known:
            return UNAUTHORISED
        if told.get("oauth_signature_method") != "HMAC-SHA256":
            return No("The signature method is not supported.")
        if not hmac.compare_digest(_signature(method, url, told), told.get("oauth_signature", "")):
            return No("The signature is invalid. Verify and try again.")
        if told.get("oauth_nonce", "") in self._nonces:
            return NONCE_USED
        self._nonces.add(told["oauth_nonce"])
        return None


def _signature(method: str, url: str, told: Mapping[str, str]) -> str:
    """By RFC 5849. The vendor takes the query apart by percent signs only: a `+` stays a plus sign."""
    address, _, query = url.partition("?")
    pairs = [(_raw(name), _raw(value)) for name, _, value in (part.partition("=") for part in query.split("&")) if name]
    pairs += [(name, value) for name, value in told.items() if name not in {"oauth_signature", "realm"}]
    normal = "&".join(f"{name}={value}" for name, value in sorted((_escaped(n), _escaped(v)) for n, v in pairs))
    base = "&".join(map(_escaped, (method.upper(), address, normal)))
    key = f"{_escaped(CONSUMER_SECRET)}&{_escaped(TOKEN_SECRET)}"
    return b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()


def _raw(text: str) -> str:
    return unquote(text)


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")
