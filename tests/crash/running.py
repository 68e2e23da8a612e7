"""The program that crash tests kill: python -m tests.crash.running WAREHOUSE CRM-URL STEP...

Steps are `resolve` and `announce`. It says each progress on standard output, so that whoever watches knows where it is.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from connectors.aptos import sandbox
from connectors.aptos.destination import Settings, connect
from models.landing import SourceRecord
from models.ports import Destination
from resolver import pipeline, run, warehouse
from resolver.linkage import LinkageModel
from resolver.policy import Policy, PublishingPolicy
from tests.telling import tellings, told

NAMES = (
    "Anna Lindqvist", "Bertram Okafor", "Chloe Dubois", "Dieter Vogel", "Esther Nakamura", "Farid Haddad",
    "Greta Kowalska", "Hugo Fernandes", "Ingrid Berzins", "Jasper de Wit", "Keiko Tanaka", "Liam Gallagher",
)  # fmt: skip
POLICY = Policy(publishing=PublishingPolicy(workers=2, receipts_per_commit=4))


def town() -> list[SourceRecord]:
    """Twelve people with an account at the till, an account in the shop and an order there."""
    said = []
    for n, full_name in enumerate(NAMES):
        given, _, family = full_name.partition(" ")
        name = {"given_name": given, "family_name": family, "loyalty_number": f"LC-10{n}"}
        said += [
            told({"record": f"pos:member:{n}", **name, "points": 10 * n}),
            told({"record": f"shop:customer:{n}", **name, "email": f"{family.lower().replace(' ', '.')}@x.example"}),
            told({"record": f"shop:order:{n}", "bought": {"customer": str(n)}}),
        ]
    return said


def crm(url: str) -> Destination:
    """The CRM's stand-in at this address."""
    secret = SecretStr(sandbox.CLIENT_SECRET)
    settings = Settings(base_url=url, client_id=sandbox.CLIENT_ID, client_secret=secret, requests_per_second=1000)
    return connect(settings, clock=_now, sleep=time.sleep)


def _now() -> datetime:
    return datetime.now(UTC)


def main(path: str, url: str, *steps: str) -> None:
    """Run the steps on the warehouse file."""
    with (
        warehouse.opened(Path(path), clock=_now) as connection,
        run.begun("run", connection, POLICY, LinkageModel.shipped(), _now, _say) as begun,
    ):
        if "resolve" in steps:
            pipeline.resolve(begun, tellings(town()))
        if "announce" in steps:
            pipeline.announce(begun, [crm(url)])


def _say(step: str, done: int, total: int | None) -> None:
    sys.stdout.write(f"{step} {done} {total}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
