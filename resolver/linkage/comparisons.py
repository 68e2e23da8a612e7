"""What is compared between two records, level by level.

A comparison is a list of levels from the strongest agreement to none, as in Fellegi and Sunter; each level's condition
is SQL in Splink's sense (`_l` and `_r` for the two records), so that Splink computes which level a pair reaches. The
figures beside each level are general knowledge about people's records, used as starting values and as a weak prior:
`m` how often records of one person reach the level, `household` how often those of two members of a household do, and
so on for the other kinds of pair in which the field is free to agree without being the same person.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Kind(enum.StrEnum):
    """Why two records resemble each other: one person, or something that people share."""

    MATCH = "match"
    HOUSEHOLD = "household"
    AREA = "area"
    CONTACT = "contact"


NON_MATCHES = (Kind.HOUSEHOLD, Kind.AREA, Kind.CONTACT)


@dataclass(frozen=True)
class Level:
    """One level: its name, Splink condition, starting shares, and the fields whose term frequency adjusts it."""

    name: str
    sql: str
    m: float
    frequency: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """One comparison: levels from strongest to none; a pair that meets `missing` is no evidence at all.

    `free` gives, for each kind of non-match in which the field may agree by itself, the starting share of each level.
    A comparison without `free` describes the person: in every non-match it agrees no more often than by chance, which
    is what identifies the model. What one that goes `by_names` means depends on whether the names resemble each other.
    `alike` is the share of household pairs in which two people have it in common for a reason: twins are born on one
    day, and some children bear a parent's name.
    """

    name: str
    missing: str
    levels: tuple[Level, ...]
    free: dict[Kind, tuple[float, ...]] = field(default_factory=dict)
    by_names: bool = False
    alike: float = 0.0

    @property
    def exact(self) -> int:
        """The number of the level `exact`, counted from 1."""
        return 1 + next(i for i, level in enumerate(self.levels) if level.name == "exact")


GIVEN = Comparison(
    "given",
    "given_name_l is null or given_name_r is null",
    (
        Level("swapped",
            "given_name_l <> given_name_r and given_name_l = family_key_r and given_name_r = family_key_l",
              .01, ("given", "family")),
        Level("exact", "given_name_l = given_name_r", .74, ("given",)),
        Level("short form", """list_has_any(given_forms_l, given_forms_r)
              or ((given_sex_l || given_sex_r not in ('mf', 'fm')) is not false
                  and least(length(given_name_l), length(given_name_r)) >= 3
                  and (starts_with(given_name_l, given_name_r) or starts_with(given_name_r, given_name_l)))""", .06),
        Level("initial", """least(length(given_name_l), length(given_name_r)) = 1
              and left(given_name_l, 1) = left(given_name_r, 1)""", .04),
        Level("typo", """(least(given_count_l, given_count_r) < greatest(5, 0.05 * greatest(given_count_l,
            given_count_r)))
              and (given_sex_l || given_sex_r not in ('mf', 'fm')) is not false
              and (given_sex_l is null or given_sex_r is null or left(given_name_l, 2) = left(given_name_r, 2))
              and (jaro_winkler_similarity(given_name_l, given_name_r) >= 0.92
                   or (abs(length(given_name_l) - length(given_name_r)) <= 1
                       and jaro_winkler_similarity(given_name_l, given_name_r) >= 0.75
                       and damerau_levenshtein(given_name_l, given_name_r) <= 1))""", .07),
        Level("another name of theirs", """given_name_l = family_key_r or given_name_r = family_key_l
              or given_name_l = middle_name_r or given_name_r = middle_name_l""", .01),
        Level("similar", """(given_sex_l || given_sex_r not in ('mf', 'fm')) is not false
              and (jaro_winkler_similarity(given_name_l, given_name_r) >= 0.9
                   or (given_sex_l is null or given_sex_r is null or left(given_name_l, 2) = left(given_name_r, 2))
                      and (jaro_winkler_similarity(given_name_l, given_name_r) >= 0.8
                           or given_sound_l = given_sound_r))""", .03),
        Level("else", "ELSE", .04),
    ),
    alike=0.02,
)  # fmt: skip

FAMILY = Comparison(
    "family",
    """family_key_l is null or family_key_r is null
       or (given_name_l <> given_name_r and given_name_l = family_key_r and given_name_r = family_key_l)""",
    (
        Level("exact", "family_key_l = family_key_r", .80, ("family",)),
        Level("typo", """(least(family_count_l, family_count_r) < greatest(5, 0.05 * greatest(family_count_l,
            family_count_r)))
              and (jaro_winkler_similarity(family_key_l, family_key_r) >= 0.92
                   or (abs(length(family_key_l) - length(family_key_r)) <= 1
                       and jaro_winkler_similarity(family_key_l, family_key_r) >= 0.75
                       and damerau_levenshtein(family_key_l, family_key_r) <= 1))""", .09),
        Level("shared word", """((contains(family_name_l, ' ') or contains(family_name_r, ' '))
                and list_has_any(string_split(family_name_l, ' '), string_split(family_name_r, ' ')))
              or (family_key_l = middle_name_r and family_key_l <> given_name_r)
              or (family_key_r = middle_name_l and family_key_r <> given_name_l)
              or (family_key_l = given_name_r and given_name_l is null)
              or (family_key_r = given_name_l and given_name_r is null)""", .02),
        Level("similar", """jaro_winkler_similarity(family_key_l, family_key_r) >= 0.82
              or family_sound_l = family_sound_r""", .03),
        Level("else", "ELSE", .06),
    ),
    free={Kind.HOUSEHOLD: (.80, .06, .02, .02, .10), Kind.CONTACT: (.60, .04, .01, .03, .32)},
)  # fmt: skip

MIDDLE = Comparison(
    "middle",
    "middle_name_l is null or middle_name_r is null",
    (
        Level("exact", "middle_name_l = middle_name_r", .60, ("middle",)),
        Level("initial", """least(length(middle_name_l), length(middle_name_r)) = 1
              and left(middle_name_l, 1) = left(middle_name_r, 1)""", .15),
        Level("similar", """list_has_any(string_split(middle_name_l, ' '), string_split(middle_name_r, ' '))
              or jaro_winkler_similarity(middle_name_l, middle_name_r) >= 0.88""", .15),
        Level("else", "ELSE", .10),
    ),
)  # fmt: skip

SUFFIX = Comparison(
    "suffix",
    "name_suffix_l is null or name_suffix_r is null",
    (Level("exact", "name_suffix_l = name_suffix_r", 0.98), Level("else", "ELSE", 0.02)),
)

SEX = Comparison(
    "sex", "sex_l is null or sex_r is null", (Level("exact", "sex_l = sex_r", 0.97), Level("else", "ELSE", 0.03))
)

BIRTH = Comparison(
    "birth",
    "birth_digits_l is null or birth_digits_r is null",
    (
        Level("exact", "birth_digits_l = birth_digits_r", .86, ("birth",)),
        Level("day and month swapped", """birth_year_l = birth_year_r and birth_month_l = birth_day_r
              and birth_day_l = birth_month_r""", .02),
        Level("one digit", """length(birth_digits_l) = 8 and length(birth_digits_r) = 8
              and (hamming(birth_digits_l, birth_digits_r) = 1
                   or (hamming(birth_digits_l, birth_digits_r) = 2
                       and damerau_levenshtein(birth_digits_l, birth_digits_r) = 1))""", .05),
        Level("two parts of three", """(birth_year_l = birth_year_r)::int + (birth_month_l = birth_month_r)::int
              + (birth_day_l = birth_day_r)::int = 2""", .02),
        Level("year", "birth_year_l = birth_year_r", .015),
        Level("near", """abs(birth_year_l - birth_year_r) <= 1 or (length(birth_digits_l) = 8
              and length(birth_digits_r) = 8 and hamming(birth_digits_l, birth_digits_r) = 2)""", .015),
        Level("else", "ELSE", .02),
    ),
    alike=0.01,
)  # fmt: skip

BIRTH_YEAR = Comparison(
    "birth_year",
    """birth_year_l is null or birth_year_r is null
       or (birth_digits_l is not null and birth_digits_r is not null)""",
    (
        Level("exact", "birth_year_l = birth_year_r", 0.85, ("birth_year",)),
        Level("next year", "abs(birth_year_l - birth_year_r) <= 1", 0.11),
        Level("else", "ELSE", 0.04),
    ),
)

EMAIL = Comparison(
    "email",
    "mailbox_l is null or mailbox_r is null",
    (
        Level("exact, the family's", "mailbox_l = mailbox_r and family_mailbox_l and family_mailbox_r",
              .05, ("email",)),
        Level("exact", "mailbox_l = mailbox_r", .50, ("email",)),
        Level("same local part", "local_l = local_r", .08, ("local",)),
        Level("typo", """abs(length(mailbox_l) - length(mailbox_r)) <= 2
              and jaro_winkler_similarity(mailbox_l, mailbox_r) >= 0.9
              and levenshtein(mailbox_l, mailbox_r) <= 2""", .07),
        Level("scrambled", """abs(length(mailbox_l) - length(mailbox_r)) <= 3
              and jaro_winkler_similarity(mailbox_l, mailbox_r) >= 0.9
              and levenshtein(mailbox_l, mailbox_r) <= 5""", .03),
        Level("similar", "jaro_winkler_similarity(local_l, local_r) >= 0.9", .06),
        Level("else", "ELSE", .21),
    ),
    free={Kind.HOUSEHOLD: (.10, .10, .02, .02, .01, .05, .70), Kind.CONTACT: (.20, .60, .02, .03, .01, .04, .10)},
    by_names=True,
)  # fmt: skip

PHONE = Comparison(
    "phone",
    "phone_key_l is null or phone_key_r is null",
    (
        Level("exact", "phone_key_l = phone_key_r", .70, ("phone",)),
        Level("near", """right(phone_key_l, 7) = right(phone_key_r, 7)
              or (length(phone_key_l) = length(phone_key_r)
                  and (hamming(phone_key_l, phone_key_r) = 1
                       or (hamming(phone_key_l, phone_key_r) = 2
                           and damerau_levenshtein(phone_key_l, phone_key_r) = 1)))""", .05),
        Level("else", "ELSE", .25),
    ),
    free={Kind.HOUSEHOLD: (.45, .02, .53), Kind.CONTACT: (.70, .03, .27)},
)  # fmt: skip

ADDRESS = Comparison(
    "address",
    "street_l is null or street_r is null",
    (
        Level("exact", "address_l = address_r", .68, ("address",)),
        Level("same number, similar street", """house_number_l = house_number_r
              and jaro_winkler_similarity(street_l, street_r) >= 0.88""", .07),
        Level("near number, similar street", """(house_number_l is null or house_number_r is null
                or levenshtein(house_number_l, house_number_r) <= 1)
              and jaro_winkler_similarity(street_l, street_r) >= 0.92""", .05),
        Level("same street", "street_l = street_r", .01, ("street",)),
        Level("same number", "house_number_l = house_number_r", .02),
        Level("else", "ELSE", .17),
    ),
    free={
        Kind.HOUSEHOLD: (.80, .05, .04, .01, .01, .09),
        Kind.AREA: (.02, .01, .05, .10, .02, .80),
        Kind.CONTACT: (.50, .03, .03, .02, .02, .40),
    },
)  # fmt: skip

POSTCODE = Comparison(
    "postcode",
    "postcode_l is null or postcode_r is null",
    (
        Level("exact", "postcode_l = postcode_r", .78, ("postcode",)),
        Level("one character", """length(postcode_l) = length(postcode_r) and hamming(postcode_l, postcode_r) = 1
              and length(postcode_l) >= 4""", .05),
        Level("district", "district_l = district_r", .04, ("district",)),
        Level("else", "ELSE", .13),
    ),
    free={
        Kind.HOUSEHOLD: (.88, .03, .03, .06), Kind.AREA: (.60, .05, .20, .15), Kind.CONTACT: (.60, .03, .07, .30)
    },
)  # fmt: skip

CITY = Comparison(
    "city",
    "city_l is null or city_r is null",
    (
        Level("exact", "city_l = city_r", 0.82, ("city",)),
        Level("similar", "jaro_winkler_similarity(city_l, city_r) >= 0.88", 0.06),
        Level("else", "ELSE", 0.12),
    ),
    free={Kind.HOUSEHOLD: (0.90, 0.04, 0.06), Kind.AREA: (0.85, 0.05, 0.10), Kind.CONTACT: (0.70, 0.05, 0.25)},
)

NATIONAL_ID = Comparison(
    "national_id",
    "national_id_l is null or national_id_r is null",
    (
        Level("exact", "national_id_l = national_id_r", .90, ("national_id",)),
        Level("typo", """abs(length(national_id_l) - length(national_id_r)) <= 2
              and jaro_winkler_similarity(national_id_l, national_id_r) >= 0.8
              and damerau_levenshtein(national_id_l, national_id_r) <= 2""", .06),
        Level("else", "ELSE", .04),
    ),
)  # fmt: skip

LOYALTY = Comparison(
    "loyalty",
    "loyalty_number_l is null or loyalty_number_r is null",
    (Level("exact", "loyalty_number_l = loyalty_number_r", 0.85, ("loyalty",)), Level("else", "ELSE", 0.15)),
)


def other(number: int) -> Comparison:
    """A further column that the caller names: a place, an occupation, any category."""
    left, right = f"other_{number}_l", f"other_{number}_r"
    return Comparison(
        f"other_{number}",
        f"{left} is null or {right} is null",
        (
            Level("exact", f"{left} = {right}", 0.75, (f"other_{number}",)),
            Level("similar", f"jaro_winkler_similarity({left}, {right}) >= 0.88", 0.07),
            Level("else", "ELSE", 0.18),
        ),
        free={Kind.AREA: (0.60, 0.05, 0.35)},
    )


ALL = (GIVEN, FAMILY, MIDDLE, SUFFIX, SEX, BIRTH, BIRTH_YEAR, EMAIL, PHONE, ADDRESS, POSTCODE, CITY, NATIONAL_ID,
    LOYALTY,
       other(1), other(2), other(3), other(4))  # fmt: skip

NAMES = ("given", "family")

CONTRADICTORY = ("given", "suffix", "birth", "birth_year", "national_id")
