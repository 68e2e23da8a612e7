"""The sandbox's front door: signatures as the vendor checks them, worked out here without the client's library."""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

CONSUMER_KEY = "sandbox-consumer"
CONSUMER_SECRET = "sandbox-consumer-secret"  # noqa: S105  opens nothing but the sandbox
TOKEN = "sandbox-token"  # noqa: S105  opens nothing but the sandbox
TOKEN_SECRET = "sandbox-token-secret"  # noqa: S105  opens nothing but the sandbox

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
    _nonces: set[str] = field(default_factory=set)

    def refuses(self, method: str, url: str, authorization: str) -> No | None:
        """The reason, or None. `url` without its query and fragment is what was signed, the query apart."""
        if authorization.startswith("Bearer "):
            return None if self.bearer and authorization == f"Bearer {TOKEN}" else UNAUTHORISED
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
