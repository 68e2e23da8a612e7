"""How people are reached: their mailboxes and numbers, what families share, and numbers that change hands."""

from dataclasses import dataclass

import numpy as np

from connectors.sandbox.population.block import DAY, Block, rank_within
from connectors.sandbox.population.draws import Bools, Ints
from connectors.sandbox.population.households import CHILD, Members
from connectors.sandbox.population.mailboxes import mailboxes
from connectors.sandbox.population.names import LONG_AGO, Names
from connectors.sandbox.population.numbers import landlines, mobiles
from connectors.sandbox.population.places import Homes
from connectors.sandbox.population.texts import Texts, keep


@dataclass(frozen=True)
class Contacts:
    """A row per person. Numbers are in E.164.

    `former_phone` was the person's number before `changed` (a moment); `given_up` says that it then became somebody
    else's `phone`, `taken_over` that the present number was somebody else's before.
    """

    email: Texts
    second_email: Texts
    """Another mailbox; all could have one, those with `has_second` use it."""
    has_second: Bools
    household_email: Texts
    landline: Texts
    phone: Texts
    former_phone: Texts
    changed: Ints
    given_up: Bools
    taken_over: Bools


def connect(block: Block, members: Members, names: Names, homes: Homes) -> Contacts:
    """Give everyone a mailbox and a number, and families what they share."""
    personal, second, shared = mailboxes(block, members, names)
    sharing_mail = _families(block, members, "household_email", block.spec.rates.household_email)
    calling = _families(block, members, "household_phone", block.spec.rates.household_phone)
    phone, former = mobiles(block, members)
    gives, takes = _recycled(block, members)
    phone[takes] = former[gives]
    changed = np.full(len(members), LONG_AGO, dtype=np.int64)
    span = block.end - block.start - 400 * DAY
    changed[gives] = (
        block.start + 200 * DAY + (block.draws.uniform("number changes", len(gives)) * span).astype(np.int64)
    )
    changed[takes] = changed[gives] + 90 * DAY
    return Contacts(
        email=personal,
        second_email=second,
        has_second=block.draws.chance("second_email", block.spec.rates.second_email, len(members)),
        household_email=_used(block, members, "household_email", sharing_mail, shared),
        landline=_used(block, members, "household_phone", calling, landlines(block, members, homes, calling)),
        phone=phone,
        former_phone=former,
        changed=changed,
        given_up=_flags(len(members), gives),
        taken_over=_flags(len(members), takes),
    )


def _flags(size: int, rows: Ints) -> Bools:
    flags = np.zeros(size, dtype=bool)
    flags[rows] = True
    return flags


def _families(block: Block, members: Members, name: str, rate: float) -> Bools:
    """Which households, of those that are families, share something."""
    family = np.zeros(len(members.kind), dtype=bool)
    family[members.household[members.in_family]] = True
    return family & block.draws.chance(name, rate, len(members.kind))


def _used(block: Block, members: Members, name: str, sharing: Bools, shared: Texts) -> Texts:
    """Which members use what their household shares: the first two always, the others mostly."""
    rank = rank_within(members.household)
    uses = (rank < 2) | block.draws.chance(f"{name} used", 0.7, len(members))
    return keep(sharing[members.household] & uses, shared[members.household])


def _recycled(block: Block, members: Members) -> tuple[Ints, Ints]:
    """Rows of those who give a number up and, in the same order, of those who get it: strangers in one country."""
    pairs = [
        block.draws.pairs(
            f"recycled_phone {place}",
            block.spec.rates.recycled_phone,
            np.flatnonzero((members.role != CHILD) & (members.home == place)),
        )
        for place in range(len(block.countries))
    ]
    gives, takes = (np.concatenate(side) for side in zip(*pairs, strict=True))
    strangers = members.household[gives] != members.household[takes]
    return gives[strangers], takes[strangers]
