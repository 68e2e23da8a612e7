"""The records of a block as the systems tell them, with what is true of each."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from connectors.sandbox.population.accounts import FIRST_SOURCE_ID, NOT_DELETED, ROOM, between
from connectors.sandbox.population.block import Block
from connectors.sandbox.population.draws import Bools, Ints
from connectors.sandbox.population.flaws import spoil, tell_apart
from connectors.sandbox.population.inhabitants import Inhabitants
from connectors.sandbox.population.places import address_lines
from connectors.sandbox.population.sheet import Sheet
from connectors.sandbox.population.stores import address_of_store, branches, stores_and_brands
from connectors.sandbox.population.systems import BRANDS, loyalty_number
from connectors.sandbox.population.telling import Roll, tell
from connectors.sandbox.population.texts import Texts, blank, keep, texts

_SPLIT, _ONE_LINE = ("house_number", "street"), "address_line"


@dataclass(frozen=True)
class Records:
    """The sheet of a block, finished, and what the orders need to know of it. Rows as in the roll."""

    roll: Roll
    sheet: Sheet
    card: Ints
    """Row of the card whose loyalty number a row tells, -1 without; a card's own row for a card."""
    linked: Ints
    """Since when a row has been linked to that card."""
    modified: Ints


def write_down(block: Block, town: Inhabitants) -> Records:
    """Tell, spoil and finish the records of a block."""
    roll = Roll(block, town)
    sheet = tell(block, town, roll)
    branch = branches(town, roll)
    spoil(block, roll, sheet, address_of_store(block, roll, branch))
    rank = _settled_mailboxes(town, roll, sheet)
    sheet.columns["store"], sheet.columns["brand"] = stores_and_brands(block, roll, branch, rank)
    card, linked = _loyalty(block, town, roll, sheet)
    sheet.columns["loyalty_number"] = loyalty_numbers(block, roll, card)
    _shape(block, roll, sheet)
    return Records(roll, sheet, card, linked, _modified(block, roll, sheet))


def _settled_mailboxes(town: Inhabitants, roll: Roll, sheet: Sheet) -> Ints:
    """A shop has one account per mailbox and storefront: beyond the last storefront, people use their own mailbox."""
    rank = tell_apart(sheet, roll)
    crowded = np.flatnonzero(rank >= len(BRANDS))
    sheet.columns["email"][crowded] = town.contacts.email[roll.person[crowded]]
    sheet.labels["household_email"][crowded] = False
    rank[crowded] = 0
    return rank


def _loyalty(block: Block, town: Inhabitants, roll: Roll, sheet: Sheet) -> tuple[Ints, Ints]:
    """Cards bear a number; a third of the accounts of people with a card are linked to it; clerks lend theirs."""
    cards = np.flatnonzero(roll.at_till & ~roll.is_guest)
    card = np.full(len(roll), -1, dtype=np.int64)
    card[cards] = cards
    card_of = np.full(len(town.members), -1, dtype=np.int64)
    card_of[roll.person[cards[::-1]]] = cards[::-1]
    linkable = ~roll.at_till & ~roll.is_guest & ~roll.company & (card_of[roll.person] >= 0)
    rows = np.flatnonzero(linkable & block.draws.chance("linked to card", 0.35, len(roll)))
    rows = rows[np.maximum(roll.created[rows], roll.created[card_of[roll.person[rows]]]) < roll.deleted[rows]]
    card[rows] = card_of[roll.person[rows]]
    linked = np.maximum(roll.created, roll.created[card])
    sheet.since[rows] = np.maximum(sheet.since[rows], linked[rows])
    _lend(town, roll, sheet, card)
    return card, linked


def _lend(town: Inhabitants, roll: Roll, sheet: Sheet, card: Ints) -> None:
    """Guests whose receipt bears a clerk's number, and the clerks whose card was used."""
    visits = town.visits
    guests = np.flatnonzero(visits.staff[roll.guest_visits]) + roll.accounts
    card[guests] = visits.account[roll.guest_visits[guests - roll.accounts]]
    lent = np.zeros(len(roll), dtype=bool)
    lent[guests] = lent[visits.account[visits.staff]] = True
    sheet.label("staff_card", lent)


def loyalty_numbers(block: Block, roll: Roll, card: Ints) -> Texts:
    """The loyalty number that each row tells; None without."""
    cards = np.flatnonzero(roll.at_till & ~roll.is_guest)
    first = FIRST_SOURCE_ID + block.number * block.spec.block_people * ROOM
    numbers = blank(len(roll) + 1)
    numbers[cards] = [loyalty_number(first + i) for i in range(len(cards))]
    result: Texts = numbers[card]
    return result


def _shape(block: Block, roll: Roll, sheet: Sheet) -> None:
    """Put the columns into the shape that each system keeps."""
    columns = sheet.columns
    number_first = np.array([land.number_first for land in block.countries])[roll.home]
    told = np.flatnonzero(sheet.has("street"))
    lines = blank(len(roll))
    lines[told] = address_lines(number_first[told], columns["house_number"][told], columns["street"][told])
    split = roll.share("splits_street") > 0
    columns[_ONE_LINE] = keep(~split, lines)
    for name in _SPLIT:
        columns[name] = keep(split, columns[name])
    _shape_names(block, roll, sheet)
    codes = texts(land.code for land in block.countries)[roll.home]
    columns["country"] = keep(sheet.has("city") | ~roll.is_guest, codes)
    columns["locale"] = texts(land.locale for land in block.countries)[roll.home]
    columns["currency"] = texts(land.currency for land in block.countries)[roll.home]
    verified = np.where(block.draws.chance("mailbox verified", 0.8, len(roll)), True, False).astype(object)
    asks = (roll.share("verifies_email") > 0) & ~roll.is_guest & sheet.has("email")
    columns["email_verified"] = keep(asks, verified)


def _shape_names(block: Block, roll: Roll, sheet: Sheet) -> None:
    columns = sheet.columns
    inline = np.flatnonzero(sheet.has("name_suffix") & (roll.share("suffix_apart") == 0) & sheet.has("family_name"))
    columns["family_name"][inline] = columns["family_name"][inline] + " " + columns["name_suffix"][inline] + "."
    columns["name_suffix"][inline] = None
    sheet.blank("full_name")
    named = sheet.has("given_name")
    one_field = block.draws.uniform("name in one field", len(roll)) < np.where(
        roll.is_guest & roll.at_till, 1.0, roll.share("full_name_only")
    )
    rows = np.flatnonzero(named & one_field)
    given, family = columns["given_name"][rows], columns["family_name"][rows]
    family_first = block.draws.chance("family name first", 0.3, len(roll))[rows]
    columns["full_name"][rows] = np.where(family_first, family + ", " + given, given + " " + family)
    for name in ("given_name", "family_name", "middle_name"):
        columns[name][rows] = None
    upper = block.draws.uniform("upper case", len(roll)) < roll.share("upper_case")
    for name in ("given_name", "family_name", "full_name", _ONE_LINE, "city"):
        shout = np.flatnonzero(upper & sheet.has(name))
        columns[name][shout] = [word.upper() for word in columns[name][shout]]


def _modified(block: Block, roll: Roll, sheet: Sheet) -> Ints:
    """When a record last changed: when it was made, when it was brought up to date, at the latest when deleted."""
    n = len(roll)
    end = np.minimum(roll.deleted, block.end)
    since = np.minimum(sheet.since, end)
    touched = block.draws.chance("record touched", 0.4, n) & ~roll.is_guest
    later = np.where(touched, np.minimum(between(block, "record modified", since, end), end), since)
    return np.where(roll.deleted < NOT_DELETED, roll.deleted, np.maximum(later, roll.created))


TEXT_COLUMNS = (
    "given_name",
    "middle_name",
    "family_name",
    "full_name",
    "name_suffix",
    "title",
    "sex",
    "birth_date",
    "email",
    "phone",
    "address_line",
    "house_number",
    "street",
    "postcode",
    "city",
    "region",
    "country",
    "organisation",
    "loyalty_number",
    "brand",
    "store",
    "locale",
    "currency",
)


def record_table(records: Records) -> pl.DataFrame:
    """The records as a table, without `tier`, which follows from the orders."""
    roll, sheet = records.roll, records.sheet
    names = texts(system.name for system in roll.systems)
    return pl.DataFrame(
        {
            "system": words(names[roll.system]),
            "object": words(objects(roll)),
            "source_id": words(roll.source_id),
            **{name: words(sheet.columns[name]) for name in TEXT_COLUMNS},
            "email_verified": pl.Series(sheet.columns["email_verified"].tolist(), dtype=pl.Boolean),
            "created_at": moments(roll.created),
            "modified_at": moments(records.modified),
            "deleted_at": moments(roll.deleted),
        }
    )


def objects(roll: Roll) -> Texts:
    """What each system calls its records of people; a guest's is `guest` everywhere."""
    kept = texts(system.object for system in roll.systems)[roll.system]
    result: Texts = np.where(roll.is_guest, "guest", kept).astype(object)
    return result


def moments(values: Ints) -> pl.Series:
    """Milliseconds since 1970 as a column of UTC moments; what never happens is null."""
    series = pl.Series(values, dtype=pl.Int64)
    return series.set(series >= NOT_DELETED, None).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")


def words(values: Texts) -> pl.Series:
    """A column of text."""
    return pl.Series(values.tolist(), dtype=pl.String)


def labels_table(labels: dict[str, Bools]) -> pl.Series:
    """The difficulties of each row as a list, by name."""
    marked = pl.DataFrame(dict(sorted(labels.items())))
    names = [pl.when(pl.col(name)).then(pl.lit(name)) for name in marked.columns]
    return marked.select(pl.concat_list(names).list.drop_nulls().alias("difficulties")).to_series()
