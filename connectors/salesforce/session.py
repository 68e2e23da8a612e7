"""Sessions: an access token and the address of the org that it opens, by JWT bearer or client credentials.

Neither flow has a refresh token: a session that ended (401 INVALID_SESSION_ID) is replaced by a new one.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from typing import cast

from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oauth2.rfc7523 import JWTBearerGrant
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from connectors.http import Door
from models.errors import Rejected

_PATH = "/services/oauth2/token"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_SECONDS = 180


class Session:
    """A sign-in for a Door that also learns where the org lives. Safe to use from several threads.

    door leads to the token server; grant makes the body of a token request, anew each time.
    """

    def __init__(self, door: Door, grant: Callable[[], str]) -> None:
        self._door = door
        self._grant = grant
        self._lock = Lock()
        self._token: str | None = None
        self._instance: str = ""

    def instance_url(self) -> str:
        """Where the org answers. Fetches a token first if there is none, and then raises what a Door raises."""
        with self._lock:
            if self._token is None:
                self._fetch()
            return self._instance

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The bearer header."""
        with self._lock:
            if self._token is None:
                self._fetch()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the refused token, unless another thread has replaced it already."""
        with self._lock:
            if refused.get("Authorization") == f"Bearer {self._token}":
                self._token = None
            return True

    def _fetch(self) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._door.post_idempotent(_PATH, content=self._grant().encode(), headers=headers)
        told = answer.json()
        token, instance = (
            told.get(name) if isinstance(told, dict) else None for name in ("access_token", "instance_url")
        )
        if not isinstance(token, str) or not isinstance(instance, str) or not token or not instance:
            message = f"{answer.asked}: the answer holds no access token, or no address of the org"
            raise Rejected(message, correlation_id=answer.correlation_id)
        self._token, self._instance = token, instance.rstrip("/")


def by_client_credentials(door: Door, client_id: str, client_secret: SecretStr) -> Session:
    """Sign in as the user that the connected app runs as. The door leads to the org's My Domain."""

    def grant() -> str:
        secret = client_secret.get_secret_value()
        return cast("str", prepare_token_request("client_credentials", client_id=client_id, client_secret=secret))

    return Session(door, grant)


def by_jwt(
    door: Door, *, client_id: str, username: str, audience: str, private_key: SecretStr, clock: Callable[[], datetime]
) -> Session:
    """Sign in as `username` with an assertion (RS256, good for three minutes) instead of a password.

    private_key: PEM; ValueError if it is none, or a public key.
    audience: `https://login.salesforce.com`, or `https://test.salesforce.com` for a test org.
    """

    key = _private(private_key)

    def grant() -> str:
        now = int(clock().timestamp())
        assertion = JWTBearerGrant.sign(
            key,
            issuer=client_id,
            audience=audience,
            subject=username,
            issued_at=now,
            expires_at=now + _ASSERTION_SECONDS,
            alg="RS256",
        )
        return cast("str", prepare_token_request(_JWT_GRANT, assertion=assertion))

    return Session(door, grant)


def _private(pem: SecretStr) -> RSAKey:
    try:
        key = RSAKey.import_key(pem.get_secret_value())
    except (ValueError, JoseError):
        raise ValueError("private_key: not an RSA key in PEM") from None
    if not key.is_private:
        raise ValueError("private_key: this is a public key; the private one signs")
    return key
