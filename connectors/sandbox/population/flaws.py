"""What goes wrong when people, clerks and systems write things down. Each flaw labels the rows it changed."""

from collections.abc import Callable

import numpy as np

from connectors.sandbox.population.block import Block, rank_within
from connectors.sandbox.population.draws import Bools, Ints
from connectors.sandbox.population.sheet import Sheet
from connectors.sandbox.population.slips import alphabet, ear, finger, wrong_digit
from connectors.sandbox.population.telling import Roll
from connectors.sandbox.population.texts import Texts, differ, plain, texts

_EMAILS = texts(["noreply@example.com", "none@none.com", "test@test.com", "na@na.com", "noemail@noemail.com"])
_PHONES = texts(["0000000000", "1111111111", "0123456789", "9999999999", "000"])
NAMES = ("given_name", "family_name")


def spoil(block: Block, roll: Roll, sheet: Sheet, stores: dict[str, Texts]) -> None:
    """Apply every flaw, in the order in which they happen in life. `stores`: a store's address for each row."""
    named = sheet.has("given_name") & ~roll.company
    _shorten(block, roll, sheet, named)
    _write_otherwise(block, roll, sheet, named)
    _swap_names(block, roll, sheet, named)
    _mishear(block, roll, sheet, named)
    _swap_birth_dates(block, roll, sheet)
    _use_store_address(block, roll, sheet, stores)
    _use_placeholders(block, roll, sheet)
    _mistype(block, roll, sheet)


def _chosen(block: Block, sheet: Sheet, difficulty: str, eligible: Bools) -> Ints:
    """Draw the rows that a flaw affects and note the count; rows are labelled by the caller's `_mark`."""
    rate: float = getattr(block.spec.rates, difficulty)
    affected = eligible & block.draws.chance(difficulty, rate, sheet.rows)
    _mark(sheet, difficulty, eligible, affected)
    return np.flatnonzero(affected)


def _mark(sheet: Sheet, difficulty: str, eligible: Bools, affected: Bools) -> None:
    sheet.label(difficulty, affected)
    sheet.count(difficulty, eligible.sum(), affected.sum())


def _shorten(block: Block, roll: Roll, sheet: Sheet, named: Bools) -> None:
    """Short forms and initials."""
    given = sheet.columns["given_name"]
    forms = [land.short_forms for land in block.countries]
    known = np.array([bool(n) and g in forms[c] for g, c, n in zip(given, roll.home, named, strict=True)])
    rows = _chosen(block, sheet, "nickname", known)
    turn = block.draws.uniform("which nickname", sheet.rows)[rows]
    short = [forms[c][g] for g, c in zip(given[rows], roll.home[rows], strict=True)]
    sheet.replace("given_name", rows, [names[int(u * len(names))] for names, u in zip(short, turn, strict=True)])
    rows = _chosen(block, sheet, "initial_only", named & ~sheet.labels["nickname"])
    sheet.replace("given_name", rows, [word[:1] + "." for word in given[rows]])


def _write_otherwise(block: Block, roll: Roll, sheet: Sheet, named: Bools) -> None:
    """Other spellings of the same name first; then, where the system can, marks are dropped."""
    swaps = [land.swaps for land in block.countries]
    other = {
        name: _mapped(sheet.columns[name], lambda word, row: alphabet(word, swaps[roll.home[row]]), named)
        for name in NAMES
    }
    rows = _chosen(block, sheet, "transliteration", _differs(sheet, other) & named)
    for name in NAMES:
        sheet.columns[name][rows] = other[name][rows]
    unmarked = {name: plain(sheet.columns[name]) for name in NAMES}
    can_drop = _differs(sheet, unmarked) & named & (roll.share("keeps_marks") == 0) & ~sheet.labels["transliteration"]
    rows = _chosen(block, sheet, "diacritics", can_drop)
    for name in NAMES:
        sheet.columns[name][rows] = unmarked[name][rows]
    for name in ("street", "city"):
        sheet.columns[name][rows] = plain(sheet.columns[name][rows])


def _differs(sheet: Sheet, other: dict[str, Texts]) -> Bools:
    result = np.zeros(sheet.rows, dtype=bool)
    for name, values in other.items():
        result |= differ(sheet.columns[name], values)
    return result


def _mapped(column: Texts, change: Callable[[str, int], str], wanted: Bools) -> Texts:
    changed = column.copy()
    rows = np.flatnonzero(wanted)
    changed[rows] = [change(column[row], int(row)) for row in rows]
    return changed


def _swap_names(block: Block, roll: Roll, sheet: Sheet, named: Bools) -> None:
    rows = _chosen(block, sheet, "swapped_names", named & ~sheet.labels["initial_only"])
    given, family = sheet.columns["given_name"], sheet.columns["family_name"]
    given[rows], family[rows] = family[rows].copy(), given[rows].copy()


def _mishear(block: Block, roll: Roll, sheet: Sheet, named: Bools) -> None:
    chance = block.draws.uniform("how misheard", sheet.rows)
    family = block.draws.chance("family name misheard", 0.6, sheet.rows)
    heard = {
        name: _mapped(sheet.columns[name], lambda word, row: ear(word, chance[row]), named & which)
        for name, which in (("given_name", ~family), ("family_name", family))
    }
    rows = _chosen(block, sheet, "phonetic_typo", _differs(sheet, heard) & named & ~sheet.labels["initial_only"])
    for name in NAMES:
        sheet.columns[name][rows] = heard[name][rows]


def _swap_birth_dates(block: Block, roll: Roll, sheet: Sheet) -> None:
    """Only where day and month make another date."""
    dates = sheet.columns["birth_date"]
    possible = np.array([date is not None and int(date[8:]) <= 12 and date[8:] != date[5:7] for date in dates])
    rows = _chosen(block, sheet, "birth_date_swap", possible)
    sheet.replace("birth_date", rows, [f"{date[:4]}-{date[8:]}-{date[5:7]}" for date in dates[rows]])


def _use_store_address(block: Block, roll: Roll, sheet: Sheet, stores: dict[str, Texts]) -> None:
    rows = _chosen(block, sheet, "store_address", sheet.has("street") & roll.at_till)
    for name, values in stores.items():
        sheet.columns[name][rows] = values[rows]
    sheet.labels["moved"][rows] = False


def _use_placeholders(block: Block, roll: Roll, sheet: Sheet) -> None:
    """Shops need a working mailbox for an account, tills and guests do not; a thin record keeps what it has."""
    thin = sheet.labels["guest_email_only"] | sheet.labels["guest_phone_only"]
    account = roll.of_kind("shop") & ~roll.is_guest
    which = block.draws.below("which placeholder", len(_EMAILS), sheet.rows)
    rows = _chosen(block, sheet, "placeholder_email", sheet.has("email") & ~account & ~thin)
    sheet.columns["email"][rows] = _EMAILS[which[rows]]
    rows = _chosen(block, sheet, "placeholder_phone", sheet.has("phone") & ~thin & ~roll.company)
    sheet.columns["phone"][rows] = _PHONES[which[rows]]
    for difficulty in ("household_email", "second_email"):
        sheet.labels[difficulty] &= ~sheet.labels["placeholder_email"]
    for difficulty in ("household_phone", "recycled_phone"):
        sheet.labels[difficulty] &= ~sheet.labels["placeholder_phone"]


def _mistype(block: Block, roll: Roll, sheet: Sheet) -> None:
    """One slip of the finger in one field of the record."""
    thin = sheet.labels["guest_email_only"] | sheet.labels["guest_phone_only"]
    eligible = (
        ~thin & ~roll.company & ~sheet.labels["phonetic_typo"] & ~sheet.labels["initial_only"] & sheet.has("given_name")
    )
    affected = eligible & block.draws.chance("keyboard_typo", block.spec.rates.keyboard_typo, sheet.rows)
    chance = block.draws.uniform("how mistyped", sheet.rows)
    field = block.draws.uniform("field mistyped", sheet.rows)
    for row in np.flatnonzero(affected):
        affected[row] = _mistype_row(sheet, int(row), field[row], chance[row])
    _mark(sheet, "keyboard_typo", eligible, affected)


def _mistype_row(sheet: Sheet, row: int, field: float, chance: float) -> bool:
    """Slip in one field of a row; False where the slip changed nothing."""
    columns, labels = sheet.columns, sheet.labels
    if field < 0.15 and columns["phone"][row] and not labels["placeholder_phone"][row]:
        name, slip = "phone", wrong_digit(columns["phone"][row], chance)
    elif field < 0.35 and columns["email"][row] and not labels["placeholder_email"][row]:
        local, _, domain = columns["email"][row].partition("@")
        name, slip = "email", f"{finger(local, chance)}@{domain}"
    elif field < 0.45 and columns["street"][row] and not labels["store_address"][row]:
        name, slip = "street", finger(columns["street"][row], chance)
    else:
        name = "family_name" if field < 0.78 else "given_name"
        slip = finger(columns[name][row], chance)
    changed = slip != columns[name][row]
    columns[name][row] = slip
    return bool(changed)


def tell_apart(sheet: Sheet, roll: Roll) -> Ints:
    """For each shop account its rank among those with the same mailbox; a re-created one has its origin's."""
    keys: dict[tuple[int, str], int] = {}
    group = np.full(sheet.rows, -1, dtype=np.int64)
    accounts = np.flatnonzero(roll.of_kind("shop") & ~roll.is_guest)
    for row in accounts:
        group[row] = keys.setdefault((int(roll.system[row]), str(sheet.columns["email"][row]).lower()), len(keys))
    again = sheet.labels["recreated_account"] & (roll.origin >= 0)
    rank = np.zeros(sheet.rows, dtype=np.int64)
    first = accounts[~again[accounts]]
    rank[first] = rank_within(group[first])
    rank[again] = rank[roll.origin[again]]
    return rank
