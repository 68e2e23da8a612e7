"""What the tests of the steps share."""

import duckdb
import pytest

from resolver.linkage import LinkageModel
from tests.conftest import Clock
from tests.ledger import Settle, settling


@pytest.fixture
def settle(connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel) -> Settle:
    """Land what was said and work out by rules alone who everyone is, in a run of its own; gives the run's id."""
    return settling(connection, clock, model)
