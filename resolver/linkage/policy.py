"""What the linkage may spend and how it stops: the numbers we chose, as opposed to those that were trained."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field


class LinkagePolicy(BaseModel):
    """Budgets and bounds of one linkage. Log-odds are natural logarithms."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs_per_record: float | None = Field(None, gt=0, description="budget of each blocking rule; by size when absent")
    random_pairs: int = Field(500_000, ge=1000, description="pairs drawn at random to learn what chance does")
    training_pairs: int = Field(500_000, ge=1000, description="candidates that expectation maximisation looks at")
    strict_rounds: int = Field(2, ge=0, description="rounds in which strictly drawn clusters correct the model")
    generous_rounds: int = Field(2, ge=0, description="rounds after these in which generously drawn ones do")
    keep_log_odds: float = Field(-2.0, description="judged pairs below this are not kept")
    threshold: float = Field(0.4, gt=0, lt=1, description="match probability above which clusters join")
    lowest: float = Field(-1.5, description="evidence against, bounded when clustering")
    highest: float = Field(10.0, description="evidence for, bounded when clustering")
    unscored: float = Field(-1.5, description="what a pair that was never scored counts for when clustering")
    doubt: float = Field(2.0, ge=0, description="a pair within this many log-odds of zero is doubtful")
    margin: float = Field(1.0, ge=0, description="how much more a record must resemble one of two people kept apart")
    small: int = Field(300, ge=0, description="below this many records the shipped model is used as it is")
    threads: int = Field(2, ge=1)

    @property
    def line(self) -> float:
        """The threshold as log-odds."""
        return math.log(self.threshold / (1.0 - self.threshold))

    def rule_budget(self, records: int) -> float:
        """Pairs per record that each blocking rule may propose."""
        if self.pairs_per_record is not None:
            return self.pairs_per_record
        return float(min(25.0, max(0.5, 25.0 * (20_000 / max(records, 1)) ** 1.5)))
