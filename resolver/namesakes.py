"""Part those who only look like one person: a father and a son, two sisters, two people of one name.

The weights know what a household shares; what they cannot know is that two records without a birth date, with one name
and each with a mailbox of its own, are as likely to be two people. Such clusters are parted, and wait for a steward.
"""

import pyarrow as pa

from resolver import linkage
from resolver.run import Run
from resolver.warehouse import offered, queries

_QUERIES = queries("namesakes")


def parted(run: Run, together: pa.Table) -> pa.Table:
    """record, cluster: the clusters of `together` without those of people who have nothing of their own in common."""
    records = together["record"].to_pylist()
    with offered(run.warehouse, "cluster_of_rich", together):
        ties = _table(run, "ties")
        with offered(run.warehouse, "cluster_part", linkage.components(records, ties)):
            like = pa.concat_tables([ties, _table(run, "one_name")])
            with offered(run.warehouse, "cluster_one_name", linkage.components(records, like)):
                return _table(run, "parted")


def _table(run: Run, query: str) -> pa.Table:
    return run.warehouse.sql(_QUERIES[query]).to_arrow_table()
