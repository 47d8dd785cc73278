-- Jobs know that they found their device busy, and that they left it for good.
alter table jobs add column waits integer not null default 0;
alter table jobs add column software text;
