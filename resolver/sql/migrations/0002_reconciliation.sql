-- A full read is compared with what had landed; what it no longer finds is ended by an undated deletion.

create table ledger.reconciliation (
    fact bigint not null default nextval('ledger.fact_number'),
    source varchar not null, object varchar not null, missed bigint not null, vanished bigint not null,
    unlisted bigint not null, run_id varchar not null, recorded_at timestamptz not null
);

create trigger reconciliation_keeps_history after update on ledger.reconciliation for each statement
    insert into ledger.refused select error('ledger.reconciliation is append-only');
create trigger reconciliation_keeps_facts after delete on ledger.reconciliation for each statement
    insert into ledger.refused select error('ledger.reconciliation is append-only');

create or replace view derived.current_record as
select * exclude (recency) from (
    select s.*, row_number() over (partition by s.record order by s.changed_at desc nulls last, s.fact desc) as recency
    from ledger.source_record s where not exists (
        from ledger.source_record e
        where e.kind = 'deletion' and e.changed_at is null and e.record = s.record and e.fact >= s.fact
    )
) where recency = 1 and kind <> 'deletion';
