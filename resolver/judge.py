"""Judge pairs: by deterministic rule, then by match weight. -> ledger.judgement"""

from resolver import linkage
from resolver.identify import rule_rows
from resolver.run import Run
from resolver.warehouse import offered, queries, transaction

_QUERIES = queries("judge")


def by_rule(run: Run) -> None:
    """Same loyalty number, same verified e-mail, same phone, same external id, unless the records contradict."""
    with offered(run.warehouse, "rule_policy", rule_rows(run.policy)), transaction(run.warehouse):
        for name in ("keyed", "by_rule", "rule_judgements"):
            run.warehouse.execute(_QUERIES[name])
        _append(run, "rule:%")


def by_weight(run: Run) -> None:
    """Every pair that the blocking rules propose and that could be one person, weighed by the linkage model."""
    run.progress("judge by weight", 0, None)
    weighed = linkage.judge(run.warehouse, "derived.record", run.model, run.policy.linkage)
    run.count("pairs_compared", weighed.considered)
    review = run.policy.review
    with (
        offered(run.warehouse, "weighed", weighed.pairs),
        offered(run.warehouse, "contradicting", weighed.contradictions),
        transaction(run.warehouse),
    ):
        run.warehouse.execute(
            _QUERIES["weight_judgements"],
            {
                "low": review.low_probability,
                "high": review.high_probability,
                "judge": f"model:{run.model.content_hash[:12]}",
            },
        )
        _append(run, "model:%")


def _append(run: Run, judges: str) -> None:
    stamp = {"run_id": run.run_id, "recorded_at": run.clock()}
    run.warehouse.execute(_QUERIES["append_changed"], {**stamp, "tolerance": run.policy.review.tolerance})
    run.warehouse.execute(_QUERIES["withdraw"], {**stamp, "judges": judges})
