"""Identifiers in normal form, and which are too widely shared to be keys. -> derived.identifier, derived.spelling"""

import pyarrow as pa

from resolver import normal_forms
from resolver.policy import Policy, RulePolicy
from resolver.run import Run
from resolver.warehouse import offered, queries, transaction

_QUERIES = queries("identify")
_SPELLING = pa.schema(
    [*[(name, pa.string()) for name in ("kind", "value", "country", "normal")], ("landline", pa.bool_())]
)


def records(run: Run) -> None:
    """Rebuild the identifiers of all records: spelt alike, counted, guarded."""
    told = run.warehouse.execute(_QUERIES["told_values"]).fetchall()
    country = run.policy.default_country
    spelling = pa.Table.from_pylist(
        [{"kind": k, "value": v, "country": c, **_spelt(k, v, c or country)} for k, v, c in told], schema=_SPELLING
    )
    with (
        offered(run.warehouse, "identifier_spelling", spelling),
        offered(run.warehouse, "rule_policy", rule_rows(run.policy)),
        transaction(run.warehouse),
    ):
        for name in ("clear_spelling", "spelling", "normal_values", "holders", "clear", "identifiers"):
            run.warehouse.execute(_QUERIES[name])


def _spelt(kind: str, value: str, country: str | None) -> dict[str, object]:
    normal = _normal(kind, value, country)
    return {"normal": normal, "landline": normal_forms.is_landline(normal) if kind == "phone" and normal else False}


def _normal(kind: str, value: str, country: str | None) -> str | None:
    if kind == "email":
        return normal_forms.email(value)
    if kind == "phone":
        return normal_forms.phone(value, country).e164
    return " ".join(value.lower().split()) or None


def rule_rows(policy: Policy) -> pa.Table:
    """The policy of each deterministic rule as a row that SQL joins."""
    rules = {name: getattr(policy.rules, name) for name in type(policy.rules).model_fields}
    return pa.Table.from_pylist([{"kind": kind, **_row(rule)} for kind, rule in rules.items()])


def _row(rule: RulePolicy) -> dict[str, object]:
    return rule.model_dump()
