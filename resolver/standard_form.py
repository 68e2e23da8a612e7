"""A table of people in standard form: one spelling per value.

SQL does what SQL can (`resolver/sql/standardise.sql`); what it cannot (other scripts, phones, nicknames, sounds) is
done by `normal_forms` once per distinct value. Cleaning is the same for every source.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from resolver import normal_forms
from resolver.warehouse import queries

SPELT = ("standardise_given", "standardise_family", "standardise_odd_email", "standardise_spelt_phone")


def people(connection: duckdb.DuckDBPyConnection, told: str, into: str, country: str | None = None) -> None:
    """Create table `into` with one standardised person per row of the table or view `told`.

    Both names may be schema-qualified; columns that `told` lacks count as never told. `country` (ISO 3166 alpha-2) is
    assumed for phones of records without one. Values that stand for nothing (noreply@, 0000000000, Guest Guest) become
    NULL and are listed in `kept_out` as 'field:reason'.
    Raises duckdb.CatalogException when `told` is missing or `into` exists already.
    """
    q = queries("standardise")
    for macros in ("words_macro", "other_script_macro", "name_key_macro", "phone_macros", "email_macros", "date_macro"):
        connection.execute(q[macros])
    connection.execute(q["told"], {"told": told})
    _fold_other_scripts(connection)
    _take_names_apart(connection)
    _spell_emails(connection)
    _spell_phones(connection, country)
    words = normal_forms.STREET_WORDS
    connection.execute(q["street_words"], {"spelt": list(words), "short": list(words.values())})
    connection.sql(q["people"]).create(into)
    connection.execute(q["put_away"])
    for name in SPELT:
        connection.unregister(name)


def _fold_other_scripts(connection: duckdb.DuckDBPyConnection) -> None:
    q = queries("standardise")
    texts = _texts(connection, q["other_scripts"])
    if not texts:
        return
    folded = pa.table({"text": pa.array(texts, pa.string()),
                       "ascii": pa.array([normal_forms.ascii_form(t) for t in texts], pa.string())})  # fmt: skip
    connection.register("standardise_folded", folded)
    connection.execute(q["fold"])
    connection.unregister("standardise_folded")


def _take_names_apart(connection: duckdb.DuckDBPyConnection) -> None:
    q = queries("standardise")
    connection.execute(q["names"], {
        "titles": sorted(normal_forms.titles()), "particles": sorted(normal_forms.particles()),
        "suffixes": sorted(normal_forms.SUFFIXES), "honours": sorted(normal_forms.honours()),
        "salutations": sorted(normal_forms.SALUTATIONS)})  # fmt: skip
    connection.execute(q["name_placeholders"], {
        "nobody": sorted(normal_forms.NOBODY), "companies": sorted(normal_forms.company_words())})  # fmt: skip
    given = _texts(connection, q["given_names"])
    family = _texts(connection, q["family_names"])
    connection.register("standardise_given", pa.table({
        "word": pa.array(given, pa.string()),
        "forms": pa.array([normal_forms.given_forms(g) for g in given], pa.list_(pa.string())),
        "sound": pa.array([normal_forms.sound(g) for g in given], pa.string()),
        "usual_sex": pa.array([normal_forms.given_sex(g) for g in given], pa.string())}))  # fmt: skip
    connection.register("standardise_family", pa.table({
        "word": pa.array(family, pa.string()),
        "sound": pa.array([normal_forms.sound(f) for f in family], pa.string()),
        "is_given": pa.array([normal_forms.given_sex(f) is not None for f in family], pa.bool_())}))  # fmt: skip


def _spell_emails(connection: duckdb.DuckDBPyConnection) -> None:
    q = queries("standardise")
    connection.execute(q["email_settings"], {"no_reply": normal_forms.NO_REPLY})
    connection.execute(q["family_words"], {"family_words": normal_forms.FAMILY_WORDS})
    told = _texts(connection, q["odd_emails"])
    spelt = [normal_forms.email(t) for t in told]
    connection.register("standardise_odd_email", pa.table({
        "told": pa.array(told, pa.string()), "address": pa.array(spelt, pa.string()),
        "mailbox": pa.array([normal_forms.mailbox(a) if a else None for a in spelt], pa.string())}))  # fmt: skip


def _spell_phones(connection: duckdb.DuckDBPyConnection, country: str | None) -> None:
    q = queries("standardise")
    connection.execute(q["country"], {"country": country})
    told = connection.execute(q["phones"]).fetchall()
    spelt = [normal_forms.phone(text, told_country or country) for text, told_country in told]
    connection.register("standardise_spelt_phone", pa.table({
        "told": pa.array([text for text, _ in told], pa.string()),
        "country": pa.array([c for _, c in told], pa.string()),
        "e164": pa.array([p.e164 for p in spelt], pa.string()),
        "national": pa.array([p.national for p in spelt], pa.string())}))  # fmt: skip


def _texts(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [row[0] for row in connection.execute(query).fetchall()]
