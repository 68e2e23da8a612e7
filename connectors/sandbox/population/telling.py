"""What each system was told about a person, as of the day it was told, before anything goes wrong."""

import numpy as np

from connectors.sandbox.population.accounts import NOT_DELETED
from connectors.sandbox.population.block import EPOCH, Block
from connectors.sandbox.population.draws import Bools, Floats, Ints
from connectors.sandbox.population.inhabitants import Inhabitants
from connectors.sandbox.population.numbers import told_numbers
from connectors.sandbox.population.places import addresses
from connectors.sandbox.population.sheet import Sheet
from connectors.sandbox.population.systems import System, systems
from connectors.sandbox.population.texts import Texts, keep, known, plain, texts
from connectors.sandbox.population.visits import GUEST

FULL, EMAIL_ONLY, PHONE_ONLY = range(3)


class Roll:
    """The rows of a block's records: first the accounts, then every purchase by a guest who left a trace."""

    def __init__(self, block: Block, town: Inhabitants) -> None:
        accounts, visits = town.visitors.accounts, town.visits
        self.guest_visits = np.flatnonzero(visits.manner == GUEST)
        guests = len(self.guest_visits)
        self.systems = systems(block.spec)
        self.accounts = len(accounts)
        self.system: Ints = np.concatenate([accounts.system, visits.system[self.guest_visits]])
        self.person: Ints = np.concatenate([accounts.person, visits.person[self.guest_visits]])
        self.source_id: Texts = np.concatenate([accounts.source_id, visits.order_id[self.guest_visits]])
        self.created: Ints = np.concatenate([accounts.created, visits.placed[self.guest_visits]])
        self.deleted: Ints = np.concatenate([accounts.deleted, np.full(guests, NOT_DELETED)])
        self.origin: Ints = np.concatenate([accounts.origin, np.full(guests, -1)])
        self.company: Bools = np.concatenate([accounts.company, np.zeros(guests, dtype=bool)])
        self.is_guest: Bools = np.arange(len(self.person)) >= self.accounts
        self.home: Ints = town.members.home[self.person]
        self.household: Ints = town.members.household[self.person]
        self.at_till = self.of_kind("till")

    def __len__(self) -> int:
        return len(self.person)

    def of_kind(self, kind: str) -> Bools:
        """Which rows belong to systems of that kind."""
        result: Bools = np.array([system.kind == kind for system in self.systems])[self.system]
        return result

    def share(self, field: str) -> Floats:
        """For each row, in what share of its system's records a field is filled (or a flag, as 0 or 1)."""
        result: Floats = np.array([float(getattr(system, field)) for system in self.systems])[self.system]
        return result

    def of(self, row: int) -> System:
        """The system of a row."""
        return self.systems[int(self.system[row])]


def tell(block: Block, town: Inhabitants, roll: Roll) -> Sheet:
    """Fill in the records from what was true when each was made; label what differs from today's truth."""
    sheet = Sheet(len(roll), roll.created.copy())
    _tell_family(block, town, roll, sheet)
    _tell_names(block, town, roll, sheet)
    _tell_mailboxes(block, town, roll, sheet)
    _tell_numbers(block, town, roll, sheet)
    _tell_homes(block, town, roll, sheet)
    _tell_birth_dates(block, town, roll, sheet)
    _tell_companies(block, town, roll, sheet)
    _repeat_origins(roll, sheet)
    _leave_out(block, roll, sheet)
    return sheet


def _tell_family(block: Block, town: Inhabitants, roll: Roll, sheet: Sheet) -> None:
    """Difficulties that lie in who people are, not in what is told."""
    members, names, accounts = town.members, town.names, town.visitors.accounts
    twin = np.zeros(len(members), dtype=bool)
    eldest = members.first_child[members.twins]
    twin[eldest] = twin[eldest + 1] = True
    same_name = np.zeros(len(members), dtype=bool)
    same_name[members.father[members.jr_sr]] = same_name[members.first_child[members.jr_sr]] = True
    sheet.label("twins", twin[roll.person])
    sheet.label("jr_sr", same_name[roll.person])
    sheet.label("namesake", (names.namesake_of >= 0)[roll.person])
    for difficulty, rows in (
        ("two_accounts", accounts.two_accounts),
        ("recreated_account", accounts.recreated),
        ("two_cards", accounts.two_cards),
        ("company", accounts.company),
    ):
        sheet.label(difficulty, np.concatenate([rows, np.zeros(len(roll) - len(rows), dtype=bool)]))


def _tell_names(block: Block, town: Inhabitants, roll: Roll, sheet: Sheet) -> None:
    names, who = town.names, roll.person
    before = roll.created < names.married[who]
    sheet.label("married_name", before)
    sheet.columns["given_name"] = names.given[who]
    sheet.columns["family_name"] = np.where(before, names.maiden[who], names.family[who])
    sheet.columns["middle_name"] = keep(_fills(block, roll, "middle_name"), names.middle[who])
    sheet.columns["name_suffix"] = keep(block.draws.chance("suffix told", 0.6, len(roll)), names.suffix[who])
    titles = np.array([land.titles for land in block.countries], dtype=object)
    title = titles[roll.home, town.members.woman[who].astype(np.int64)]
    sheet.columns["title"] = keep(_fills(block, roll, "title"), title)
    sex = np.where(town.members.woman[who], "F", "M").astype(object)
    sheet.columns["sex"] = keep(_fills(block, roll, "sex"), sex)


def _tell_mailboxes(block: Block, town: Inhabitants, roll: Roll, sheet: Sheet) -> None:
    contacts, who = town.contacts, roll.person
    shared = block.draws.chance("uses household mailbox", 0.75, len(roll)) & known(contacts.household_email[who])
    second = block.draws.chance("uses second mailbox", 0.5, len(roll)) & contacts.has_second[who] & ~shared
    again = sheet.labels["two_accounts"] & (roll.origin >= 0)
    shared[again] = second[again] = False
    first = np.flatnonzero(again)
    shared[roll.origin[first]] = second[roll.origin[first]] = False
    email = np.where(shared, contacts.household_email[who], contacts.email[who])
    sheet.columns["email"] = np.where(second | again, contacts.second_email[who], email)
    sheet.label("household_email", shared & ~roll.company)
    sheet.label("second_email", second & ~roll.company)


def _tell_numbers(block: Block, town: Inhabitants, roll: Roll, sheet: Sheet) -> None:
    contacts, who = town.contacts, roll.person
    shared = block.draws.chance("uses landline", 0.75, len(roll)) & known(contacts.landline[who])
    before = roll.created < contacts.changed[who]
    number = np.where(before, contacts.former_phone[who], contacts.phone[who])
    number = np.where(shared, contacts.landline[who], number)
    sheet.columns["phone"] = told_numbers(block.draws, block.countries, roll.home, number)
    sheet.label("household_phone", shared & ~roll.company)
    recycled = (before & contacts.given_up[who]) | (~before & contacts.taken_over[who])
    sheet.label("recycled_phone", recycled & ~shared & ~roll.company)


def _tell_homes(block: Block, town: Inhabitants, roll: Roll, sheet: Sheet) -> None:
    """Records made before a move keep the old address, but for a third that were brought up to date."""
    homes, house = town.homes, roll.household
    updated = block.draws.chance("address brought up to date", 0.35, len(roll)) & ~roll.is_guest
    old = (roll.created < homes.moved[house]) & ~(updated & (roll.deleted > homes.moved[house]))
    for column, now, before in (
        ("house_number", homes.now.house_number, homes.before.house_number),
        ("street", homes.now.street, homes.before.street),
        ("postcode", homes.now.postcode, homes.before.postcode),
        ("city", homes.now.city, homes.before.city),
        ("region", homes.now.region, homes.before.region),
    ):
        sheet.columns[column] = np.where(old, before[house], now[house])
    sheet.label("moved", old & ~roll.company)
    sheet.since = np.maximum(sheet.since, np.where(old, 0, np.minimum(homes.moved[house], roll.deleted)))


def _tell_birth_dates(block: Block, town: Inhabitants, roll: Roll, sheet: Sheet) -> None:
    days = np.datetime64(EPOCH, "D") + town.members.birth_day[roll.person]
    sheet.columns["birth_date"] = keep(_fills(block, roll, "birth_date"), days.astype(str).astype(object))


def _tell_companies(block: Block, town: Inhabitants, roll: Roll, sheet: Sheet) -> None:
    """A company shares nothing with the person whose row it borrows but the country."""
    rows = np.flatnonzero(roll.company)
    sheet.blank("organisation")
    home = roll.home[rows]
    kind = [("Ltd", "GmbH", "SARL", "BV", "SIA", "Sp. z o.o.", "K.K.", "LLC")[i % 8] for i in range(len(rows))]
    drawn = block.draws.uniform("company name", len(rows))
    surname = [
        str(block.countries[c].family[int(u * len(block.countries[c].family))])
        for c, u in zip(home, drawn, strict=True)
    ]
    names = [f"{word} {form}" for word, form in zip(surname, kind, strict=True)]
    hosts = [str(word).lower().replace(" ", "").replace("'", "") for word in plain(texts(surname))]
    city = (block.draws.uniform("company city", len(rows)) * [len(block.countries[c].cities) for c in home]).astype(
        np.int64
    )
    where = addresses(block, "company", home, city)
    for column in ("given_name", "family_name", "middle_name", "name_suffix", "title", "sex", "phone", "birth_date"):
        sheet.columns[column][rows] = None
    for column in ("house_number", "street", "postcode", "city", "region"):
        sheet.columns[column][rows] = getattr(where, column)
    sheet.replace("organisation", rows, names)
    first = block.first_person
    sheet.replace("email", rows, [f"info@{host}{first + i}.com" for i, host in enumerate(hosts)])


def _repeat_origins(roll: Roll, sheet: Sheet) -> None:
    """A re-created account is opened with the same mailbox."""
    rows = np.flatnonzero(sheet.labels["recreated_account"] & (roll.origin >= 0))
    sheet.columns["email"][rows] = sheet.columns["email"][roll.origin[rows]]
    for difficulty in ("household_email", "second_email"):
        sheet.labels[difficulty][rows] = sheet.labels[difficulty][roll.origin[rows]]


def _leave_out(block: Block, roll: Roll, sheet: Sheet) -> None:
    """Empty what was not asked for, or not answered; everyone leaves a mailbox or a number."""
    manner = _guest_manners(block, roll, sheet)
    full, guest, till_guest = manner == FULL, roll.is_guest, roll.is_guest & roll.at_till
    phone = block.draws.uniform("phone told", len(roll)) < np.where(guest, 0.75, roll.share("phone"))
    email = block.draws.uniform("email told", len(roll)) < np.where(till_guest, 0.75, roll.share("email"))
    address = block.draws.uniform("address told", len(roll)) < np.where(guest, 1.0, roll.share("address"))
    _keep(sheet, ["email"], (manner == EMAIL_ONLY) | (full & (email | ~phone)))
    _keep(sheet, ["phone"], (manner == PHONE_ONLY) | (full & phone))
    _keep(sheet, ["house_number", "street", "postcode", "city", "region"], full & address & ~till_guest)
    _keep(sheet, ["given_name", "family_name"], full)
    _keep(sheet, ["middle_name", "name_suffix", "title", "sex", "birth_date"], full & ~guest)
    for difficulty, column in (
        ("household_email", "email"),
        ("second_email", "email"),
        ("household_phone", "phone"),
        ("recycled_phone", "phone"),
        ("moved", "street"),
        ("married_name", "family_name"),
    ):
        sheet.labels[difficulty] &= sheet.has(column)


def _guest_manners(block: Block, roll: Roll, sheet: Sheet) -> Ints:
    rates = block.spec.rates
    own_email = roll.is_guest & ~sheet.labels["household_email"]
    own_phone = roll.is_guest & roll.at_till & ~sheet.labels["household_phone"] & ~sheet.labels["recycled_phone"]
    email_only = own_email & block.draws.chance("guest_email_only", rates.guest_email_only, len(roll))
    phone_only = own_phone & block.draws.chance("guest_phone_only", rates.guest_phone_only, len(roll))
    phone_only &= ~email_only
    sheet.label("guest_email_only", email_only)
    sheet.label("guest_phone_only", phone_only)
    sheet.count("guest_email_only", own_email.sum(), email_only.sum())
    sheet.count("guest_phone_only", (own_phone & ~email_only).sum(), phone_only.sum())
    return np.select([email_only, phone_only], [EMAIL_ONLY, PHONE_ONLY], FULL).astype(np.int64)


def _keep(sheet: Sheet, columns: list[str], kept: Bools) -> None:
    for column in columns:
        sheet.columns[column] = keep(kept, sheet.columns[column])


def _fills(block: Block, roll: Roll, field: str) -> Bools:
    result: Bools = block.draws.uniform(f"{field} told", len(roll)) < roll.share(field)
    return result
