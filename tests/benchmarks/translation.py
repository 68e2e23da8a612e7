"""Records a second through translation, on one core: every object of every source that is read over HTTP.

    python -m tests.benchmarks.translation [VENDOR ...] [--seconds 2]

The payloads are those that the sandbox serves in the vendor's conformance scenario. Each is read as from quarantine: its
JSON is parsed, validated and translated into our words. CPU seconds of this process, so that a busy machine counts less.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from connectors.sandbox.faults import Faults
from models.landing import Window
from models.ports import Source
from tests.connectors.conformance import PassingTime, Stage, read, scenario_of, vendors

ASKED = 15_000
"""Records a second that landing needs, so that translation is never what an import waits for."""
ROUNDS = 5


def measured(vendor: str, seconds: float) -> Iterator[tuple[str, int, float, float]]:
    """(object, payloads, kilobytes of the median payload, records a second) for each object of the vendor."""
    scenario = scenario_of(vendor)
    with (
        tempfile.TemporaryDirectory() as folder,
        scenario.stand(Stage(PassingTime(), Faults(), Path(folder))) as stand,
    ):
        told = read(stand.source, Window(until=scenario.cut))
        for name in stand.source.objects:
            payloads = [record.raw for record in told.records if record.key.object == name]
            if payloads:
                size = statistics.median(map(len, payloads)) / 1000
                yield name, len(payloads), size, _best(stand.source, name, payloads, seconds / ROUNDS)


def _best(source: Source, name: str, payloads: list[str], seconds: float) -> float:
    """The best of a few rounds: what disturbs a round only slows it."""
    return max(_rate(source, name, payloads, seconds) for _ in range(ROUNDS))


def _rate(source: Source, name: str, payloads: list[str], seconds: float) -> float:
    done, began = 0, time.process_time()
    for done, payload in enumerate(cycle(payloads), start=1):
        source.translate(name, payload)
        if done % 256 == 0 and time.process_time() - began >= seconds:
            break
    return done / (time.process_time() - began)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("vendors", nargs="*")
    asked = parser.parse_args()
    print(f"{'source':<15}{'object':<20}{'payloads':>9}{'kB each':>9}{'records/s':>11}  at least {ASKED:,}")
    for vendor in asked.vendors or vendors():
        for name, payloads, size, rate in measured(vendor, asked.seconds):
            met = "yes" if rate >= ASKED else "no"
            print(f"{vendor:<15}{name:<20}{payloads:>9}{size:>9.2f}{rate:>11,.0f}  {met}")


if __name__ == "__main__":
    main()
