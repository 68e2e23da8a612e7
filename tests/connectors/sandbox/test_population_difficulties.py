"""Each label of the truth says what is the case with the record."""

from pathlib import Path
from typing import Protocol

import phonenumbers
import polars as pl
import pytest

from connectors.sandbox.population import Population, PopulationSpec, Rates, read, write
from connectors.sandbox.population.slips import NEIGHBOURS, alphabet, ear, finger, wrong_digit

KEY = ["system", "object", "source_id"]
OFTEN = Rates(
    twins=0.3, jr_sr=0.3, namesake=0.2, recycled_phone=0.1, recreated_account=0.1, two_accounts=0.1, staff_card=0.2
)


class Labelled(Protocol):
    def __call__(self, difficulty: str) -> pl.DataFrame: ...


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    folder = tmp_path_factory.mktemp("difficulties")
    write(PopulationSpec(seed=2, people=4_000, rates=OFTEN), folder)
    return read(folder)


@pytest.fixture(scope="module")
def everything(population: Population) -> pl.DataFrame:
    """The records beside the truth about them (`..._true`), without the protagonists."""
    return (
        population.records.join(population.truth, on=KEY)
        .join(population.people, on="person_id", how="left", suffix="_true")
        .filter(~pl.col("person_id").str.starts_with("story-"))
        .collect()
    )


@pytest.fixture(scope="module")
def labelled(everything: pl.DataFrame) -> Labelled:
    def choose(difficulty: str) -> pl.DataFrame:
        rows = everything.filter(pl.col("difficulties").list.contains(difficulty))
        assert len(rows), f"nothing is labelled {difficulty}"
        return rows

    return choose


def _number(told: str, country: str) -> str:
    return phonenumbers.format_number(phonenumbers.parse(told, country), phonenumbers.PhoneNumberFormat.E164)


def test_household_mailboxes_are_nobodys_own(labelled: Labelled) -> None:
    rows = labelled("household_email").filter(~pl.col("difficulties").list.contains("keyboard_typo"))
    assert (rows["email"] != rows["email_true"]).all()
    shared = rows.group_by("email").agg(homes=pl.col("household_id").n_unique(), people=pl.col("person_id").n_unique())
    assert shared["homes"].max() == 1
    assert (shared["people"] > 1).mean() > 0.3


def test_household_numbers_belong_to_one_home(labelled: Labelled) -> None:
    rows = labelled("household_phone").filter(~pl.col("difficulties").list.contains("keyboard_typo"))
    numbers = [_number(told, country) for told, country in rows.select("phone", "country_true").iter_rows()]
    homes = rows.with_columns(number=pl.Series(numbers)).group_by("number").agg(pl.col("household_id").n_unique())
    assert homes["household_id"].max() == 1


def test_twins_are_born_on_one_day_into_one_home_and_have_two_names(labelled: Labelled) -> None:
    people = labelled("twins").unique("person_id")
    pairs = people.group_by("household_id", "birth_date_true").agg(pl.len(), pl.col("given_name_true").n_unique())
    assert pairs["len"].max() == 2
    assert (pairs["given_name_true"] == pairs["len"]).all()


def test_father_and_son_share_a_name_and_nothing_but_years_divide_them(labelled: Labelled) -> None:
    people = labelled("jr_sr").unique("person_id")
    pairs = people.group_by("household_id").agg(
        pl.col("given_name_true").n_unique(),
        pl.col("birth_date_true").max() - pl.col("birth_date_true").min(),
        pl.len(),
    )
    assert (pairs["given_name_true"] == 1).all()
    assert (pairs.filter(pl.col("len") == 2)["birth_date_true"].dt.total_days() > 19 * 365).all()


def test_namesakes_are_strangers(labelled: Labelled) -> None:
    people = labelled("namesake").unique("person_id")
    groups = people.group_by("given_name_true", "family_name_true", "country_true").agg(
        pl.col("household_id").n_unique()
    )
    assert groups["household_id"].min() >= 2


def test_a_maiden_name_is_another_name(labelled: Labelled) -> None:
    rows = labelled("married_name")
    assert (rows["sex_true"] == "F").all()
    told = rows.filter(pl.col("family_name").is_not_null())
    assert (told["family_name"] != told["family_name_true"]).mean() > 0.95


def test_an_old_address_is_another_address(labelled: Labelled) -> None:
    rows = labelled("moved")
    assert (rows["postcode"] != rows["postcode_true"]).mean() > 0.9


def test_a_recycled_number_is_told_by_two_people(everything: pl.DataFrame) -> None:
    rows = everything.filter(
        pl.col("difficulties").list.contains("recycled_phone") & ~pl.col("difficulties").list.contains("keyboard_typo")
    )
    numbers = [_number(told, country) for told, country in rows.select("phone", "country_true").iter_rows()]
    owners = (
        rows.with_columns(number=pl.Series(numbers))
        .group_by("number")
        .agg(pl.col("person_id").n_unique(), pl.col("household_id").n_unique())
    )
    assert owners["person_id"].max() == 2
    assert (owners["person_id"] == owners["household_id"]).all()


def test_two_accounts_of_one_person_have_two_mailboxes(labelled: Labelled) -> None:
    accounts = labelled("two_accounts").group_by("system", "person_id").agg(pl.len(), pl.col("email").n_unique())
    assert (accounts["len"] == 2).all()
    assert (accounts["email"] == 2).all()


def test_a_recreated_account_replaces_a_deleted_one(labelled: Labelled) -> None:
    pairs = (
        labelled("recreated_account")
        .sort("created_at")
        .group_by("system", "person_id", maintain_order=True)
        .agg(
            pl.col("deleted_at").first(),
            born=pl.col("created_at").last(),
            living=pl.col("deleted_at").last(),
            rows=pl.len(),
        )
    )
    assert (pairs["rows"] == 2).all()
    assert (pairs["born"] > pairs["deleted_at"]).all()
    assert pairs["living"].is_null().all()


def test_two_cards_are_two_loyalty_numbers_of_one_person(labelled: Labelled) -> None:
    cards = labelled("two_cards").group_by("person_id").agg(pl.col("loyalty_number").n_unique())
    assert (cards["loyalty_number"] == 2).all()


def test_a_clerks_card_is_not_the_buyers(population: Population) -> None:
    orders = population.orders.filter(pl.col("difficulties").list.contains("staff_card"))
    owners = population.loyalty.select(loyalty_number="account", owner="person_id")
    lent = orders.join(owners, on="loyalty_number").collect()
    assert len(lent)
    assert (lent["owner"] != lent["person_id"]).all()


def test_thin_guests_tell_one_thing_only(labelled: Labelled) -> None:
    told = ["given_name", "family_name", "full_name", "address_line", "street", "city", "birth_date", "organisation"]
    for difficulty, kept, empty in (
        ("guest_email_only", "email", "phone"),
        ("guest_phone_only", "phone", "email"),
    ):
        rows = labelled(difficulty)
        assert (rows["object"] == "guest").all()
        assert rows[kept].is_not_null().all()
        assert rows.select([*told, empty]).null_count().row(0) == (len(rows),) * (len(told) + 1)


def test_nicknames_and_initials_replace_the_given_name(labelled: Labelled) -> None:
    for difficulty in ("nickname", "initial_only"):
        told = labelled(difficulty).filter(pl.col("given_name").is_not_null())
        assert (told["given_name"] != told["given_name_true"]).mean() > 0.95
    assert labelled("initial_only")["given_name"].drop_nulls().str.len_chars().max() <= 2


def test_dropped_marks_are_gone(labelled: Labelled) -> None:
    rows = labelled("diacritics")
    assert set(rows["system"]) <= {"bigcommerce", "pos"}
    names = pl.concat([rows["given_name"], rows["family_name"], rows["full_name"]]).drop_nulls()
    assert not names.str.contains(r"[^\x00-\x7F]").any()


def test_other_spellings_differ_from_the_name(labelled: Labelled) -> None:
    rows = labelled("transliteration").filter(pl.col("family_name").is_not_null())
    same = (rows["given_name"] == rows["given_name_true"]) & (rows["family_name"] == rows["family_name_true"])
    assert same.mean() < 0.02


def test_swapped_names_and_dates_are_swapped(labelled: Labelled) -> None:
    names = labelled("swapped_names").filter(pl.col("difficulties").list.len() == 1, pl.col("given_name").is_not_null())
    assert (names["given_name"].str.to_lowercase() == names["family_name_true"].str.to_lowercase()).mean() > 0.9
    dates = labelled("birth_date_swap")
    swapped = dates["birth_date"].str.to_date()
    assert (swapped.dt.year() == dates["birth_date_true"].dt.year()).all()
    assert (swapped.dt.day() == dates["birth_date_true"].dt.month()).all()


def test_placeholders_are_told_by_many_and_never_as_the_mailbox_of_a_shop_account(labelled: Labelled) -> None:
    emails = labelled("placeholder_email")
    assert emails["email"].n_unique() <= 5
    assert not ((emails["object"] == "customer") & emails["system"].is_in(["bigcommerce", "commercetools"])).any()
    assert labelled("placeholder_phone")["phone"].n_unique() <= 5


def test_the_stores_address_is_where_many_live(labelled: Labelled) -> None:
    rows = labelled("store_address")
    assert set(rows["object"]) == {"card"}
    assert rows.group_by("store").agg(pl.col("postcode").n_unique())["postcode"].max() == 1


def test_companies_are_nobody(labelled: Labelled) -> None:
    rows = labelled("company")
    assert rows["organisation"].is_not_null().all()
    assert (
        rows.select("given_name", "family_name", "birth_date", "loyalty_number").null_count().row(0) == (len(rows),) * 4
    )


def test_records_without_a_label_tell_the_truth(everything: pl.DataFrame) -> None:
    plain = everything.filter(pl.col("difficulties").list.len() == 0, pl.col("given_name").is_not_null())
    for column in ("given_name", "family_name", "postcode"):
        told = plain.filter(pl.col(column).is_not_null(), pl.col("name_suffix_true").is_null())
        assert (told[column].str.to_uppercase() == told[f"{column}_true"].str.to_uppercase()).all(), column


def test_numbers_can_be_dialled(population: Population) -> None:
    people = population.people.collect()
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in people["phone"])


def test_a_number_reads_back_however_it_was_told(everything: pl.DataFrame) -> None:
    plain = everything.filter(pl.col("difficulties").list.len() == 0, pl.col("phone").is_not_null())
    plain = plain.filter(~pl.col("difficulties_true").list.contains("recycled_phone"))
    read_back = [_number(told, country) for told, country in plain.select("phone", "country_true").iter_rows()]
    assert (pl.Series(read_back) == plain["phone_true"]).mean() > 0.98


def test_names_are_common_and_rare(population: Population) -> None:
    american = population.people.filter(pl.col("country") == "US")
    homes = american.group_by("family_name").agg(pl.col("household_id").n_unique()).collect()["household_id"]
    assert homes.max() > 5
    assert (homes == 1).mean() > 0.6


@pytest.mark.parametrize("chance", [0.0, 0.1, 0.3, 0.49, 0.51, 0.77, 0.999])
def test_a_slip_changes_little(chance: float) -> None:
    slipped = finger("Katharina", chance)
    assert slipped != "Katharina"
    assert abs(len(slipped) - len("Katharina")) <= 1
    assert wrong_digit("+49 170 1234567", chance)[:9] == "+49 170 1"
    assert wrong_digit("+49 170 1234567", chance) != "+49 170 1234567"


def test_neighbours_on_the_keyboard() -> None:
    assert set("qwsz") <= set(NEIGHBOURS["a"])
    assert "p" not in NEIGHBOURS["a"]


def test_spelling_by_ear_and_in_another_alphabet() -> None:
    assert ear("Stephanie", 0.0) == "Stefanie"
    assert ear("Aj", 0.5) == "Aj"
    assert alphabet("Müller", [("ä", "ae"), ("ü", "ue")]) == "Mueller"
    assert alphabet("Smith", [("ü", "ue")]) == "Smith"


def test_what_is_written_reads_as_one_table_each(tmp_path: Path) -> None:
    write(PopulationSpec(people=50), tmp_path)
    assert read(tmp_path).records.collect().height > 50
