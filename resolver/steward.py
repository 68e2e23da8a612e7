"""A steward judges a pair of records; the answer outranks rules and weights. -> ledger.judgement

A merge is undone by a `non_match` between two of its records, a wrong split by a `match`; the next resolution moves the
records, and the ledger keeps both answers.
"""

from models.facts import Verdict
from resolver.explain import Unknown
from resolver.run import Run
from resolver.warehouse import queries

_QUERIES = queries("steward")


def judge(run: Run, one: str, other: str, verdict: Verdict, steward: str, why: str) -> None:
    """Record the steward's answer about two records. Raises Unknown if one of them is not there."""
    left, right = sorted((one, other))
    pair = {"left_record": left, "right_record": right}
    found = {record for (record,) in run.warehouse.execute(_QUERIES["known_records"], pair).fetchall()}
    if found != {left, right} or left == right:
        missing = sorted({left, right} - found) or [f"another record than {left}"]
        raise Unknown(f"No record {', '.join(missing)}. `resolver explain PROFILE` lists the records of a profile.")
    run.warehouse.execute(
        _QUERIES["append_judgement"],
        {
            **pair,
            "verdict": verdict,
            "judge": f"steward:{steward}",
            "why": why,
            "run_id": run.run_id,
            "recorded_at": run.clock(),
        },
    )
