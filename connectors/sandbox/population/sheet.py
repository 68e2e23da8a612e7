"""Records in the making: what is told, column by column, and the difficulties that apply to each."""

from dataclasses import dataclass, field

from connectors.sandbox.population.draws import Bools, Ints
from connectors.sandbox.population.texts import Texts, blank, known


@dataclass(frozen=True)
class Count:
    """How many units could have been affected by a difficulty, and how many are."""

    eligible: int
    affected: int

    def __add__(self, other: "Count") -> "Count":
        return Count(self.eligible + other.eligible, self.affected + other.affected)


@dataclass
class Sheet:
    """Columns of equal length, filled in and spoilt step by step. Rows are the block's accounts, then its guests."""

    rows: int
    since: Ints
    """Per row the moment since when what is told has been true."""
    columns: dict[str, Texts] = field(default_factory=dict)
    labels: dict[str, Bools] = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)

    def blank(self, *names: str) -> None:
        """Add empty columns."""
        for name in names:
            self.columns[name] = blank(self.rows)

    def has(self, name: str) -> Bools:
        """Which rows tell that column."""
        result: Bools = known(self.columns[name])
        return result

    def label(self, difficulty: str, affected: Bools) -> None:
        """Note a difficulty for the affected rows, in addition to those noted before."""
        known = self.labels.get(difficulty)
        self.labels[difficulty] = affected if known is None else known | affected

    def count(self, difficulty: str, eligible: int, affected: int) -> None:
        """Note how many units could have been affected and how many are."""
        self.counts[difficulty] = Count(int(eligible), int(affected))

    def replace(self, name: str, rows: Ints, values: list[str]) -> None:
        """Write values into rows of a column."""
        self.columns[name][rows] = values
