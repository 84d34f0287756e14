-- Casts of arrays whose elements text would not convert as the element's cast does.
set timezone = 'Europe/Berlin';
select '{2005-07-01 10:00:00,NULL,infinity}'::timestamp[]::timestamptz[], '{2005-07-01 10:00:00+00}'::timestamptz[]::timestamp[];
select '{2005-07-01,-infinity}'::date[]::timestamp[], '{2005-07-01}'::date[]::timestamptz[], '{{2005-07-01 10:00:00},{2006-01-01 23:59:59}}'::timestamp[]::date[];
select '{2005-07-01 23:30:00+00}'::timestamptz[]::date[], '{2005-07-01 23:30:00+00}'::timestamptz[]::time[], '{2005-07-01 10:00:00,infinity}'::timestamp[]::time[];
select '{1.5,2.5,-1.5,NULL}'::numeric[]::int[], '{1.5,2.5,-0.5}'::float8[]::int[], '{1.5,2.5}'::float4[]::smallint[], '[2:3]={1e10,2}'::float8[]::bigint[];
select '{99999}'::numeric[]::smallint[];
select '{3e10}'::float8[]::int[];
select '{NaN}'::float8[]::bigint[];
select '{NaN}'::numeric[]::int[];
select '{t,f,NULL}'::bool[]::text[], '{t,f}'::bool[]::int[], '{t}'::bool[]::varchar[];
select unnest('{2005-07-01 10:00:00}'::timestamp[]::timestamptz[]);
create table stamped (w timestamptz[]);
insert into stamped values ('{2005-07-01 10:00:00}'::timestamp[]), ('{2005-12-01}'::date[]);
select * from stamped order by 1;
drop table stamped;
reset timezone;
