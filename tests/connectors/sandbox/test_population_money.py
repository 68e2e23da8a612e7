"""Money adds up and points are never overdrawn, whatever the seed."""

from datetime import timedelta
from functools import cache

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sandbox.population import PopulationSpec, Presence, tables

BUSY = Presence(orders_per_account=4, orders_per_card=8, anonymous_receipts=0.2)
SEEDS = st.integers(min_value=0, max_value=2**32)
FEW = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def drawn(seed: int) -> dict[str, pl.DataFrame]:
    return dict(tables(PopulationSpec(seed=seed, people=120, block_people=120, presence=BUSY), 0).tables)


def _sum(column: str, field: str) -> pl.Expr:
    return pl.col(column).list.eval(pl.element().struct.field(field)).list.sum()


@FEW
@given(SEEDS)
def test_lines_discounts_and_taxes_make_the_total_and_tenders_pay_it(seed: int) -> None:
    orders = drawn(seed)["orders"].with_columns(
        net=_sum("lines", "amount_minor"),
        off=_sum("discounts", "amount_minor"),
        tax=_sum("taxes", "amount_minor"),
        line_tax=_sum("lines", "tax_minor"),
        paid=_sum("tenders", "amount_minor"),
    )
    assert (orders["net"] - orders["off"] + orders["tax"] == orders["total_minor"]).all()
    assert (orders["net"] == orders["lines_total_minor"]).all()
    assert (orders["off"] == orders["discount_minor"]).all()
    assert (orders["tax"] == orders["tax_minor"]).all()
    assert (orders["line_tax"] == orders["tax_minor"]).all()
    assert (orders["paid"] == orders["total_minor"]).all()
    assert (orders["total_minor"] > 0).all()


@FEW
@given(SEEDS)
def test_a_line_is_quantity_times_price_less_its_discount(seed: int) -> None:
    lines = drawn(seed)["orders"].select("lines").explode("lines").unnest("lines")
    assert (lines["quantity"] * lines["unit_price_minor"] - lines["discount_minor"] == lines["amount_minor"]).all()
    assert (lines["quantity"] >= 1).all()
    assert (lines["amount_minor"] > 0).all()


@FEW
@given(SEEDS)
def test_returns_name_lines_of_their_order_and_refunds_stay_below_the_total(seed: int) -> None:
    orders = drawn(seed)["orders"].with_columns(
        refunded=_sum("refunds", "amount_minor"), back=_sum("returns", "amount_minor")
    )
    assert (orders["refunded"] <= orders["total_minor"]).all()
    assert (orders["back"] <= orders["refunded"]).all()
    lines = (
        orders.select("order_id", "lines")
        .explode("lines")
        .unnest("lines")
        .select("order_id", "line", bought="quantity")
    )
    returns = (
        orders.filter(pl.col("returns").list.len() > 0)
        .select("order_id", "returns")
        .explode("returns")
        .unnest("returns")
    )
    joined = returns.join(lines, on=["order_id", "line"], how="left")
    assert joined["bought"].null_count() == 0
    assert (joined["quantity"] <= joined["bought"]).all()
    assert (joined["quantity"] >= 1).all()


@FEW
@given(SEEDS)
def test_cancelled_orders_are_refunded_and_bring_nothing(seed: int) -> None:
    orders = drawn(seed)["orders"].with_columns(refunded=_sum("refunds", "amount_minor"))
    cancelled = orders.filter(pl.col("status") == "cancelled")
    assert (cancelled["refunded"] == cancelled["total_minor"]).all()
    assert cancelled["points_earned"].sum() == 0
    assert cancelled["fulfilments"].list.len().sum() == 0
    assert (orders.filter(pl.col("status").is_in(["completed", "shipped"]))["refunded"] == 0).all()


@FEW
@given(SEEDS)
def test_no_balance_is_ever_below_zero_and_all_are_the_sum_of_their_entries(seed: int) -> None:
    frames = drawn(seed)
    entries = frames["loyalty_entries"].with_columns(running=pl.col("points").cum_sum().over("account"))
    assert (entries["running"] >= 0).all()
    waits = entries.select(pl.col("at").diff().over("account")).to_series().drop_nulls()
    assert (waits >= timedelta()).all()
    sums = entries.group_by("account").agg(pl.col("points").sum())
    joined = frames["loyalty"].join(sums, on="account", how="full")
    assert joined["points"].null_count() == 0
    assert (joined["points"] == joined["balance"]).all()
    assert not entries["external_id"].is_duplicated().any()


@FEW
@given(SEEDS)
def test_points_of_orders_and_entries_agree(seed: int) -> None:
    frames = drawn(seed)
    orders = frames["orders"].select("system", "order_id", "loyalty_number", "points_earned", "points_redeemed")
    for kind, column, sign in (("earn", "points_earned", 1), ("redeem", "points_redeemed", -1)):
        entries = frames["loyalty_entries"].filter(pl.col("kind") == kind)
        joined = orders.filter(pl.col(column) > 0).join(
            entries, left_on=["system", "order_id"], right_on=["order_system", "order_id"], how="full", coalesce=True
        )
        assert joined["points"].null_count() == joined[column].null_count() == 0
        assert (joined[column] * sign == joined["points"]).all()
        assert (joined["loyalty_number"] == joined["account"]).all()


@FEW
@given(SEEDS)
def test_redeemed_points_pay(seed: int) -> None:
    orders = drawn(seed)["orders"]
    tenders = orders.select("order_id", "points_redeemed", "tenders").explode("tenders").unnest("tenders")
    paid = tenders.filter(pl.col("kind") == "loyalty")["order_id"]
    assert set(paid) == set(orders.filter(pl.col("points_redeemed") > 0)["order_id"])


def test_yen_have_no_decimals_and_prices_end_in_zero() -> None:
    spec = PopulationSpec(people=200, countries={"JP": 1})
    orders = tables(spec, 0).tables["orders"].filter(pl.col("currency") == "JPY")
    assert orders["decimals"].unique().to_list() == [0]
    prices = orders.select("lines").explode("lines").unnest("lines")["unit_price_minor"]
    assert (prices % 10 == 0).all()
    assert prices.max() < 50_000


@pytest.mark.parametrize("country", ["US", "GB", "DE", "FR", "NL", "LV", "PL", "JP"])
def test_every_country_can_stand_alone(country: str) -> None:
    spec = PopulationSpec.model_validate({"people": 200, "countries": {country: 1}})
    people = tables(spec, 0).tables["people"].filter(~pl.col("person_id").str.starts_with("story-"))
    assert people["country"].unique().to_list() == [country]


def test_consents_belong_to_records_and_their_contact_points() -> None:
    frames = drawn(11)
    joined = frames["consents"].join(frames["records"], on=["system", "object", "source_id"], how="left")
    told = pl.when(pl.col("channel") == "email").then(pl.col("email")).otherwise(pl.col("phone"))
    assert joined.select((told == pl.col("contact_point")).all()).item()
    assert joined.select((pl.col("at") >= pl.col("created_at")).all()).item()
    german = joined.filter(
        pl.col("country") == "DE", pl.col("status") == "opt_in", ~pl.col("source_id").str.starts_with("C0000000")
    )
    assert german["proof"].str.starts_with("doi-").all()
