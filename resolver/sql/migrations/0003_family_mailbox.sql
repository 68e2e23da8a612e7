-- standardise: whether a record's mailbox bears its family's name without its given name, and so may be anybody's of them.
alter table derived.record add column family_mailbox boolean;
