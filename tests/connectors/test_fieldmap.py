"""A field map is read strictly, and maps without guessing."""

from pathlib import Path
from typing import Any

import pytest

from connectors.aptos.destination import read_map as read_aptos_map
from connectors.fieldmap import FieldMap, Use, WrongMap, load
from connectors.fieldmap_schema import Masking
from connectors.novomind.destination import read_map as read_novomind_map
from connectors.payload import canonical, holds, read_path, write_path
from connectors.transforms import TRANSFORMS

HEAD = """
version = 1
[transport]
token_path = "/token"
[problem]
code = "code"
[operations."thing.put"]
method = "PUT"
path = "/things/{key}"
[[errors]]
status = "4xx"
class = "reject"
[lookups.codes]
a = "ALPHA"
[lookups.open]
"*" = "<{value}>"
"""
USES = {"thing.put": Use("write", ("key",))}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "fieldmap.toml"


def read(site: Path, *fields: str, head: str = HEAD, tail: str = "", objects: tuple[str, ...] = ("thing",)) -> FieldMap:
    listed = ",\n".join(f"{{ {field} }}" for field in fields)
    site.write_text(f"{head}\n[objects.thing]\nfields = [\n{listed}\n]\n{tail}", encoding="utf-8")
    return load(site, FieldMap, USES, objects)


def filled(site: Path, subject: dict[str, Any], *fields: str, tail: str = "") -> dict[str, Any]:
    return read(site, *fields, tail=tail).fill("thing", subject).payload


def refusal(site: Path, *fields: str, head: str = HEAD, tail: str = "") -> str:
    with pytest.raises(WrongMap) as refused:
        read(site, *fields, head=head, tail=tail)
    return str(refused.value)


def test_a_wrong_key_is_refused_with_its_path_and_the_known_ones(site: Path) -> None:
    told = refusal(site, 'from = "a", to = "b"', 'from = "a", to = "b", maximum = 3')
    assert "fieldmap.toml: objects.thing.fields.1: " in told
    assert "unknown key maximum" in told
    assert "max, min" in told


def test_a_wrong_transform_is_refused_with_its_path_and_the_known_ones(site: Path) -> None:
    told = refusal(site, 'from = "a", to = "b", transform = "isodate"')
    assert "objects.thing.fields.0" in told
    assert "'isodate'" in told
    assert all(name in told for name in TRANSFORMS)


def test_an_option_that_says_nothing_to_the_transform_is_refused(site: Path) -> None:
    told = refusal(site, 'from = "a", to = "b", transform = "iso_date", types = { primary = "X" }')
    assert "types says nothing to transform 'iso_date'" in told


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (
            HEAD.replace('method = "PUT"', 'method = "PATCH"'),
            "operations.thing.put.method: Input should be 'GET', 'PUT'",
        ),
        (HEAD.replace('method = "PUT"', 'method = "GET"'), "operations.thing.put.method: GET does not write"),
        (HEAD.replace("{key}", "{id}"), "{id} cannot be filled; allowed: key"),
        (HEAD.replace('"thing.put"', '"thing.send"'), "operations.thing.send: not known; allowed: thing.put"),
        (HEAD.replace('"thing.put"', '"thing.send"'), "operations.thing.put: missing"),
        (HEAD.replace('class = "reject"', 'class = "ignore"'), "errors.0.class: Input should be 'absent', 'conflict'"),
        (HEAD.replace("[transport]", "[transport]\nretries = 3"), "transport: Value error, unknown key retries"),
        (HEAD.replace("version = 1", "version ="), "Invalid value"),
        (
            HEAD.replace("[problem]", 'headers = { X = "{token}" }\n[problem]'),
            "headers: token cannot be filled; allowed:",
        ),
    ],
)
def test_other_wrong_values_are_refused_with_path_and_allowed_values(site: Path, wrong: str, expected: str) -> None:
    assert expected in refusal(site, 'from = "a", to = "b"', head=wrong)


def test_an_object_that_the_code_needs_must_be_there(site: Path) -> None:
    with pytest.raises(WrongMap, match=r"objects\.other: missing"):
        read(site, 'from = "a", to = "b"', objects=("thing", "other"))


@pytest.mark.parametrize("option", ["each", "lookup"])
def test_a_reference_to_nothing_is_refused_with_what_there_is(site: Path, option: str) -> None:
    told = refusal(site, f'from = "a", to = "b", {option} = "nowhere"')
    assert f"thing: b: {option}: 'nowhere' does not exist" in told
    assert ("thing" if option == "each" else "codes") in told


def test_an_owner_is_golden_or_target(site: Path) -> None:
    told = refusal(site, 'from = "a", to = "b"', tail='owner = { b = "them" }')
    assert "objects.thing.owner.b: Input should be 'golden' or 'target'" in told


def test_from_or_value_but_not_both(site: Path) -> None:
    assert "exactly one of: from, value" in refusal(site, 'from = "a", value = "c", to = "b"')


def test_the_shipped_maps_are_accepted() -> None:
    assert read_aptos_map().version == read_novomind_map().version == 1


def test_the_fingerprint_changes_with_what_the_map_says_and_not_with_how_it_is_written(site: Path) -> None:
    one = read(site, 'from = "a", to = "b"').fingerprint
    assert read(site, 'to = "b", from = "a"', head="# a remark" + HEAD).fingerprint == one
    assert read(site, 'from = "a", to = "c"').fingerprint != one


def test_what_cannot_be_sent_says_so_in_its_own_text(site: Path) -> None:
    thing = read(site, 'from = "a", to = "x", required = true', 'from = "b", to = "y"')
    assert thing.fill("thing", {"a": "1", "b": "2"}).text == '{"x":"1","y":"2"}'
    assert thing.fill("thing", {"b": "2"}).text == (
        '{"payload":{"y":"2"},"unmapped":[{"path":"x","problem":"required, but a has no value"}]}'
    )


def test_values_go_from_path_to_path(site: Path) -> None:
    subject = {"name": {"first": "Ana"}, "list": ["x", "y"]}
    fields = ('from = "name.first", to = "person.given"', 'from = "list.1", to = "second"', 'value = "K", to = "kind"')
    assert filled(site, subject, *fields) == {"person": {"given": "Ana"}, "second": "y", "kind": "K"}


def test_what_is_absent_is_left_out_nulled_or_emptied_as_the_map_says(site: Path) -> None:
    fields = ('from = "a", to = "a"', 'from = "b", to = "b", absent = "null"', 'from = "c", to = "c", absent = "list"')
    assert filled(site, {"a": "", "b": None}, *fields) == {"b": None, "c": []}


def test_what_the_target_owns_and_what_is_volatile_is_never_written(site: Path) -> None:
    fields = ('from = "a", to = "deep.a"', 'from = "a", to = "b"', 'from = "a", to = "c"')
    tail = 'owner = { deep = "target", c = "golden" }\nhash = { exclude = ["b"] }'
    assert filled(site, {"a": "1"}, *fields, tail=tail) == {"c": "1"}


def test_an_optional_value_is_cut_and_a_required_one_is_refused(site: Path) -> None:
    fields = ('from = "a", to = "cut", max = 3', 'from = "a", to = "key", max = 3, required = true')
    result = read(site, *fields).fill("thing", {"a": "abcdef"})
    assert result.payload == {"cut": "abc"}
    assert [(reason.path, "longer than 3" in reason.problem) for reason in result.problems] == [("key", True)]


def test_a_required_value_that_is_missing_is_a_problem_with_its_path(site: Path) -> None:
    result = read(site, 'from = "a.b", to = "x", required = true').fill("thing", {})
    assert [(reason.path, reason.problem) for reason in result.problems] == [("x", "required, but a.b has no value")]


def test_one_of_a_group_is_enough(site: Path) -> None:
    thing = read(site, 'from = "a", to = "x", required_any = "name"', 'from = "b", to = "y", required_any = "name"')
    assert thing.fill("thing", {"b": "1"}).problems == ()
    (reason,) = thing.fill("thing", {}).problems
    assert (reason.path, reason.problem) == ("x", "one of x, y is required")


def test_lookups_translate_and_do_not_guess(site: Path) -> None:
    thing = read(site, 'from = "a", to = "x", lookup = "codes"', 'from = "a", to = "y", lookup = "open"')
    assert thing.fill("thing", {"a": "a"}).payload == {"x": "ALPHA", "y": "<a>"}
    unknown = thing.fill("thing", {"a": "zz-secret"})
    assert unknown.payload == {"y": "<zz-secret>"}
    assert [reason.path for reason in unknown.problems] == ["x"]
    assert "secret" not in unknown.problems[0].problem


def test_numbers_do_not_fall_below_their_floor(site: Path) -> None:
    assert filled(site, {"a": -5, "b": 7}, 'from = "a", to = "a", min = 0', 'from = "b", to = "b", min = 0') == {
        "a": 0,
        "b": 7,
    }


def test_nothing_else_of_a_table_passes_than_what_is_allowed(site: Path) -> None:
    assert filled(site, {"a": {"x": "1", "z": "2"}}, 'from = "a", to = "a", allow = ["x", "y"]') == {"a": {"x": "1"}}


def test_a_bad_item_of_a_list_is_a_problem_that_says_which(site: Path) -> None:
    tail = '[objects.item]\nfields = [{ from = "v", to = "w", required = true }]'
    result = read(site, 'from = "a", to = "a", each = "item"', tail=tail).fill("thing", {"a": [{"v": "1"}, {}]})
    assert [(reason.path, reason.problem) for reason in result.problems] == [
        ("a", "item 1: w: required, but v has no value")
    ]


def test_texts_without_a_bound_of_their_own_take_the_common_one(site: Path) -> None:
    fields = ('from = "a", to = "a"', 'from = "a", to = "b", max = 5')
    assert filled(site, {"a": "abcdef"}, *fields, tail="[limits]\ntext = 3") == {"a": "abc", "b": "abcde"}


def test_errors_are_read_in_their_order(site: Path) -> None:
    head = HEAD.replace("[[errors]]", '[[errors]]\nstatus = "409"\ncode = "taken"\nclass = "conflict"\n[[errors]]', 1)
    thing = read(site, 'from = "a", to = "a"', head=head)
    assert thing.move(409, "taken") == "conflict"
    assert thing.move(409, "other") == "reject"
    assert thing.move(503, None) is None


@pytest.mark.parametrize(
    ("transform", "told", "sent"),
    [
        ("iso_date", "2026-03-14T17:01:45Z", "2026-03-14"),
        ("e164_list", ["0150 1234", "+4915112345678", "+4915112345678"], ["+4915112345678"]),
        ("typed_list", ["b@x", "a@x"], ["a@x", "b@x"]),
        (
            "consent_summary",
            [
                {"channel": "email", "brand": "b", "status": "opt_in"},
                {"channel": "email", "brand": "b", "status": "opt_out"},
                {"channel": "sms", "brand": None, "status": "pending"},
            ],
            "email/b: opt_out; sms: pending",
        ),
    ],
)
def test_transforms(site: Path, transform: str, told: Any, sent: Any) -> None:
    pick = ', pick = "value"' if transform.endswith("list") else ""
    assert filled(site, {"a": told}, f'from = "a", to = "x", transform = "{transform}"{pick}') == {"x": sent}


def test_a_date_that_is_none_is_a_problem_without_its_value(site: Path) -> None:
    (reason,) = read(site, 'from = "a", to = "x", transform = "iso_date"').fill("thing", {"a": "2026-02-30"}).problems
    assert (reason.path, "2026" in reason.problem) == ("x", False)


def test_an_address_without_any_line_is_left_out(site: Path) -> None:
    subject = {"a": [{"country": "DE"}, {"city": "Köln", "country": "DE"}]}
    (address,) = filled(site, subject, 'from = "a", to = "x", transform = "address_list"')["x"]
    assert (address["city"], address["line1"]) == ("Köln", None)


def test_only_allowed_kinds_of_record_become_keys(site: Path) -> None:
    field = 'from = "a", to = "x", transform = "alternate_keys", primary = "id", allow = ["customer"]'
    keys = filled(site, {"id": "P1", "a": ["s:order:1", "s:customer:9:b"]}, field)["x"]
    assert keys == [{"system": "golden", "value": "P1"}, {"system": "s:customer", "value": "9:b"}]


def test_masks_reach_every_depth() -> None:
    told = {
        "birth_date": "1984-02-29",
        "orders": [
            {
                "tenders": [1],
                "person": {"addresses": [{"line1": "1 Row", "city": "X", "postcode": "1", "country": "GB"}]},
            }
        ],
        "contact_points": [{"kind": "phone", "value": "+1"}, {"kind": "email", "value": "a@x"}],
        "consents": [{"contact_point": "+1", "channel": "sms"}],
        "phones": ["+1"],
    }
    masking = Masking(birth_date="drop", payment="drop", address="city_and_postal", phone="drop")
    assert masking.apply(told) == {
        "orders": [{"person": {"addresses": [{"city": "X", "postcode": "1"}]}}],
        "contact_points": [{"kind": "email", "value": "a@x"}],
        "consents": [{"channel": "sms"}],
    }
    assert "birth_date" in told


def test_equal_content_is_equal_text() -> None:
    assert canonical({"b": 1, "a": {"d": 1, "c": 2}}) == canonical({"a": {"c": 2, "d": 1}, "b": 1})


@pytest.mark.parametrize(
    ("held", "sent", "expected"),
    [
        ({"a": 1, "more": 2}, {"a": 1}, True),
        ({}, {"a": None}, True),
        ({"a": 1}, {"a": None}, False),
        ({"a": [{"x": 1, "id": 7}, {"x": 2}]}, {"a": [{"x": 2}, {"x": 1}]}, True),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": "1"}, {"a": {"b": 1}}, False),
    ],
)
def test_holding_means_having_all_that_was_sent(held: Any, sent: Any, expected: bool) -> None:
    assert holds(held, sent) is expected


def test_paths_that_lead_nowhere_hold_nothing() -> None:
    payload: dict[str, Any] = {}
    write_path(payload, "a.b.c", 1)
    assert payload == {"a": {"b": {"c": 1}}}
    assert read_path(payload, "a.x.c") is None
    assert read_path({"a": ["x"]}, "a.7") is None
