-- LIMIT counts result rows, of which several may hold the same locked row.
create table a (id int primary key, v int);
create table b (id int primary key, a_id int);
insert into a select i, i from generate_series(1, 4) as i;
insert into b select i, i % 4 + 1 from generate_series(1, 20) as i;
select a.id, b.id from a join b on b.a_id = a.id order by b.id limit 7 for update of a;
select a.id, b.id from a join b on b.a_id = a.id order by b.id limit 3 offset 5 for update of a;
select a.id, b.id from a left join b on b.a_id = a.id and b.id > 10 order by a.id, b.id limit 9 for update of a;
select id from a order by id limit 9223372036854775807 offset 2 for update;
select id from a order by id desc limit 2 offset 1 for update skip locked;
drop table a, b;
