create table messages (text text not null);
insert into messages values ('read from a database of its own');
