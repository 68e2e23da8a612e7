"""Charts of a linkage: Splink draws them, the figures are those by which the pairs were judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resolver.linkage.scoring import Bar

PRIOR, FINAL = "Prior", "Final score"
SHARED = "what sharing explains"
TOLD: Mapping[str, tuple[str, ...]] = {
    "given": ("given_name", "full_name"), "family": ("family_name", "full_name"), "middle": ("middle_name",),
    "suffix": ("name_suffix", "full_name"), "birth": ("birth_date",), "birth_year": ("birth_year", "birth_date"),
    "address": ("address_line", "street"), "loyalty": ("loyalty_number",),
}  # fmt: skip


def bars(pair: Mapping[str, Any], left: Mapping[str, str | None], right: Mapping[str, str | None]) -> list[Bar]:
    """How the match weight of a judged pair (see Linkage.pairs) comes about, with what both records tell.

    The prior comes first, then every comparison, then what sharing explains; the last bar is the weight itself.
    """
    parts = dict(pair["levels"])
    prior, shared = parts.pop("prior"), parts.pop("shared", None)
    compared = [
        Bar(name, part["level"], part["weight"], _said(left, name), _said(right, name)) for name, part in parts.items()
    ]
    explained = [Bar(SHARED, shared["level"], shared["weight"])] if shared else []
    first, last = Bar(PRIOR, prior["level"], prior["weight"]), Bar(FINAL, pair["verdict"], pair["match_weight"])
    return [first, *compared, *explained, last]


def _said(record: Mapping[str, str | None], feature: str) -> str:
    """What a record tells of the field that a comparison compares."""
    comparison = feature.partition(" (")[0]
    told = (record.get(column) for column in TOLD.get(comparison, (comparison,)))
    return next((value for value in told if value), "")
