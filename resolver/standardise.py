"""Standardise what sources tell. derived.told -> derived.record"""

from resolver import standard_form
from resolver.run import Run
from resolver.warehouse import queries


def records(run: Run) -> None:
    """Rebuild the standardised records; cleaning is the same for every source."""
    run.warehouse.execute(queries("standardise")["start_again"])
    standard_form.people(run.warehouse, "derived.told", "derived.record", run.policy.default_country)
