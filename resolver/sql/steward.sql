-- name: known_records
-- Those of the two records that exist.
select record from derived.record where record in ($left_record, $right_record)

-- name: append_judgement
-- One row: a steward's answer about a pair. It outranks rules and weights in every later run.
insert into ledger.judgement (left_record, right_record, verdict, judge, log_odds, evidence, run_id, recorded_at)
values ($left_record, $right_record, $verdict, $judge, null, json_object('why', $why), $run_id, $recorded_at)
