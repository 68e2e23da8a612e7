-- ledger.source_record: payloads and bodies, which are most of a warehouse, are compressed by zstd. DuckDB tries its methods
-- for strings on them first and takes one that needs twice the space and twice the time.
create table ledger.source_record_in_zstd (
    fact bigint not null default nextval('ledger.fact_number'),
    record varchar not null, source varchar not null, object varchar not null, source_id varchar not null,
    content_hash varchar not null, raw varchar not null using compression zstd, kind varchar not null,
    body json not null using compression zstd,
    changed_at timestamptz, fetched_at timestamptz not null, run_id varchar not null, correlation_id varchar not null
);
insert into ledger.source_record_in_zstd from ledger.source_record;
drop table ledger.source_record;
alter table ledger.source_record_in_zstd rename to source_record;
create trigger source_record_keeps_history after update on ledger.source_record for each statement
    insert into ledger.refused select error('ledger.source_record is append-only');
create trigger source_record_keeps_facts after delete on ledger.source_record for each statement
    insert into ledger.refused select error('ledger.source_record is append-only');
