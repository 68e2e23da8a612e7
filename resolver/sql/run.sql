-- name: begin
-- One row: this command began.
insert into ledger.run (run_id, command, code_version, policy, model_hash, began_at)
values ($run_id, $command, $code_version, $policy, $model_hash, $began_at)

-- name: end
-- One row: how it ended.
insert into ledger.run_end (run_id, outcome, counts, ended_at)
values ($run_id, $outcome, $counts, $ended_at)
