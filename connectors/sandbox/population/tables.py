"""The tables of a block: what the people are, what the systems tell, and what is true of each record."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from connectors.sandbox.population.baskets import fill
from connectors.sandbox.population.block import EPOCH, Block
from connectors.sandbox.population.consents import consent_table
from connectors.sandbox.population.draws import Ints
from connectors.sandbox.population.households import CHILD, families_with_two_children, fathers_of_sons
from connectors.sandbox.population.inhabitants import Inhabitants, inhabit
from connectors.sandbox.population.names import LONG_AGO
from connectors.sandbox.population.orders import Trade, order_table
from connectors.sandbox.population.points import TIERS, Entries, Points, collect, entries, tiers
from connectors.sandbox.population.records import (
    Records,
    labels_table,
    moments,
    objects,
    record_table,
    words,
    write_down,
)
from connectors.sandbox.population.sheet import Count
from connectors.sandbox.population.texts import Texts, keep, known, texts
from connectors.sandbox.population.visits import OWN

_KINDS = texts(["earn", "redeem", "expire", "adjust", "reverse_earn"])


@dataclass(frozen=True)
class BlockTables:
    """The tables of one block by name, and how often each difficulty could occur and did."""

    tables: Mapping[str, pl.DataFrame]
    counts: Mapping[str, Count]


def draw(block: Block) -> BlockTables:
    """Draw a block and lay it out in tables. Depends on nothing but the spec and the block's number."""
    town = inhabit(block)
    records = write_down(block, town)
    visits, roll = town.visits, records.roll
    home = town.members.home[visits.person]
    baskets = fill(block, visits, home)
    points = collect(block, visits, baskets, records, home)
    moved = entries(block, visits, baskets, points, records)
    told = record_table(records)
    tier = keep(records.card >= 0, _tier_words(block, town, points, len(roll))[records.card])
    tier[roll.is_guest] = None
    truth = _truth(block, records)
    buyers = _buyers(block, town, records)
    tables = {
        "people": _people(block, town, truth),
        "records": told.insert_column(told.columns.index("loyalty_number") + 1, words(tier).alias("tier")),
        "truth": truth,
        "orders": order_table(Trade(block, visits, baskets, points, records, home, buyers)),
        "loyalty": _loyalty(block, town, records, moved, tier),
        "loyalty_entries": _entries(town, records, moved),
        "consents": consent_table(block, records),
    }
    return BlockTables(tables, _counts(block, town, records))


def _tier_words(block: Block, town: Inhabitants, points: Points, rows: int) -> Texts:
    names = texts(name for _, name in TIERS)
    result: Texts = names[tiers(block, town.visits, points, rows)]
    return result


def person_ids(block: Block, rows: Ints) -> Texts:
    """Ids of the people at those rows of the block, e.g. `p00012345`."""
    return texts(f"p{block.first_person + row:08d}" for row in rows)


def _owners(block: Block, records: Records) -> Texts:
    """Whose each record is; a company is nobody's."""
    roll = records.roll
    names = [system.name for system in roll.systems]
    owners = person_ids(block, roll.person)
    for row in np.flatnonzero(roll.company):
        owners[row] = f"company-{names[roll.system[row]]}-{roll.source_id[row]}"
    return owners


def _buyers(block: Block, town: Inhabitants, records: Records) -> Texts:
    """Who really bought, a row per order."""
    visits = town.visits
    buyers = person_ids(block, visits.person)
    own = visits.manner == OWN
    buyers[own] = _owners(block, records)[visits.account[own]]
    return buyers


def _truth(block: Block, records: Records) -> pl.DataFrame:
    roll = records.roll
    names = texts(system.name for system in roll.systems)
    return pl.DataFrame(
        {
            "system": words(names[roll.system]),
            "object": words(objects(roll)),
            "source_id": words(roll.source_id),
            "person_id": words(_owners(block, records)),
            "difficulties": labels_table(records.sheet.labels),
        }
    )


def _people(block: Block, town: Inhabitants, truth: pl.DataFrame) -> pl.DataFrame:
    members, names, contacts = town.members, town.names, town.contacts
    house = members.household
    home = members.home
    rows = np.arange(len(members))
    day = np.datetime64(EPOCH, "D") + members.birth_day
    stride = block.number * block.spec.block_people
    frame = pl.DataFrame(
        {
            "person_id": words(person_ids(block, rows)),
            "household_id": pl.Series([f"h{stride + h:08d}" for h in house], dtype=pl.String),
            "given_name": words(names.given),
            "middle_name": words(names.middle),
            "family_name": words(names.family),
            "name_suffix": words(names.suffix),
            "sex": words(np.where(members.woman, "F", "M").astype(object)),
            "birth_date": pl.Series(day).cast(pl.Date),
            "country": words(texts(land.code for land in block.countries)[home]),
            "language": words(texts(land.language for land in block.countries)[home]),
            "email": words(contacts.email),
            "phone": words(contacts.phone),
            "house_number": words(town.homes.now.house_number[house]),
            "street": words(town.homes.now.street[house]),
            "postcode": words(town.homes.now.postcode[house]),
            "city": words(town.homes.now.city[house]),
            "region": words(town.homes.now.region[house]),
        }
    )
    labels = truth.select("person_id", pl.col("difficulties")).explode("difficulties").drop_nulls().unique()
    listed = labels.sort("person_id", "difficulties").group_by("person_id", maintain_order=True).agg("difficulties")
    joined = frame.join(listed, on="person_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("difficulties").fill_null(pl.lit([], dtype=pl.List(pl.String))))


def _loyalty(block: Block, town: Inhabitants, records: Records, moved: Entries, tier: Texts) -> pl.DataFrame:
    roll = records.roll
    cards = np.flatnonzero(roll.at_till & ~roll.is_guest)
    balance = np.bincount(moved.card, weights=moved.points, minlength=len(roll)).astype(np.int64)
    return pl.DataFrame(
        {
            "account": words(records.sheet.columns["loyalty_number"][cards]),
            "person_id": words(person_ids(block, roll.person[cards])),
            "programme": pl.Series(["main"] * len(cards), dtype=pl.String),
            "tier": words(tier[cards]),
            "status": pl.Series(["active"] * len(cards), dtype=pl.String),
            "enrolled_at": moments(roll.created[cards]),
            "balance": pl.Series(balance[cards]),
        }
    )


def _entries(town: Inhabitants, records: Records, moved: Entries) -> pl.DataFrame:
    account = records.sheet.columns["loyalty_number"][moved.card]
    kinds = _KINDS[moved.kind]
    visits, roll = town.visits, records.roll
    systems = texts(system.name for system in roll.systems)
    with_order = moved.order >= 0
    order = keep(with_order, visits.order_id[moved.order])
    external = [
        f"{kind}:{order_id}" if order_id is not None else f"{kind}:{number}:{at}"
        for kind, order_id, number, at in zip(kinds, order, account, moved.at, strict=True)
    ]
    return pl.DataFrame(
        {
            "account": words(account),
            "external_id": pl.Series(external, dtype=pl.String),
            "kind": words(kinds),
            "points": pl.Series(moved.points),
            "at": moments(moved.at),
            "order_system": words(keep(with_order, systems[visits.system[moved.order]])),
            "order_id": words(order),
        }
    )


def _counts(block: Block, town: Inhabitants, records: Records) -> dict[str, Count]:
    """Counts of the difficulties that lie in people and accounts, beside those that the flaws noted."""
    members, names, contacts, accounts = town.members, town.names, town.contacts, town.visitors.accounts
    visits, people = town.visits, len(town.members)
    families = len(np.unique(members.household[members.in_family]))
    shop = records.roll.of_kind("shop")[: len(accounts)]
    till = records.roll.of_kind("till")[: len(accounts)]
    first = (accounts.origin < 0) & ~accounts.company
    again = accounts.origin >= 0
    own = {
        "household_email": (families, _households(members.household, contacts.household_email)),
        "household_phone": (families, _households(members.household, contacts.landline)),
        "twins": (families_with_two_children(members), members.twins.sum()),
        "jr_sr": (fathers_of_sons(members), members.jr_sr.sum()),
        "namesake": (names.could_be_namesakes, (names.namesake_of >= 0).sum()),
        "married_name": (names.could_marry, (names.married > LONG_AGO).sum()),
        "moved": (len(members.kind), (town.homes.moved > LONG_AGO).sum()),
        "recycled_phone": ((members.role != CHILD).sum(), (contacts.given_up | contacts.taken_over).sum()),
        "second_email": (people, contacts.has_second.sum()),
        "two_accounts": ((first & shop).sum(), (again & accounts.two_accounts).sum()),
        "recreated_account": ((first & shop).sum(), (again & accounts.recreated).sum()),
        "two_cards": ((first & till).sum(), (again & accounts.two_cards).sum()),
        "company": ((first & shop).sum(), accounts.company.sum()),
        "staff_card": (visits.could_be_staff, visits.staff.sum()),
    }
    return {**records.sheet.counts, **{name: Count(int(could), int(did)) for name, (could, did) in own.items()}}


def _households(household: Ints, shared: Texts) -> int:
    return len(np.unique(household[known(shared)]))
