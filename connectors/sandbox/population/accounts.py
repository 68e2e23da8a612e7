"""Who has an account, a card or a contact where, since when, and who opened a second one."""

from dataclasses import dataclass, fields, replace

import numpy as np

from connectors.sandbox.population.block import DAY, Block
from connectors.sandbox.population.draws import Bools, Ints
from connectors.sandbox.population.spec import SystemName
from connectors.sandbox.population.systems import System, source_ids, systems
from connectors.sandbox.population.texts import Texts

HOUR = 3_600_000
FIRST_SOURCE_ID = 1_000
"""Ids below belong to the protagonists."""
ROOM = 4
"""Ids that a block keeps for each of its people in each system."""
FIRST, SECOND, AGAIN, CARD, COMPANY = range(5)
NOT_DELETED = np.iinfo(np.int64).max // 4


@dataclass(frozen=True)
class Accounts:
    """A row per account, card or contact. `system` is a place in `systems(spec)`, `person` a row of the members.

    `origin` is the row of the account that this one repeats (a second or re-created account, a second card), else -1.
    A company's account has the country of `person` and nothing else of theirs.
    """

    system: Ints
    person: Ints
    source_id: Texts
    created: Ints
    deleted: Ints
    origin: Ints
    two_accounts: Bools
    recreated: Bools
    two_cards: Bools
    company: Bools

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True)
class Visitors:
    """Who has what: accounts of every system, and rows of the people who buy as guests, per system."""

    accounts: Accounts
    guests: dict[SystemName, Ints]


def open_accounts(block: Block, people: int) -> Visitors:
    """Draw who is known where. Everyone is known somewhere."""
    chosen = systems(block.spec)
    slots = [(system, False) for system in chosen] + [(system, True) for system in chosen if system.kind != "crm"]
    has = np.column_stack(
        [block.draws.chance(f"{s.name} {'guest' if g else 'account'}", _share(block, s, g), people) for s, g in slots]
    )
    nobody = np.flatnonzero(~has.any(axis=1))
    has[nobody, block.draws.below("known somewhere", len(slots), people)[nobody]] = True
    parts = [
        _system_accounts(block, place, system, np.flatnonzero(has[:, place])) for place, system in enumerate(chosen)
    ]
    guests = {system.name: np.flatnonzero(has[:, k]) for k, (system, guest) in enumerate(slots) if guest}
    return Visitors(_joined(parts), guests)


def _share(block: Block, system: System, guest: bool) -> float:
    presence = block.spec.presence
    if system.kind == "crm":
        return presence.crm_contact
    if system.kind == "till":
        return presence.till_guest if guest else presence.till_card
    return presence.shop_guest if guest else presence.shop_account


def _joined(parts: list[Accounts]) -> Accounts:
    starts = np.cumsum([0, *(len(part) for part in parts)])
    joined = Accounts(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Accounts)))
    offset = np.repeat(starts[:-1], [len(part) for part in parts])
    return replace(joined, origin=np.where(joined.origin >= 0, joined.origin + offset, -1))


def _system_accounts(block: Block, place: int, system: System, person: Ints) -> Accounts:
    created, deleted, origin, reason = _openings(block, system, len(person))
    return Accounts(
        system=np.full(len(origin), place),
        person=np.concatenate([person, person[origin[len(person) :]]]),
        source_id=_ids(block, system, created),
        created=created,
        deleted=deleted,
        origin=np.where(reason == COMPANY, -1, origin),
        two_accounts=_with_origin(reason == SECOND, origin),
        recreated=_with_origin(reason == AGAIN, origin),
        two_cards=_with_origin(reason == CARD, origin),
        company=reason == COMPANY,
    )


def _openings(block: Block, system: System, n: int) -> tuple[Ints, Ints, Ints, Ints]:
    """When each account was opened and deleted, which row it repeats or borrows its country from (-1), and why."""
    name, end = system.name, np.int64(block.end)
    created = opened(block, f"{name} opened", n)
    second = _chosen(block, system, "two_accounts", "shop", np.ones(n, dtype=bool))
    once = np.ones(n, dtype=bool)
    once[second] = False
    again = _chosen(block, system, "recreated_account", "shop", once)
    card = _chosen(block, system, "two_cards", "till", np.ones(n, dtype=bool))
    company = _chosen(block, system, "company", "shop", np.ones(n, dtype=bool))
    deleted = np.full(n, NOT_DELETED, dtype=np.int64)
    deleted[again] = between(block, f"{name} deleted", created[again], np.int64(block.end - 2 * DAY))
    later = [
        between(block, f"{name} second", created[second], end),
        between(block, f"{name} anew", deleted[again], np.minimum(deleted[again] + 200 * DAY, end)),
        between(block, f"{name} second card", created[card], end),
        opened(block, f"{name} company opened", len(company)),
    ]
    origin = np.concatenate([np.full(n, -1), second, again, card, company])
    reason = np.repeat([FIRST, SECOND, AGAIN, CARD, COMPANY], [n, *(len(moments) for moments in later)])
    opening = np.concatenate([created, *later])
    return opening, np.concatenate([deleted, np.full(len(opening) - n, NOT_DELETED)]), origin, reason


def _chosen(block: Block, system: System, difficulty: str, kind: str, possible: Bools) -> Ints:
    """Rows of the accounts that a difficulty of one kind of system befalls."""
    rate: float = getattr(block.spec.rates, difficulty) if system.kind == kind else 0.0
    return np.flatnonzero(possible & block.draws.chance(f"{system.name} {difficulty}", rate, len(possible)))


def _with_origin(repeats: Bools, origin: Ints) -> Bools:
    marked = repeats.copy()
    marked[origin[repeats]] = True
    return marked


def _ids(block: Block, system: System, created: Ints) -> Texts:
    """Ids in the order of opening."""
    first = FIRST_SOURCE_ID + block.number * block.spec.block_people * ROOM
    ids = np.empty(len(created), dtype=object)
    ids[np.argsort(created, kind="stable")] = source_ids(system.name, block.draws, first, len(created))
    return ids


def opened(block: Block, stream: str, count: int) -> Ints:
    """Moments between the first day and three weeks before the last, to the second, by day."""
    day = block.first_day + block.draws.below(f"{stream} day", block.last_day - block.first_day - 21, count)
    second = block.draws.below(f"{stream} second", 12 * 3600, count)
    return day * DAY + 8 * HOUR + second * 1000


def between(block: Block, stream: str, low: Ints, high: Ints | np.int64) -> Ints:
    """Moments after `low` and before `high`, to the second."""
    span = np.maximum(high - low, 2000) // 1000
    seconds: Ints = 1 + (block.draws.uniform(stream, len(low)) * (span - 1)).astype(np.int64)
    return low + seconds * 1000
