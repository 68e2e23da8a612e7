"""A retail population with ground truth: who people are, what shops and tills tell of them, what they bought.

`write(spec, directory)` makes one of any size in bounded memory, the same bytes for the same spec; `read(directory)`
opens it; `protagonists(population)` names the people of the closing story.
"""

from connectors.sandbox.population.reader import Population, Protagonists, protagonists, read
from connectors.sandbox.population.spec import PopulationSpec, Presence, Rates
from connectors.sandbox.population.writer import Summary, tables, write, write_people

__all__ = [
    "Population",
    "PopulationSpec",
    "Presence",
    "Protagonists",
    "Rates",
    "Summary",
    "protagonists",
    "read",
    "tables",
    "write",
    "write_people",
]
