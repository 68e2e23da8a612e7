"""Loyalty: which order earned and redeemed what, so that no balance is ever below zero.

Why it never is: a redemption may bring the sum of all redemptions to at most half of the points earned before it,
and an expiry takes at most a quarter of them, both counted without the points of goods that will come back. What
is taken back for returned goods is therefore always still there.
"""

from dataclasses import dataclass

import numpy as np

from connectors.sandbox.population.accounts import NOT_DELETED
from connectors.sandbox.population.baskets import Baskets
from connectors.sandbox.population.block import DAY, Block, moment
from connectors.sandbox.population.draws import Bools, Ints
from connectors.sandbox.population.records import Records
from connectors.sandbox.population.visits import Visits

WELCOME, GOODWILL, STEP = 100, 50, 100
EARN, REDEEM, EXPIRE, ADJUST, REVERSE = range(5)
TIERS = ((1_500, "gold"), (500, "silver"), (0, "basic"))


@dataclass(frozen=True)
class Points:
    """A row per order: the card it counts for (a row of the roll, -1 without) and what it did to it."""

    card: Ints
    earned: Ints
    redeemed: Ints
    taken_back: Ints
    value: Ints
    """What the redeemed points paid, in minor units."""


@dataclass(frozen=True)
class Entries:
    """A row per movement. `order` is a row of the visits, -1 without."""

    card: Ints
    kind: Ints
    points: Ints
    at: Ints
    order: Ints


def collect(block: Block, visits: Visits, baskets: Baskets, records: Records, home: Ints) -> Points:
    """Points of every order. `home` is the buyer's country, a row per order."""
    card = _cards(visits, records)
    per_point = np.array([round(100 * land.minor_per_price) for land in block.countries])[home]
    earned = np.where((card >= 0) & ~baskets.cancelled, baskets.total // per_point, 0)
    back = np.where(baskets.returned_line >= 0, earned * baskets.refunded // np.maximum(baskets.total, 1), 0)
    worth = np.array([max(1, round(land.minor_per_price)) for land in block.countries])[home]
    wanted = (card >= 0) & ~baskets.cancelled & ~visits.staff & block.draws.chance("redeems", 0.15, len(visits))
    redeemed = _redemptions(card, earned - back, wanted, baskets.total // worth // 2)
    return Points(card, earned, redeemed, back, redeemed * worth)


def _cards(visits: Visits, records: Records) -> Ints:
    """The card of each order: the one swiped, or the one the account is linked to by then."""
    account = visits.account
    card = np.where(account >= 0, records.card[account], -1)
    linked = np.where(account >= 0, records.linked[account], NOT_DELETED)
    return np.where(visits.placed >= linked, card, -1)


def _redemptions(card: Ints, kept: Ints, wanted: Bools, limit: Ints) -> Ints:
    """Points redeemed by each order; visits are in the order of time, so one pass per card is one sort."""
    order = np.argsort(card, kind="stable")
    order = order[card[order] >= 0]
    before = WELCOME + _sums_before(card[order], kept[order])
    asking = wanted[order]
    rows, owner, allowed = order[asking], card[order][asking], before[asking] // 2 // STEP * STEP
    same = np.r_[False, owner[1:] == owner[:-1]] if len(owner) else np.zeros(0, dtype=bool)
    previous = np.where(same, np.r_[0, allowed[:-1]] if len(allowed) else allowed, 0)
    redeemed = np.zeros(len(card), dtype=np.int64)
    redeemed[rows] = np.minimum(allowed - previous, limit[rows] // STEP * STEP)
    return redeemed


def _sums_before(group: Ints, values: Ints) -> Ints:
    """For rows sorted by group: the sum of the values of the same group that stand before."""
    running = np.cumsum(values) - values
    first = np.r_[True, group[1:] != group[:-1]] if len(group) else np.zeros(0, dtype=bool)
    base = np.maximum.accumulate(np.where(first, np.arange(len(group)), 0))
    return running - running[base]


def entries(block: Block, visits: Visits, baskets: Baskets, points: Points, records: Records) -> Entries:
    """All movements, sorted by card and time; what earns comes before what takes at the same moment."""
    cards = np.flatnonzero(records.roll.at_till & ~records.roll.is_guest)
    enrolled = records.roll.created
    earn, redeem, back = (np.flatnonzero(values) for values in (points.earned, points.redeemed, points.taken_back))
    given = cards[block.draws.chance("points for goodwill", 0.02, len(cards))]
    lapsed, amount, lapse = _expiries(block, visits, points, cards)
    minute = 60_000
    parts = [
        (cards, ADJUST, np.full(len(cards), WELCOME), enrolled[cards], None),
        (given, ADJUST, np.full(len(given), GOODWILL), enrolled[given] + minute, None),
        (points.card[redeem], REDEEM, -points.redeemed[redeem], visits.placed[redeem], redeem),
        (points.card[earn], EARN, points.earned[earn], visits.placed[earn], earn),
        (points.card[back], REVERSE, -points.taken_back[back], baskets.returned_at[back], back),
        (lapsed, EXPIRE, -amount, np.full(len(lapsed), lapse), None),
    ]
    card = np.concatenate([part[0] for part in parts])
    kind = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])
    moved = np.concatenate([part[2] for part in parts])
    at = np.concatenate([part[3] for part in parts])
    order = np.concatenate([np.full(len(part[0]), -1) if part[4] is None else part[4] for part in parts])
    place = np.lexsort((order, moved < 0, at, card))
    return Entries(card[place], kind[place], moved[place], at[place], order[place])


def _expiries(block: Block, visits: Visits, points: Points, cards: Ints) -> tuple[Ints, Ints, int]:
    """At the turn of the last full year a quarter of what was earned before lapses for some accounts."""
    lapse = moment(block.spec.as_of.replace(month=1, day=1))
    before = (points.card >= 0) & (visits.placed < lapse)
    kept = np.bincount(
        points.card[before],
        weights=(points.earned - points.taken_back)[before],
        minlength=int(cards.max(initial=0)) + 1,
    ).astype(np.int64)
    amount = np.where(block.draws.chance("points lapse", 0.3, len(cards)), kept[cards] // 4, 0)
    some = amount > 0
    return cards[some], amount[some], lapse


def tiers(block: Block, visits: Visits, points: Points, rows: int) -> Ints:
    """For each row of the roll the tier (a place in TIERS) of its card: by points earned in the last year."""
    recent = (points.card >= 0) & (visits.placed >= block.end - 365 * DAY)
    kept = (points.earned - points.taken_back)[recent]
    earned = np.bincount(points.card[recent], weights=kept, minlength=rows)
    return np.select([earned >= limit for limit, _ in TIERS], np.arange(len(TIERS)), len(TIERS) - 1).astype(np.int64)
