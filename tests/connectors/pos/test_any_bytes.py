"""Whatever lies in the folder, reading it gives records and refusals, and reading a payload again gives the same."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.landing import Window
from tests.connectors.pos.tills import FIXTURES, UNTIL, tills

FILES = sorted(path for path in FIXTURES.iterdir() if path.suffix in (".xml", ".csv"))
SPLINTERS = (
    b"<",
    b">",
    b'"',
    b",",
    b"\n",
    b"\x00",
    b"\xff",
    b"-",
    b"9" * 30,
    b"\xed\xa0\x80",
    b"]]>",
    b"&#0;",
    b"T",
    b"",
)


@settings(max_examples=150, deadline=None)
@given(
    file=st.sampled_from(FILES),
    place=st.floats(0, 1, exclude_max=True),
    length=st.integers(0, 60),
    splinter=st.sampled_from(SPLINTERS) | st.binary(max_size=8),
)
def test_damage_anywhere_is_a_refusal_and_never_a_crash(
    file: Path, place: float, length: int, splinter: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = file.read_bytes()
    at = int(place * len(data))
    folder = tmp_path_factory.mktemp("bytes")
    (folder / file.name).write_bytes(data[:at] + splinter + data[at + length :])
    (folder / f"members{file.suffix}").write_bytes(data[at:])
    (folder / "points.csv").write_bytes(data[at:] + os.linesep.encode() + data)
    source = tills(folder)
    for object_ in source.objects:
        for page in source.pages(object_, Window(until=UNTIL)):
            for record in page.records:
                assert source.translate(object_, record.raw) == record
            for refusal in page.refused:
                assert source.translate(object_, refusal.raw) == refusal
