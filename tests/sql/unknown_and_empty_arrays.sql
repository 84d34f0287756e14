-- Casts to unknown, which leave a literal or a parameter what its place makes of it.
select cast('x' as unknown), 'x'::unknown;
prepare u1 as select cast($1 as unknown);
execute u1('a');
execute u1(1);
execute u1(null);
prepare u2 as select cast($1 as unknown) = 1;
execute u2('1');
prepare u3 as select $1::unknown::int + 1;
execute u3(2);
prepare u4 as select a + 1 from (select $1::unknown as a) s;
select 'x'::unknown || 'y', '1'::unknown + 1, array['x'::unknown], null::unknown;
select 1::unknown;
select pg_typeof('x'::unknown), pg_typeof(null::unknown), pg_typeof('1'::unknown::int);
create temp table unknown_made as select 'x'::unknown as a;
select a || 'b' from unknown_made;
select 'b'::unknown union select 'a' order by 1;
select coalesce(null::unknown, 1), case when true then '7'::unknown else 1 end, '2020-01-01'::unknown::date;
select 'a'::unknown in ('a', 'b'), 'x'::unknown::unknown;
-- ARRAY[] in ARRAY[] takes its type from a cast around it.
select array[array[]]::int[], array[[]]::int[], array[array[], array[]]::int[], array[array[array[]]]::text[];
select 10 = any(array[array[]]::int[]), 10 = all(array[array[]]::int[]), 10 = any(array[[], []]::int[]);
select 10 = any(array[array[10, 11], array[12, 13]]), 10 = any(array[[1, 2], [3, 10]]::int[]), 10 <> all(array[[1, 2], [3, 10]]::int[]);
select 10 = any(array[array['1', '10']]), '10' = any(array[array[10]]), 10 = any(array[array['x']]::int[]);
select 10 = any(array[array[]]);
select 10 = any(array[array[1], array[]]::int[]);
select 10 = any(array[array[null]]::int[]), 10 = any(array[array[null, 10]]::int[]);
select array[array[]]::int;
