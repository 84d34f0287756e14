-- what tools ask the catalog for, and functions of no result
create table counted (a int primary key, b text);
insert into counted select i, 'b' from generate_series(1, 100) i;
analyze counted;
select relname, reltuples from pg_class where relname in ('counted', 'counted_pkey') order by relname;
select relname, relpages from pg_class where relname = 'counted';
select reltuples::bigint from pg_class where oid = 'counted'::regclass;
select relname, relkind from pg_class where relname = 'counted';
drop table counted;
select count(pg_notify('channel', 'text')), count(*) from generate_series(1, 3);
select count(all pg_notify('channel', i::text)) from generate_series(1, 3) i where i > 1;
select length(pg_notify('channel', 'text'));
select max(pg_notify('channel', 'text'));
select pg_notify('channel', 'text') = pg_notify('channel', 'text');
select lower(pg_sleep(0));
