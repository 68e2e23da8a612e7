"""How we sign in: OAuth 1.0a with HMAC-SHA256, each request by itself; as an administrator, for a token of some hours.

Tokens of Adobe's identity service are plain OAuth 2 and come from `connectors.sign_in`.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from uuid import uuid4

from authlib.oauth1.rfc5849.client_auth import ClientAuth
from authlib.oauth1.rfc5849.parameters import prepare_headers
from authlib.oauth1.rfc5849.signature import generate_signature_base_string
from authlib.oauth1.rfc5849.util import escape
from pydantic import SecretStr

from connectors.http import Door
from models.errors import SignInAgain

_METHOD = "HMAC-SHA256"


def _hmac_sha256(client: ClientAuth, request: object) -> str:
    """The signature by SHA-256, which the vendor wants and the library leaves to its users."""
    key = f"{escape(client.client_secret)}&{escape(client.token_secret)}"
    signed = hmac.new(key.encode(), generate_signature_base_string(request).encode(), hashlib.sha256)
    return b64encode(signed.digest()).decode()


ClientAuth.register_signature_method(_METHOD, _hmac_sha256)


class SignedRequests:
    """OAuth 1.0a: consumer and access token of an activated integration. A nonce is never used twice."""

    def __init__(
        self,
        *,
        consumer_key: str,
        consumer_secret: SecretStr,
        access_token: SecretStr,
        access_token_secret: SecretStr,
        clock: Callable[[], datetime],
        nonce: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._client = ClientAuth(
            consumer_key,
            consumer_secret.get_secret_value(),
            token=access_token.get_secret_value(),
            token_secret=access_token_secret.get_secret_value(),
            signature_method=_METHOD,
        )
        self._clock = clock
        self._nonce = nonce

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The header that signs this one request. A JSON body is not part of what is signed."""
        parameters = self._client.get_oauth_params(self._nonce(), str(int(self._clock().timestamp())))
        unsigned = prepare_headers(parameters, {})
        signature = self._client.get_oauth_signature(method, url, unsigned, b"")
        signed: dict[str, str] = prepare_headers([*parameters, ("oauth_signature", signature)], {})
        return signed

    def renew(self, refused: Mapping[str, str]) -> bool:
        """A request that something on the way sent twice is refused for its nonce: another nonce may help."""
        return True


class AdminToken:
    """A token for name and password of an administrator, fetched when it is needed and again when it is refused.

    `door` leads to the shop without a sign-in. Shops that want a second factor refuse: an integration signs in there.
    """

    def __init__(self, door: Door, *, username: str, password: SecretStr) -> None:
        self._door = door
        self._username = username
        self._password = password
        self._token: str | None = None
        self._lock = Lock()

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """A bearer header. Raises SignInAgain if the shop gives no token for this name."""
        with self._lock:
            if self._token is None:
                self._token = self._fetched()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the refused token, unless another thread has renewed it already."""
        with self._lock:
            if refused.get("Authorization") == f"Bearer {self._token}":
                self._token = None
            return True

    def _fetched(self) -> str:
        asked = {"username": self._username, "password": self._password.get_secret_value()}
        answer = self._door.post_idempotent("integration/admin/token", json=asked)
        token = answer.json()
        if not isinstance(token, str) or not token:
            raise SignInAgain(f"{answer.asked}: the answer holds no token", correlation_id=answer.correlation_id)
        return token
