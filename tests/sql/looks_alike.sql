-- Values that lie alike in two types are not one expression.
create temp table looks (k jsonb, v varchar(9));
insert into looks values ('10', 'b'), ('9', 'a'), ('"a"', 'c'), ('[1]', 'd'), ('{"a": 1}', 'e'), ('null', 'f'), ('true', 'g');
select k from looks order by k::text;
select k from looks order by k;
select k, k::text as t from looks order by 2;
select k, k::text as t from looks order by k, t;
select distinct k from looks order by k::text;
select distinct v from looks order by v::text;
select distinct k::text from looks order by k::text;
drop table looks;
