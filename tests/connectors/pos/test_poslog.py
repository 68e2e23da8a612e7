"""A document may be anything: what is good in it is read, and nothing in it does harm."""

import io
import logging
import tracemalloc
from collections.abc import Iterator

import pytest

from connectors.drops import Damaged
from connectors.pos.poslog import Bounds, Transaction, transaction_of, transactions
from tests.connectors.pos.tills import poslog, refusal, transaction

BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE POSLog [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><POSLog>&i;</POSLog>"
)


class Endless(io.BytesIO):
    """A file that goes on for ever, and remembers how much was taken from it."""

    def __init__(self, beginning: bytes, more: bytes) -> None:
        super().__init__()
        self._pending = beginning
        self._more = more
        self.given = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0, "nobody can read all of it"
        while len(self._pending) < size:
            self._pending += self._more
        taken, self._pending = self._pending[:size], self._pending[size:]
        self.given += len(taken)
        return taken


def read(text: str | bytes, bounds: Bounds | None = None) -> Iterator[Transaction]:
    data = text if isinstance(text, bytes) else text.encode()
    return transactions(io.BytesIO(data), bounds or Bounds())


def damage(text: str | bytes, bounds: Bounds | None = None) -> str:
    with pytest.raises(Damaged) as caught:
        list(read(text, bounds))
    return str(caught.value)


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE POSLog><POSLog/>",
        '<!DOCTYPE POSLog SYSTEM "http://127.0.0.1:9/x.dtd"><POSLog/>',
        '<!DOCTYPE POSLog [<!ENTITY ext SYSTEM "file:///etc/hostname">]><POSLog>&ext;</POSLog>',
        '<!DOCTYPE POSLog [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]><POSLog/>',
        BILLION_LAUGHS,
    ],
)
def test_a_doctype_is_refused_before_anything_in_it_is_used(document: str) -> None:
    assert "DOCTYPE" in damage(document)
    assert "DOCTYPE" in refusal(document).reasons[0].problem


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8-sig", "utf-7", "cp037"])
@pytest.mark.parametrize("declared", ["", '<?xml version="1.0" encoding="{}"?>'])
def test_no_encoding_hides_a_doctype_in_a_payload(encoding: str, declared: str) -> None:
    document = declared.format(encoding) + '<!DOCTYPE t [<!ENTITY a "ha">]><Transaction>&a;</Transaction>'
    with pytest.raises(Damaged):
        transaction_of(document.encode(encoding).decode("latin-1"), Bounds())


def test_the_letters_of_a_doctype_in_a_text_harm_nobody() -> None:
    record = transaction_of("<Transaction><Note><![CDATA[<!DOCTYPE a>]]></Note></Transaction>", Bounds())
    assert record.element.findtext("Note") == "<!DOCTYPE a>"


def test_an_entity_that_nobody_declared_is_refused() -> None:
    assert "not well-formed" in damage("<POSLog>&boom;</POSLog>")


def test_elements_nested_too_deep_are_refused() -> None:
    deep = "<a>" * 100_000
    assert "deep" in damage(f"<POSLog><Transaction>{deep}")
    assert "deep" in refusal(f"<Transaction>{deep}{'</a>' * 100_000}</Transaction>").reasons[0].problem


def test_a_file_that_never_ends_a_transaction_is_left_after_the_agreed_size() -> None:
    file = Endless(b"<POSLog><Transaction><A>", b"x" * 65_536)
    with pytest.raises(Damaged, match="without the end of a transaction"):
        list(transactions(file, Bounds(transaction_bytes=1_000_000)))
    assert file.given < 1_500_000


def test_a_file_of_endless_transactions_is_left_after_the_agreed_size() -> None:
    file = Endless(b"<POSLog>", transaction().encode())
    found: list[Transaction] = []
    with pytest.raises(Damaged, match="longer than 300000 bytes"):
        found.extend(transactions(file, Bounds(file_bytes=300_000)))
    assert file.given < 400_000


def test_what_stands_before_the_damage_is_handed_out() -> None:
    whole = poslog(transaction(), transaction(head={"SequenceNumber": "0032"}), transaction())
    found = []
    with pytest.raises(Damaged, match="line 1"):
        for one in read(whole[:-250]):
            found.append(one)
    assert len(found) == 2


def test_a_problem_names_its_place_and_nothing_of_the_content() -> None:
    problem = damage(poslog(transaction("<Customer><Name>Petra Beispiel</Name>")))
    assert "Petra" not in problem
    assert "line 1, column" in problem


def test_a_file_that_is_no_poslog_is_refused() -> None:
    assert "neither POSLog nor Transaction" in damage("<html><body>503</body></html>")
    assert "not well-formed" in damage("")
    assert "encoding" in damage(b'<?xml version="1.0" encoding="no-such"?><POSLog/>')


def test_a_file_of_one_transaction_without_a_root_around_it_is_read() -> None:
    assert len(list(read(transaction()))) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_names_survive_the_encoding_that_the_document_names(encoding: str) -> None:
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?><POSLog>{transaction("<Name>Zoë</Name>")}</POSLog>'
    assert "Zoë" in next(read(text.encode(encoding))).raw


def test_indentation_and_prefixes_do_not_change_the_payload() -> None:
    plain = '<POSLog xmlns="urn:a"><Transaction><A>1</A><B/></Transaction></POSLog>'
    other = (
        '<p:POSLog xmlns:p="urn:a">\n  <p:Transaction>\n    <p:A>1</p:A>\n    <p:B/>\n  </p:Transaction>\n</p:POSLog>'
    )
    assert [one.raw for one in read(plain)] == [one.raw for one in read(other)]


def test_payment_cards_and_names_of_operators_never_land() -> None:
    body = (
        "<LineItem><Tender><CreditDebit><PrimaryAccountNumber>****1234</PrimaryAccountNumber>"
        "<Track2Data>5</Track2Data></CreditDebit></Tender></LineItem>"
        "<LoyaltyAccount><LoyaltyCard><PrimaryAccountNumber>LC-1</PrimaryAccountNumber></LoyaltyCard></LoyaltyAccount>"
    )
    raw = next(
        read(
            poslog(
                transaction(body, head={"OperatorID": "9"}).replace("<OperatorID>", '<OperatorID OperatorName="Kim">')
            )
        )
    ).raw
    assert "Kim" not in raw
    assert "1234" not in raw
    assert "Track2Data" not in raw
    assert "LC-1" in raw


def test_a_transaction_within_a_transaction_is_part_of_it() -> None:
    nested = transaction(f"<Original>{transaction()}</Original>")
    assert len(list(read(poslog(nested)))) == 1


def test_memory_does_not_grow_with_the_file() -> None:
    data = poslog(*[transaction()] * 4_000).encode()
    tracemalloc.start()
    assert sum(1 for _ in transactions(io.BytesIO(data), Bounds())) == 4_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000 < len(data) * 2


def test_nothing_is_logged_while_a_document_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    damage(BILLION_LAUGHS)
    assert not caplog.records
