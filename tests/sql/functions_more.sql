-- JSON and arrays.
select json_object('{}', '{}'), json_object('{a,b,"d e f"}', '{1,null,"a b c"}'), jsonb_object('{b,a,b}', '{1,2,3}');
select json_object('{a,b,null}', '{1,2,3}');
select json_object('{a,b}', '{1,2,3}');
select json_object('{{a,b}}', '{{1,2}}');
select json_object('{a,b}', '{{1},{2}}');
select jsonb_object('{a,null}', '{1,2}');
select row_to_json(row(1, 'a,{"b', array[1, 2], row(3, 4)), true), row_to_json(row(1, 2), false);
select array_to_json(array[[1, 2], [3, 4]], true), array_to_json('{}'::int[], true), array_to_json(array['a,"', 'b'], false);
select json_build_object(array[1], 2);
select json_build_object(row(1, 2), 2);
select jsonb_build_object('{}'::jsonb, 2);
select json_build_object(json '1', 2);
select array_fill(1, array[[1, 2]]);
-- Enums.
create type rainbow as enum ('red', 'orange', 'yellow', 'green');
alter type rainbow add value 'amber' after 'orange';
select enum_first(null::rainbow), enum_last('red'::rainbow), enum_range(null::rainbow);
select enum_range('orange'::rainbow, 'yellow'), enum_range(null, 'orange'::rainbow), enum_range('yellow'::rainbow, null), enum_range('green'::rainbow, 'red'::rainbow);
select unnest(enum_range(null::rainbow));
select array_length(enum_range(x), 1), x = enum_first(x) from (values ('red'::rainbow), ('green')) v (x);
create type nothing as enum ();
select enum_first(null::nothing);
select enum_range(null::nothing);
drop type rainbow, nothing;
