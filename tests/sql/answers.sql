-- Answers that were once wrong, and what keeps them right.
create table ah(a int, b text);
insert into ah values (1,'x'),(2,'y'),(null,'z'),(2,'w');
-- A table without a primary key has no order to stop early in.
select a from ah order by a desc limit 1;
select a from ah order by a desc nulls last limit 1;
select a from ah order by a nulls first limit 2;
(select a from ah order by a limit 1) union all (select a from ah order by a desc nulls last limit 1) order by 1;
