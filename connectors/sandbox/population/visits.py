"""Who bought when and where: an order or a receipt each, before anything is in the basket."""

from dataclasses import dataclass, fields
from itertools import product

import numpy as np

from connectors.sandbox.population.accounts import HOUR, Accounts, Visitors
from connectors.sandbox.population.block import DAY, Block
from connectors.sandbox.population.draws import Bools, Ints
from connectors.sandbox.population.receipts import SALES, Lanes, ReceiptNames, name_receipts
from connectors.sandbox.population.systems import (
    STORES_PER_COUNTRY,
    TILLS_PER_STORE,
    System,
    order_ids,
    systems,
)
from connectors.sandbox.population.texts import Texts, blank, texts

OWN, GUEST, ANONYMOUS = range(3)
FIRST_ORDER = 100
"""Order numbers below belong to the protagonists."""


@dataclass(frozen=True)
class Visits:
    """A row per purchase. `account` is a row of the accounts, -1 for guests and strangers.

    `branch` is the store's place in its country, -1 in a shop; `staff` says that `account` is a clerk's card.
    """

    system: Ints
    person: Ints
    account: Ints
    manner: Ints
    placed: Ints
    branch: Ints
    till: Ints
    staff: Bools
    could_be_staff: int
    order_id: Texts
    number: Texts
    store: Texts
    sequence: Texts

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True)
class _Plan:
    system: Ints
    person: Ints
    account: Ints
    manner: Ints
    placed: Ints


@dataclass(frozen=True)
class _Staff:
    """Per visit the row of the clerk's card that was swiped for a stranger, -1 without; and how many it could be."""

    card: Ints
    could: int


def go_shopping(block: Block, visitors: Visitors, home: Ints, city: Ints, people: int) -> Visits:
    """All purchases, in the order of time. `home` and `city` are a row per person."""
    chosen = systems(block.spec)
    parts = [_own(block, place, system, visitors.accounts) for place, system in enumerate(chosen)]
    for place, system in enumerate(chosen):
        if system.name in visitors.guests:
            parts.append(_guests(block, place, system, visitors.guests[system.name]))
        if system.kind == "till":
            parts.append(_strangers(block, place, system, people))
    plan = _in_order_of_time(parts)
    staff = _staff_cards(block, chosen, visitors.accounts, plan, home)
    return _numbered(block, chosen, plan, (home, city), staff)


def _in_order_of_time(parts: list[_Plan]) -> _Plan:
    names = [column.name for column in fields(_Plan)]
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    order = np.lexsort((joined["person"], joined["system"], joined["placed"]))
    return _Plan(**{name: column[order] for name, column in joined.items()})


def _own(block: Block, place: int, system: System, accounts: Accounts) -> _Plan:
    rows = np.flatnonzero(accounts.system == place)
    presence = block.spec.presence
    mean = {"shop": presence.orders_per_account, "till": presence.orders_per_card, "crm": 0.0}[system.kind]
    stream = block.draws.stream(f"{system.name} orders")
    rows = np.repeat(rows, stream.poisson(stream.gamma(0.8, mean / 0.8, len(rows)) if mean else np.zeros(len(rows))))
    last = np.minimum(accounts.deleted[rows], block.end)
    placed = _moments(block, f"{system.name} placed", system, accounts.created[rows], last)
    return _Plan(np.full(len(rows), place), accounts.person[rows], rows, np.full(len(rows), OWN), placed)


def _guests(block: Block, place: int, system: System, person: Ints) -> _Plan:
    person = np.repeat(person, 1 + block.draws.stream(f"{system.name} guest orders").poisson(0.3, len(person)))
    return _without_account(block, place, system, person, GUEST)


def _strangers(block: Block, place: int, system: System, people: int) -> _Plan:
    counts = block.draws.stream(f"{system.name} strangers").poisson(block.spec.presence.anonymous_receipts, people)
    return _without_account(block, place, system, np.repeat(np.arange(people), counts), ANONYMOUS)


def _without_account(block: Block, place: int, system: System, person: Ints, manner: int) -> _Plan:
    n = len(person)
    start, end = np.full(n, block.start), np.full(n, block.end)
    placed = _moments(block, f"{system.name} placed by {manner}", system, start, end)
    return _Plan(np.full(n, place), person, np.full(n, -1), np.full(n, manner), placed)


def _moments(block: Block, stream: str, system: System, low: Ints, high: Ints) -> Ints:
    """Moments in [low, high), to the second; at a till between nine and eight o'clock where that is possible."""
    span = np.maximum(high - low - 2000, 1000) // 1000
    anytime: Ints = low + (1 + (block.draws.uniform(stream, len(low)) * span).astype(np.int64)) * 1000
    if system.kind != "till":
        return anytime
    opening = anytime // DAY * DAY + 9 * HOUR + block.draws.below(f"{stream} hour", 11 * 3600, len(low)) * 1000
    return np.where((opening > low) & (opening < high), opening, anytime)


def _staff_cards(block: Block, chosen: list[System], accounts: Accounts, plan: _Plan, home: Ints) -> _Staff:
    card = np.full(len(plan.person), -1, dtype=np.int64)
    could = np.zeros(len(plan.person), dtype=bool)
    which = block.draws.uniform("staff card", len(plan.person))
    tills = [place for place, system in enumerate(chosen) if system.kind == "till"]
    for place, country in product(tills, range(len(block.countries))):
        here = np.flatnonzero((plan.system == place) & (plan.account < 0) & (home[plan.person] == country))
        clerks = _clerks(block, accounts, place, home, country)
        enrolled = np.searchsorted(accounts.created[clerks], plan.placed[here])
        here, enrolled = here[enrolled > 0], enrolled[enrolled > 0]
        card[here] = clerks[(which[here] * enrolled).astype(np.int64)]
        could[here] = accounts.person[card[here]] != plan.person[here]
    swiped = could & block.draws.chance("staff_card", block.spec.rates.staff_card, len(plan.person))
    return _Staff(np.where(swiped, card, -1), int(could.sum()))


def _clerks(block: Block, accounts: Accounts, place: int, home: Ints, country: int) -> Ints:
    """One card in a hundred belongs to a clerk, at least one per country; earliest first."""
    cards = np.flatnonzero((accounts.system == place) & (home[accounts.person] == country) & (accounts.origin < 0))
    cards = cards[np.argsort(accounts.created[cards], kind="stable")]
    clerk = block.draws.chance(f"clerks {country}", 0.01, len(cards))
    clerk[:1] = True
    return cards[clerk]


def _numbered(block: Block, chosen: list[System], plan: _Plan, homes: tuple[Ints, Ints], staff: _Staff) -> Visits:
    n, (home, city) = len(plan.person), homes
    at_till = np.isin(plan.system, [place for place, system in enumerate(chosen) if system.kind == "till"])
    away = block.draws.chance("shops elsewhere", 0.2, n)
    anywhere = block.draws.below("branch", STORES_PER_COUNTRY, n)
    branch = np.where(at_till, np.where(away, anywhere, city[plan.person] % STORES_PER_COUNTRY), -1)
    till = np.where(at_till, 1 + block.draws.below("till", TILLS_PER_STORE, n), 0)
    names = _names(block, chosen, plan, Lanes(home[plan.person], branch, till, plan.placed))
    return Visits(
        system=plan.system,
        person=plan.person,
        account=np.where(staff.card >= 0, staff.card, plan.account),
        manner=plan.manner,
        placed=plan.placed,
        branch=branch,
        till=till,
        staff=staff.card >= 0,
        could_be_staff=staff.could,
        order_id=names.key,
        number=names.transaction,
        store=names.store,
        sequence=names.sequence,
    )


def _names(block: Block, chosen: list[System], plan: _Plan, lanes: Lanes) -> ReceiptNames:
    """What orders and receipts are called: a shop's have no store or sequence here."""
    n = len(plan.person)
    names = ReceiptNames(blank(n), blank(n), blank(n), blank(n))
    for place, system in enumerate(chosen):
        rows = np.flatnonzero(plan.system == place)
        own = (
            name_receipts(block, lanes.take(rows), SALES)
            if system.kind == "till"
            else _order_names(block, system, rows)
        )
        for column in fields(ReceiptNames):
            getattr(names, column.name)[rows] = getattr(own, column.name)
    return names


def _order_names(block: Block, system: System, rows: Ints) -> ReceiptNames:
    """Ids and numbers of a shop's orders, from a start that belongs to the block."""
    room = block.spec.block_people * int(4 * block.spec.presence.orders_per_account + 12)
    if len(rows) > room:
        raise ValueError(f"{len(rows)} orders of one shop in a block that has room for {room}")
    first = FIRST_ORDER + block.number * room
    ids = texts(order_ids(system.name, block.draws, first, len(rows)))
    return ReceiptNames(blank(len(rows)), blank(len(rows)), ids, texts(f"{first + i}" for i in range(len(rows))))
