"""Record ids: 15 characters in which case counts, or 18 whose last three say which of them are capitals."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
CONTACT, ACCOUNT = "003", "001"


def long_id(told: str) -> str:
    """The form of 18 characters; an id that has it already, or that is no record id, stays as it is."""
    if len(told) != 15 or not (told.isascii() and told.isalnum()):
        return told
    return told + "".join(_check(told[start : start + 5]) for start in (0, 5, 10))


def _check(five: str) -> str:
    """Bit n of the place in the alphabet is set if character n is a capital."""
    return _SUFFIX[sum(1 << place for place, character in enumerate(five) if "A" <= character <= "Z")]


Id = Annotated[str, StringConstraints(pattern=r"\S"), AfterValidator(long_id)]
"""A record id, told in either form."""
