"""What can go wrong at a door to the outside, named after the caller's next move.

    OutsideError
    ├── TryLater       it is down, busy or slow: come back, the same request may succeed
    ├── Rejected       it will never take this request: fix the record or the setting
    ├── SignInAgain    the credentials were refused: a person must look at them
    ├── Moved          the thing lives under another id now: follow it
    ├── Forgotten      it no longer knows all that changed since then: read everything
    └── Contradicted   somebody changed it in between, or it holds other content: read again, decide again

Bad records are never exceptions: they are `Refusal` values, and their neighbours land.
"""


class OutsideError(Exception):
    """Base of everything a connector raises. The text may be shown and logged: no payload, no token, no contact."""

    def __init__(self, message: str, *, correlation_id: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.correlation_id = correlation_id
        self.code = code
        """Status or error code of the other side, e.g. `503` or `ConcurrentModification`."""


class TryLater(OutsideError):
    """Down, busy or slow, and retries within the budget did not help."""

    def __init__(
        self,
        message: str,
        *,
        correlation_id: str | None = None,
        code: str | None = None,
        after_seconds: float | None = None,
        maybe_done: bool = False,
    ) -> None:
        super().__init__(message, correlation_id=correlation_id, code=code)
        self.after_seconds = after_seconds
        self.maybe_done = maybe_done
        """True if the request may have taken effect although no answer came: read back before sending again."""


class Rejected(OutsideError):
    """The other side understood and said no."""


class SignInAgain(OutsideError):
    """Credentials were refused, also after one refresh."""


class Moved(OutsideError):
    """The id was merged into another one: `to`, or None where the other side does not say which."""

    def __init__(
        self, message: str, *, to: str | None, correlation_id: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, correlation_id=correlation_id, code=code)
        self.to = to


class Forgotten(OutsideError):
    """What changed since then was not kept, or not kept whole: a delta would miss something without a word."""


class Contradicted(OutsideError):
    """The other side holds a newer version or other content under the same key."""
