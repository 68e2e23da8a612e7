"""The sample of `data/fixtures/files` reads as its README says, in every form, with the settings beside it."""

import tomllib
from pathlib import Path

import pytest

from models.records import Person
from tests.connectors.conformance import read
from tests.connectors.files.folder import EVERYTHING, source_over

FIXTURES = Path(__file__).parents[3] / "data" / "fixtures" / "files"


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_the_sample_lands_with_its_reasons(form: str) -> None:
    site = tomllib.loads((FIXTURES / "site.toml").read_text(encoding="utf-8"))
    pattern = site["sources"]["files"]["patterns"]["members"] | {"files": f"members_*.{form}"}
    told = read(source_over(FIXTURES, members=pattern), EVERYTHING)
    assert told.ids("person") == [f"members:M-100{number}" for number in (1, 2, 3, 4)]
    assert [(refusal.source_id, reason.path) for refusal in told.refused for reason in refusal.reasons] == [
        ("members:M-1005", "Points"),
        (None, "Member No"),
    ]
    nora = told.records[0].body
    assert isinstance(nora, Person)
    assert [(one.channel, one.status) for one in nora.consents] == [("email", "opt_in"), ("sms", "opt_out")]
    assert nora.attributes == {"Shoe size": "38"}
