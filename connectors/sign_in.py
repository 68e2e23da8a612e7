"""Who we say we are: fixed headers, or OAuth 2 tokens that are fetched, kept, and renewed before they end."""

from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Protocol, cast

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from pydantic import SecretStr

from connectors.answer import Answer, by_status
from models.errors import OutsideError, Rejected, SignInAgain

if TYPE_CHECKING:
    from connectors.http import Door


class SignIn(Protocol):
    """Signs requests. Safe to use from several threads."""

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The headers that sign this request. May fetch a token first, and then raises what a Door raises."""
        ...

    def renew(self, refused: Mapping[str, str]) -> bool:
        """These headers were refused with 401. True if signing again may help; the next `headers` are fresh then."""
        ...


class FixedHeaders:
    """The same secret headers on each request; none of them if nothing is given."""

    def __init__(self, headers: Mapping[str, SecretStr] | None = None) -> None:
        self._headers = dict(headers or {})

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The secrets, in the clear, for the wire."""
        return {name: secret.get_secret_value() for name, secret in self._headers.items()}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """A fixed secret does not get better."""
        return False


class BearerToken:
    """OAuth 2 by client credentials or password grant, depending on `grant`; build it by the two functions below."""

    def __init__(
        self,
        door: "Door",
        path: str,
        *,
        client: ClientAuth,
        grant: Callable[[], str],
        clock: Callable[[], datetime],
        early: float = 60.0,
    ) -> None:
        self._door = door
        self._path = path
        self._client = client
        self._grant = grant
        self._clock = clock
        self._early = early
        self._token: str | None = None
        self._good_until = 0.0
        self._lock = Lock()

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """A bearer header whose token is good for at least `early` seconds, or for half its life if that is shorter."""
        with self._lock:
            if self._token is None or self._clock().timestamp() >= self._good_until:
                self._fetch()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the refused token, unless another thread has renewed it already."""
        with self._lock:
            if refused.get("Authorization") == f"Bearer {self._token}":
                self._token = None
            return True

    def _fetch(self) -> None:
        _, headers, body = self._client.prepare(
            "POST", self._path, {"Content-Type": "application/x-www-form-urlencoded"}, self._grant()
        )
        answer = self._door.post_idempotent(self._path, content=body.encode(), headers=headers)
        told = answer.json()
        token = told.get("access_token") if isinstance(told, dict) else None
        if not isinstance(token, str) or not token:
            raise Rejected(f"{answer.asked}: the answer holds no access token", correlation_id=answer.correlation_id)
        lives = float(told.get("expires_in") or 3600)
        self._good_until = self._clock().timestamp() + max(lives - self._early, lives / 2)
        self._token = token


def client_credentials(
    door: "Door",
    path: str,
    *,
    client_id: str,
    client_secret: SecretStr,
    clock: Callable[[], datetime],
    scope: str | None = None,
    auth_method: str = "client_secret_basic",
    early: float = 60.0,
) -> BearerToken:
    """Tokens for a machine. `door` leads to the token server (classify with `token_error`), `path` is its end point.

    `auth_method`: `client_secret_basic` or `client_secret_post`.
    """

    def grant() -> str:
        return cast("str", prepare_token_request("client_credentials", scope=scope or ""))

    client = ClientAuth(client_id, client_secret.get_secret_value(), auth_method)
    return BearerToken(door, path, client=client, grant=grant, clock=clock, early=early)


def password_grant(
    door: "Door",
    path: str,
    *,
    client_id: str,
    client_secret: SecretStr,
    username: str,
    password: SecretStr,
    clock: Callable[[], datetime],
    scope: str | None = None,
    auth_method: str = "client_secret_basic",
    early: float = 60.0,
) -> BearerToken:
    """Tokens for a technical user, by name and password; otherwise as `client_credentials`."""

    def grant() -> str:
        secret = password.get_secret_value()
        return cast("str", prepare_token_request("password", username=username, password=secret, scope=scope or ""))

    client = ClientAuth(client_id, client_secret.get_secret_value(), auth_method)
    return BearerToken(door, path, client=client, grant=grant, clock=clock, early=early)


def token_error(answer: Answer) -> OutsideError | None:
    """How a token server says no: 400, 401 and 403 are a matter of credentials, the rest is as everywhere."""
    if answer.status in {400, 401, 403}:
        return SignInAgain(f"{answer.asked}: the token server refused the credentials", code=str(answer.status))
    return by_status(answer)
