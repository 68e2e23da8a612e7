"""How one installation differs from another: what practitioners report, to be switched on by name and seed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectors.sandbox.receiving import Refusals

_NONE = Refusals()


@dataclass(frozen=True)
class Habits:
    """What this installation does.

    That a page past the end is the last page again, and that a search without a sort comes in another order each time,
    is how all of them are.
    """

    tells_in: str = "UTC"
    """Zone of the times in answers."""
    filters_in: str = "UTC"
    """Zone in which times of filters are read."""
    largest_page: int = 300
    lists_consent: bool = True
    """Else `is_subscribed` is told for a single customer only."""
    reads_or: bool = True
    """Else all filters of a group must hold."""
    deepest_row: int | None = None
    """Rows beyond it take too long to count up to: 503."""
    slow_page: int | None = None
    """A page of more rows takes too long: 504."""
    broken_rows: frozenset[int] = frozenset()
    """Ids of rows that cannot be loaded: whatever page they are on is answered with `broken_with`."""
    broken_share: Refusals = _NONE
    """These too, as they are drawn."""
    broken_with: int = 404
    """404 or 500."""
    bearer: bool = False
    """Integration tokens are taken as bearers, which is off since 2.4.4."""
    commerce: bool = True
    """Store credit and returns are there; in the open-source edition there are no such end points."""

    def breaks(self, number: int) -> bool:
        """Whether the row with this id cannot be loaded."""
        return number in self.broken_rows or self.broken_share.strikes(str(number))


_BY_NAME: Mapping[str, Habits] = {
    "shop_zone": Habits(tells_in="Pacific/Auckland", filters_in="Pacific/Auckland"),
    "filter_zone": Habits(filters_in="America/New_York"),
    "silent_consent": Habits(lists_consent=False),
    "or_is_and": Habits(reads_or=False),
    "deep_page": Habits(deepest_row=5),
    "slow_page": Habits(slow_page=2),
    "broken_row": Habits(broken_share=Refusals(0.1), broken_with=404),
    "broken_row_500": Habits(broken_share=Refusals(0.1), broken_with=500),
    "open_source": Habits(commerce=False),
}
HABITS = tuple(_BY_NAME)
"""Names of what can be switched on."""


def habits_of(name: str, seed: int = 0) -> Habits:
    """What goes by this name; the seed draws the rows that it strikes. Raises KeyError."""
    named = _BY_NAME[name]
    return replace(named, broken_share=replace(named.broken_share, seed=seed))
