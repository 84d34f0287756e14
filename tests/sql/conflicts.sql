-- ON CONFLICT: the arbiter decides before other indexes complain; what is returned comes in the order of the rows given.
create table both_keys (id serial primary key, name text, e text);
create unique index on both_keys (name, e);
insert into both_keys (id, name, e) values (1, 'a', 'b');
insert into both_keys (name, e) values ('a', 'b') on conflict (name, e) do update set e = 'c' returning id, name, e, (xmax = 0) as inserted;
insert into both_keys (id, name, e) values (1, 'a', 'c') on conflict (name, e) do nothing returning *;
insert into both_keys (id, name, e) values (1, 'x', 'c') on conflict (name, e) do nothing returning *;
insert into both_keys (id, name, e) values (1, 'x', 'c') on conflict do nothing returning *;
insert into both_keys (id, name, e) values (1, 'a', 'c'), (7, 'b', 'b') on conflict (name, e) do nothing returning id;
insert into both_keys (id, name, e) values (7, 'q', 'q') on conflict (id) do update set name = 'z' returning *;
insert into both_keys (id, name, e) values (8, 'z', 'b') on conflict (id) do update set name = 'y' returning *;
insert into both_keys (id, name, e) values (10, 'n', '1'), (1, 'n', '2'), (11, 'n', '3'), (12, 'n', '4'), (7, 'n', '5'), (13, 'n', '6') on conflict (id) do update set e = excluded.e || 'u' returning id, e, (xmax = 0) as inserted;
insert into both_keys (id, name, e) select n, 'm', n::text from generate_series(9, 15) n on conflict (id) do update set e = excluded.e || 'v' where both_keys.id % 2 = 0 returning id, e, (xmax = 0) as inserted;
select * from both_keys order by id;
drop table both_keys;
