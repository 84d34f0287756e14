-- What the test suites of drivers ask.
select 10 = any (array[array[]]::int[]), 10 = any (array[array[10]]::int[]), 1 = all (array[array[1], array[1]]);

-- Constraints of temporary tables are found by name.
create temp table t1 (id int primary key);
create temp table t2 (id int primary key, t1_id int, constraint t2_t1_fk foreign key (t1_id) references t1 (id) deferrable);
begin;
set constraints t2_t1_fk deferred;
insert into t2 values (2, 42);
commit;
begin;
set constraints pg_temp.t2_t1_fk deferred;
set constraints t2_none deferred;
rollback;
drop table t2, t1;

-- Encodings of the client, by any of their names.
set client_encoding = 'iso-8859-1';
show client_encoding;
set client_encoding = 'UNICODE';
show client_encoding;
set client_encoding = 'nope';
set client_encoding = 'mule_internal';
reset client_encoding;
show client_encoding;

select convert_to('Привет', 'koi8r'), convert_to('ä', 'win1252'), convert_to('あ', 'euc_jp'), convert_to('あ', 'sjis');
select convert_from('\xf0d2c9d7c5d4', 'koi8r'), convert_from('\xa4a2', 'euc_jp'), convert_from('\x82a0', 'sjis');
select convert_to('中', 'koi8r');
select convert_from('\xa420', 'euc_jp');
select convert_from('\xa4', 'euc_jp');
select convert_from('\x81', 'win1252');
select convert_from('\x00', 'latin1');
select convert_to('a', 'nope');
select convert_from('a', 'nope');
select convert_to('ä', 'sql_ascii');
select convert_to('ab', 'mule_internal');
select convert('\xe4', 'latin1', 'koi8r');
select convert('\xe4', 'latin1', 'latin1'), convert('\xe4', 'latin1', 'utf8'), convert('\xc3a4', 'utf8', 'latin2');

-- What is cast to unknown is as untyped as before.
select pg_typeof('a'::unknown), 'a'::unknown || 'b', 'x'::unknown = 'x', coalesce(null::unknown, 'q'), '5'::unknown::int + 1;
select 'a'::unknown::int;
create temp table of_unknown as select 'a'::unknown as x;
select x, pg_typeof(x) from of_unknown;
drop table of_unknown;

-- Arrays of dates and times, one as another.
select array['2011-02-14'::date, 'infinity', null]::timestamp[], array['2011-02-14 23:59:59'::timestamp]::date[];
select array['2011-02-14 10:00+03'::timestamptz]::timestamp[], array['0044-03-15 BC'::date]::timestamptz[];
set timezone = 'Europe/Moscow';
select array['2011-02-14 23:30+00'::timestamptz]::date[], array['2011-02-14'::date]::timestamptz[], array['2011-02-14 23:30'::timestamp]::timestamptz[];
set datestyle = 'SQL, DMY';
select array['2011-02-14 23:30+00'::timestamptz]::date[], array['2011-02-03'::date]::timestamptz[], array['2011-02-03 23:30'::timestamp]::timestamptz[];
select array['2011-02-14 23:30+00'::timestamptz]::timestamp[], array['2011-02-03 01:02:03'::timestamp]::date[];
set datestyle = 'Postgres, MDY';
select array['2011-02-14 23:30+00'::timestamptz]::date[], array['2011-02-03'::date]::timestamptz[], array['2011-02-03 23:30'::timestamp]::timestamptz[];
reset datestyle;
reset timezone;
create temp table array_test (id int, col timestamp[]);
insert into array_test values (1, array['2011-02-14'::date]);
select * from array_test;
drop table array_test;
