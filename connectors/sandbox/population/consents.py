"""Who may be written to: what people answered when they gave a contact point, and what they said later."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from connectors.sandbox.population.block import DAY, Block
from connectors.sandbox.population.draws import Bools, Floats, Ints, cumulate, pick
from connectors.sandbox.population.records import Records, moments, objects, words
from connectors.sandbox.population.texts import Texts, keep, known, texts

OPT_IN, OPT_OUT, PENDING, SILENT = "opt_in", "opt_out", "pending", None
_ANSWERS = texts([OPT_IN, OPT_OUT, PENDING, SILENT])
_EMAIL = cumulate(np.array([0.5, 0.2, 0.1, 0.2]))
_SMS = cumulate(np.array([0.2, 0.25, 0.0, 0.55]))


def consent_table(block: Block, records: Records) -> pl.DataFrame:
    """Consent events of a block, sorted by record and time. In Germany an opt-in is pending until it is confirmed."""
    parts = [
        _channel(block, records, "email", "email", _EMAIL),
        _channel(block, records, "sms", "phone", _SMS),
    ]
    return pl.concat(parts).sort("system", "object", "source_id", "at", "channel", "status")


@dataclass(frozen=True)
class _Answers:
    """What each row of the roll answers for one channel, and how it can be proved."""

    channel: str
    point: Texts
    double: Bools
    serial: Ints


def _channel(block: Block, records: Records, channel: str, column: str, weights: Floats) -> pl.DataFrame:
    roll, sheet = records.roll, records.sheet
    n, at, last = len(roll), roll.created, np.minimum(roll.deleted, block.end)
    answer = keep(sheet.has(column), _ANSWERS[pick(weights, block.draws.uniform(f"consent {channel}", n))])
    agrees = np.asarray(answer == OPT_IN, dtype=np.bool_)
    double = np.array([land.code == "DE" for land in block.countries])[roll.home] & agrees
    withdraws = agrees & block.draws.chance(f"consent {channel} withdrawn", 0.12, n) & ~roll.is_guest
    seconds = (block.draws.uniform(f"consent {channel} wait", n) * (last - at) / 1000).astype(np.int64)
    confirmed = np.where(double, np.minimum(at + 600_000, last), at)
    withdrawn = np.minimum(at + seconds * 1000 + DAY, last)
    answers = _Answers(channel, sheet.columns[column], double, block.draws.below(f"consent {channel} proof", 10**9, n))
    return pl.concat(
        [
            _events(records, answers, np.flatnonzero(double), texts([PENDING] * n), at),
            _events(records, answers, np.flatnonzero(known(answer)), answer, confirmed),
            _events(records, answers, np.flatnonzero(withdraws), texts([OPT_OUT] * n), withdrawn),
        ]
    )


def _events(records: Records, answers: _Answers, rows: Ints, status: Texts, at: Ints) -> pl.DataFrame:
    roll = records.roll
    names = texts(system.name for system in roll.systems)
    proofs = [
        f"doi-{number:09d}" if doubled and what == OPT_IN else f"form-{number:09d}" if what == OPT_IN else None
        for number, doubled, what in zip(answers.serial[rows], answers.double[rows], status[rows], strict=True)
    ]
    return pl.DataFrame(
        {
            "system": words(names[roll.system[rows]]),
            "object": words(objects(roll)[rows]),
            "source_id": words(roll.source_id[rows]),
            "contact_point": words(answers.point[rows]),
            "channel": pl.Series([answers.channel] * len(rows), dtype=pl.String),
            "brand": words(records.sheet.columns["brand"][rows]),
            "purpose": pl.Series(["marketing"] * len(rows), dtype=pl.String),
            "status": words(status[rows]),
            "at": moments(at[rows]),
            "proof": pl.Series(proofs, dtype=pl.String),
        }
    )
