"""The people of a block, complete: who they are, where they live, how they are reached, where they are known."""

from dataclasses import dataclass

import numpy as np

from connectors.sandbox.population.accounts import Visitors, open_accounts
from connectors.sandbox.population.block import Block
from connectors.sandbox.population.contacts import Contacts, connect
from connectors.sandbox.population.draws import Ints
from connectors.sandbox.population.households import Members, form
from connectors.sandbox.population.names import Names, name
from connectors.sandbox.population.places import Homes, settle
from connectors.sandbox.population.visits import Visits, go_shopping


@dataclass(frozen=True)
class Inhabitants:
    """Everything true about the people of a block, before any system tells it in its own way."""

    members: Members
    names: Names
    homes: Homes
    contacts: Contacts
    visitors: Visitors
    visits: Visits


def inhabit(block: Block) -> Inhabitants:
    """Draw the people of a block and what they did."""
    members = form(block)
    names = name(block, members)
    homes = settle(block, members.country, _neighbours(block, members, names))
    contacts = connect(block, members, names, homes)
    visitors = open_accounts(block, len(members))
    city = homes.now.city_number[members.household]
    visits = go_shopping(block, visitors, members.home, city, len(members))
    return Inhabitants(members, names, homes, contacts, visitors, visits)


def _neighbours(block: Block, members: Members, names: Names) -> Ints:
    """Half of the namesakes live in one city: per household, the household whose city it shares, else -1."""
    same = np.full(len(members.kind), -1, dtype=np.int64)
    second = np.flatnonzero((names.namesake_of >= 0) & (names.namesake_of < np.arange(len(members))))
    near = second[block.draws.chance("namesakes in one city", 0.5, len(second))]
    same[members.household[near]] = members.household[names.namesake_of[near]]
    return same
