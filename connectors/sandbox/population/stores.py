"""The stores: where they stand, and which rows of a sheet belong to which."""

import numpy as np

from connectors.sandbox.population.block import Block
from connectors.sandbox.population.draws import Draws, Ints
from connectors.sandbox.population.inhabitants import Inhabitants
from connectors.sandbox.population.places import Addresses, draw_addresses
from connectors.sandbox.population.systems import BRANDS, STORES_PER_COUNTRY, shop_store, till_store
from connectors.sandbox.population.telling import Roll
from connectors.sandbox.population.texts import Texts, texts

_FIELDS = ("house_number", "street", "postcode", "city", "region")


def store_addresses(block: Block) -> Addresses:
    """Addresses of all till stores, country by country and branch by branch; the same for every block."""
    country = np.repeat(np.arange(len(block.countries)), STORES_PER_COUNTRY)
    city = np.tile(np.arange(STORES_PER_COUNTRY), len(block.countries))
    return draw_addresses(Draws(block.spec.seed, 0), "store", block.countries, country, city)


def branches(town: Inhabitants, roll: Roll) -> Ints:
    """The branch of each row: where a guest bought, else the one nearest home."""
    near: Ints = town.homes.now.city_number[roll.household] % STORES_PER_COUNTRY
    near[roll.accounts :] = np.where(
        town.visits.branch[roll.guest_visits] >= 0, town.visits.branch[roll.guest_visits], near[roll.accounts :]
    )
    return near


def address_of_store(block: Block, roll: Roll, branch: Ints) -> dict[str, Texts]:
    """For each row the address of its store, column by column."""
    found = store_addresses(block).take(roll.home * STORES_PER_COUNTRY + branch)
    return {name: getattr(found, name) for name in _FIELDS}


def stores_and_brands(block: Block, roll: Roll, branch: Ints, rank: Ints) -> tuple[Texts, Texts]:
    """Store code and brand of each row; a household's favourite, and the next for
    an account whose mailbox the favourite knows already."""
    favourite = block.draws.below("storefront", len(BRANDS), block.size)[roll.household]
    front = (favourite + rank) % len(BRANDS)
    brand = np.where(roll.at_till, branch % len(BRANDS), front)
    codes = [
        till_store(block.countries[home].code, at)
        if till
        else shop_store(roll.systems[system].name, block.countries[home].code, shelf)
        for home, at, till, system, shelf in zip(roll.home, branch, roll.at_till, roll.system, front, strict=True)
    ]
    return texts(codes), texts(BRANDS)[brand]
