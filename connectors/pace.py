"""How fast, and whether at all, we may knock: a rate limit with pauses, and a circuit breaker.

Both take the clock (and the sleep) as arguments, so that a test of an hour takes a millisecond. The libraries that
offer the same (pyrate-limiter, pybreaker) use the machine's own clock or sleep inside: hence these few lines.
"""

from collections.abc import Callable
from datetime import datetime
from threading import Lock


class Pace:
    """At most `per_second` requests a second on average, `burst` of them at once; pauses hold everybody back.

    `per_second` None means no limit of our own. The clock must tick: it decides how much of the limit is free again.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        per_second: float | None = None,
        burst: int = 1,
    ) -> None:
        if (per_second is not None and per_second <= 0) or burst < 1:
            raise ValueError("a pace needs a positive rate and a burst of at least one")
        self._clock = clock
        self._sleep = sleep
        self._interval = 0.0 if per_second is None else 1.0 / per_second
        self._slack = (burst - 1) * self._interval
        self._due = 0.0
        self._paused_until = 0.0
        self._lock = Lock()

    def wait(self) -> None:
        """Sleep until this request may go out."""
        delay = self._claim()
        if delay > 0:
            self._sleep(delay)

    def pause(self, seconds: float) -> None:
        """Let nobody through for so many seconds from now, because the other side asked for it."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock().timestamp() + seconds)

    def paused_for(self) -> float:
        """Seconds until the pause ends; 0 without one."""
        with self._lock:
            return max(0.0, self._paused_until - self._clock().timestamp())

    def _claim(self) -> float:
        """Take the next free place; seconds until it comes."""
        with self._lock:
            now = self._clock().timestamp()
            start = max(now, self._paused_until)
            due = max(self._due, start)
            self._due = due + self._interval
            return max(start, due - self._slack) - now


class Breaker:
    """Stays away from a door behind which nobody answers: closed, open for `cool_off` seconds, then one trial."""

    def __init__(self, *, clock: Callable[[], datetime], failures: int = 12, cool_off: float = 30.0) -> None:
        self._clock = clock
        self._limit = failures
        self._cool_off = cool_off
        self._failed = 0
        self._closed_until = 0.0
        self._lock = Lock()

    def seconds_to_stay_away(self) -> float:
        """0 if a request may go out now. After the cool-off one caller is let through, the others wait another one."""
        with self._lock:
            if self._failed < self._limit:
                return 0.0
            now = self._clock().timestamp()
            if now < self._closed_until:
                return self._closed_until - now
            self._closed_until = now + self._cool_off
            return 0.0

    def answered(self) -> None:
        """Somebody is there: whatever they said, the door works."""
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        """No answer, or one that says that the other side is broken."""
        with self._lock:
            self._failed += 1
            if self._failed >= self._limit:
                self._closed_until = self._clock().timestamp() + self._cool_off


class RetryBudget:
    """Retries may follow answers, never outnumber them for long: a storm of retries keeps a sick server sick.

    Starts with `reserve` retries; every answer earns `earned` of one, up to the reserve.
    """

    def __init__(self, *, reserve: int = 60, earned: float = 0.5) -> None:
        self._reserve = float(reserve)
        self._earned = earned
        self._left = float(reserve)
        self._lock = Lock()

    def earn(self) -> None:
        """A request was answered."""
        with self._lock:
            self._left = min(self._reserve, self._left + self._earned)

    def spend(self) -> bool:
        """Whether there is one more retry to spend; spends it."""
        with self._lock:
            if self._left < 1.0:
                return False
            self._left -= 1.0
            return True
