-- name: append_changed
-- Conflicts of this kind that are new, or whose candidates changed.
insert into ledger.conflict (conflict_id, kind, profile, attribute, candidates, winner, rule, state, run_id, recorded_at)
select md5(concat_ws('|', n.kind, n.profile, n.attribute)), n.kind, n.profile, n.attribute, n.candidates, n.winner, n.rule,
       'open', $run_id, $recorded_at
from dispute_now n
left join derived.open_conflict k on k.conflict_id = md5(concat_ws('|', n.kind, n.profile, n.attribute))
where k.conflict_id is null or k.candidates::varchar <> n.candidates::varchar or k.winner is distinct from n.winner
order by n.profile, n.attribute

-- name: settle_gone
-- Conflicts of this kind that nothing disagrees about any more.
insert into ledger.conflict (conflict_id, kind, profile, attribute, candidates, winner, rule, state, run_id, recorded_at)
select k.conflict_id, k.kind, k.profile, k.attribute, k.candidates, k.winner, 'nothing disagrees any more', 'settled',
       $run_id, $recorded_at
from derived.open_conflict k
where k.kind = $kind and not exists (
    from dispute_now n where md5(concat_ws('|', n.kind, n.profile, n.attribute)) = k.conflict_id
)
order by k.conflict_id
