"""Which column of a table of people says what, by the usual spellings of column names.

The tokens of a name are compared, so that `First Name`, `first_name`, `customerFirstName` and `FIRSTNAME` are one.
Names that say nothing are left alone; the caller may map them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SPELLINGS: dict[str, tuple[str, ...]] = {
    "record": ("id", "unique_id", "uniqueid", "rec_id", "recid", "record_id", "record", "customer_id", "person_id",
        "row_id"),
    "source": ("source", "source_dataset", "source_system", "system", "dataset", "src"),
    "given_name": ("given_name", "givenname", "first_name", "firstname", "forename", "fname", "first", "given",
        "vorname",
                   "prenom", "voornaam"),
    "middle_name": ("middle_name", "middlename", "middle_initial", "middle", "mname", "second_name", "middle_names",
        "minit"),
    "family_name": ("family_name", "familyname", "last_name", "lastname", "surname", "sname", "lname", "last",
        "nachname",
                    "family", "nom", "achternaam", "suname"),
    "full_name": ("full_name", "fullname", "name", "customer_name", "person_name", "display_name", "complete_name"),
    "name_suffix": ("name_suffix", "suffix", "generation", "suffix_name"),
    "title": ("title", "salutation", "prefix", "name_prefix", "honorific"),
    "sex": ("sex", "gender", "sex_code", "gender_code", "geschlecht"),
    "birth_date": ("birth_date", "birthdate", "date_of_birth", "dateofbirth", "dob", "birthday", "born",
        "geburtsdatum", "bdate"),
    "birth_year": ("birth_year", "birthyear", "year_of_birth", "yob", "by"),
    "age": ("age", "age_years", "alter"),
    "email": ("email", "e_mail", "mail", "email_address", "emailaddress", "email_addr"),
    "phone": ("phone", "phone_number", "phonenumber", "telephone", "tel", "mobile", "mobile_phone", "cell",
        "mobile_number",
              "phone_num", "telefon", "contact_number", "cell_phone", "full_phone_number", "telephone_number"),
    "address_line": ("address", "address_line", "address_line_1", "address1", "address_1", "addr", "street_address",
        "addr1",
                     "address_line1", "res_street_address", "mail_addr1", "full_address", "home_address"),
    "house_number": ("house_number", "street_number", "housenumber", "house_num", "house_no", "streetnumber",
        "number", "hausnummer"),
    "street": ("street", "street_name", "streetname", "strasse", "road"),
    "postcode": ("postcode", "post_code", "postal_code", "postalcode", "zip", "zipcode", "zip_code", "plz", "zip5"),
    "city": ("city", "town", "suburb", "locality", "place", "municipality", "ort", "city_name", "res_city",
        "res_city_desc"),
    "region": ("region", "state", "province", "county", "state_code", "state_name", "bundesland"),
    "country": ("country", "country_code", "countrycode", "nation"),
    "organisation": ("organisation", "organization", "company", "company_name", "employer", "business_name", "firm"),
    "national_id": ("national_id", "ssn", "soc_sec_id", "social_security_number", "social_security", "nin", "nino",
                    "tax_id", "passport", "personal_id", "national_insurance_number", "socsec", "nhs_number"),
    "loyalty_number": ("loyalty_number", "loyalty_id", "loyalty_card", "card_number", "member_number",
        "membership_number",
                       "loyalty", "member_id"),
}  # fmt: skip
DISTINCTIVE = {
    "postcode": "postcode", "zip": "postcode", "zipcode": "postcode", "email": "email", "phone": "phone",
    "telephone": "phone",
    "surname": "family_name", "lastname": "family_name", "forename": "given_name", "firstname": "given_name",
    "dob": "birth_date",
    "birthdate": "birth_date", "birthday": "birth_date", "gender": "sex", "ssn": "national_id", "city": "city",
    "suburb": "city",
}  # fmt: skip
CATEGORIES = frozenset({"birth_place", "birthplace", "place_of_birth", "pob", "occupation", "profession", "job",
    "job_title",
                        "nationality", "citizenship", "ethnicity", "race", "marital_status", "mother_name",
                        "maiden_name",
                        "mothers_maiden_name", "birth_country", "religion"})  # fmt: skip
OWNER_WORDS = frozenset({"customer", "person", "client", "patient", "billing", "contact", "user", "member",
    "primary", "cust",
                         "home", "shipping", "voter", "ncvr", "employee", "buyer"})  # fmt: skip
FIELDS = tuple(SPELLINGS)
OTHERS = 4


@dataclass(frozen=True)
class Understood:
    """Field -> column of the table; the further columns to compare; what is left alone; what to beware of."""

    fields: Mapping[str, str]
    others: Sequence[str] = ()
    unused: Sequence[str] = ()
    warnings: Sequence[str] = field(default_factory=list)


class UnknownField(ValueError):
    """A column was mapped to a field that does not exist, or does not exist itself."""


def understood(columns: Sequence[str], wanted: Sequence[tuple[str, str]] = (), also: Sequence[str] = ()) -> Understood:
    """What the columns of a table say. `wanted` (column, field) overrides; `also` names further columns to compare.

    Raises UnknownField.
    """
    _check(columns, wanted, also)
    fields = {name: column for column, name in wanted}
    free = [c for c in columns if c not in fields.values() and c not in also]
    for name, spellings in SPELLINGS.items():
        if name not in fields:
            found = _best(free, spellings)
            if found is not None and found not in fields.values():
                fields[name] = found
    for column in free:
        given_away = _distinctive(column)
        if given_away is not None and given_away not in fields and column not in fields.values():
            fields[given_away] = column
    used = set(fields.values()) | set(also)
    told = [c for c in free if c not in used and CATEGORIES.intersection(_names(c))]
    others = (*also, *told)[:OTHERS]
    return Understood(fields, others, tuple(c for c in columns if c not in used and c not in others))


def _check(columns: Sequence[str], wanted: Sequence[tuple[str, str]], also: Sequence[str]) -> None:
    named = [*(column for column, _ in wanted), *also]
    for column in named:
        if column not in columns:
            raise UnknownField(f"there is no column {column!r}; there are {', '.join(columns)}")
    for _, name in wanted:
        if name not in FIELDS:
            raise UnknownField(f"there is no field {name!r}; there are {', '.join(FIELDS)}")
    for what, told in (("column", named), ("field", [name for _, name in wanted])):
        twice = [name for place, name in enumerate(told) if name in told[:place]]
        if twice:
            raise UnknownField(f"the {what} {twice[0]!r} is named twice; a column holds one field")
    if len(also) > OTHERS:
        raise UnknownField(f"at most {OTHERS} further columns can be compared, not {len(also)}")


def _best(columns: Sequence[str], spellings: Sequence[str]) -> str | None:
    """The first column whose name is one of the spellings, the earlier spelling before the later."""
    by_name: dict[str, str] = {}
    for column in columns:
        for name in _names(column):
            by_name.setdefault(name, column)
    return next((by_name[spelling] for spelling in spellings if spelling in by_name), None)


def _distinctive(column: str) -> str | None:
    """The field that one word of the column's name gives away (postcode_2019, work_email)."""
    words = _names(column)[0].split("_")
    return next((DISTINCTIVE[word] for word in words if word in DISTINCTIVE), None)


def _names(column: str) -> list[str]:
    """The column's name in lower case with underscores, then without words that only say whose it is."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", column.strip())
    words = [word for word in re.split(r"[^a-z0-9]+", parted.lower()) if word]
    bare = [word for word in words if word not in OWNER_WORDS]
    return ["_".join(words), *(["_".join(bare)] if bare and bare != words else [])]
