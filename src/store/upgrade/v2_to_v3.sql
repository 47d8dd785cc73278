-- The media library, reviews, people, alerts; deliveries keep their order by a line, which is a task's or a media's.
alter table deliveries rename column task_id to line;
create index events_by_media on events (media_id, seq);

alter table jobs add column carrier integer not null default 0 check (carrier between 0 and 2);
update jobs set carrier = 1 where kind = 'noop';
drop index jobs_ready;
drop index jobs_ready_noop;

alter table media add column origin text not null default 'arrival' check (origin in ('arrival', 'upload', 'pull', 'reference'));
alter table media add column media_type text not null default '' check (media_type in ('', 'video', 'audio', 'image', 'text'));
alter table media add column title text not null default '';
alter table media add column description text not null default '';
alter table media add column tags text not null default '[]';
alter table media add column category text;
alter table media add column cover text;
alter table media add column cover_rank integer not null default 3 check (cover_rank between 0 and 3);
alter table media add column user_data text;
alter table media add column state text not null default 'Normal' check (state in ('Preparing', 'Normal', 'Failed', 'Blocked', 'Deleted'));
alter table media add column fault text;
alter table media add column modified_ms integer not null default 0;
alter table media add column search_row integer;
alter table media add column parts text;
update media set modified_ms = created_ms;

alter table attempts add column device text;
alter table tokens add column expires_ms integer;
alter table arrivals add column settled_ms integer;
create index audit_by_who on audit (who, seq);
create index audit_by_verb on audit (verb, seq);
create index audit_by_subject on audit (subject, seq);
create table own_files (
  storage text not null,
  key text not null,
  size_bytes integer not null,
  mtime_ns integer,
  etag text,
  primary key (storage, key)
) strict, without rowid;
create table output_series (
  output_id text primary key references outputs (id) on delete cascade,
  series text not null
) strict;
create table job_measures (
  job_id text primary key references jobs (id) on delete cascade,
  measured text not null
) strict;
alter table tasks add column purpose text not null default 'run' check (purpose in ('run', 'register', 'job'));
alter table publish_intents add column from_object text;
alter table publish_intents add column from_etag text;
alter table publish_intents add column strange integer not null default 0 check (strange in (0, 1));

create index jobs_ready_worker on jobs (priority desc, ready_ms, task_id, not_before_ms)
  where status = 'Init' and ready_ms is not null and carrier = 0;
create index jobs_ready_daemon on jobs (priority desc, ready_ms, task_id)
  where status = 'Init' and ready_ms is not null and carrier = 1;
create index jobs_ready_errand on jobs (priority desc, ready_ms, task_id, not_before_ms)
  where status = 'Init' and ready_ms is not null and carrier = 2;
create index jobs_waiting on jobs (not_before_ms) where status = 'Waiting' and not_before_ms > 0;

alter table tasks add column search_row integer;
create unique index tasks_by_search on tasks (search_row) where search_row is not null;
create index tasks_unsearched on tasks (id) where search_row is null;
create virtual table media_search using fts5 (words, tokenize = 'trigram', content = '', contentless_delete = 1);
create trigger media_unsearch after delete on media when old.search_row is not null begin
  delete from media_search where rowid = old.search_row;
end;
create virtual table task_search using fts5 (words, tokenize = 'trigram', content = '', contentless_delete = 1);
create trigger task_unsearch after delete on tasks when old.search_row is not null begin
  delete from task_search where rowid = old.search_row;
end;
create table media_tags (
  tag text not null,
  media_id text not null references media (id) on delete cascade,
  primary key (tag, media_id)
) strict, without rowid;
create index media_tags_by_media on media_tags (media_id);
create table deletions (
  media_id text primary key references media (id) on delete cascade,
  what text not null check (what in ('all', 'media', 'outputs', 'source')),
  additions integer not null check (additions in (0, 1)),
  who text not null,
  gone text not null default '[]',
  tries integer not null default 0,
  next_ms integer not null,
  created_ms integer not null
) strict, without rowid;
create index deletions_due on deletions (next_ms);
create index media_by_storage on media (storage, id);
create index media_by_type on media (media_type, id);
create index media_by_origin on media (origin, id);
create unique index media_by_search on media (search_row) where search_row is not null;
create index media_unsearched on media (id) where search_row is null;
create table categories (
  id text primary key,
  parent text references categories (id),
  name text not null,
  created_ms integer not null,
  unique (parent, name)
) strict;
create index media_by_state on media (state, id);
create index media_by_category on media (category, id) where category is not null;
create table additions (
  id text primary key,
  media_id text not null references media (id) on delete cascade,
  role text not null check (role in ('attachment', 'rendition')),
  media_type text not null check (media_type in ('video', 'audio', 'image', 'text')),
  kind text not null,
  storage text not null,
  key text not null,
  size_bytes integer not null,
  title text not null default '',
  language text,
  user_data text,
  created_ms integer not null,
  mtime_ns integer,
  etag text,
  unique (media_id, storage, key)
) strict;
create index additions_by_object on additions (storage, key);
create table uploads (
  id text primary key,
  storage text not null,
  key text not null,
  on_conflict text not null check (on_conflict in ('fail', 'overwrite', 'version')),
  size_bytes integer,
  received_bytes integer not null default 0,
  state text not null check (state in ('open', 'finishing', 'done', 'failed', 'canceled')),
  digest text,
  mtime_ns integer,
  metadata text,
  wanted text not null,
  media_id text,
  result text,
  fault text,
  who text not null,
  created_ms integer not null,
  expires_ms integer not null,
  ended_ms integer,
  pieces text
) strict;
create index uploads_open on uploads (expires_ms) where state in ('open', 'finishing');
create table pulls (
  id text primary key,
  url text not null,
  request text not null,
  storage text not null,
  key text not null,
  on_conflict text not null check (on_conflict in ('fail', 'overwrite', 'version')),
  state text not null check (state in ('waiting', 'fetching', 'done', 'failed', 'canceled')),
  tries integer not null default 0,
  next_ms integer not null,
  received_bytes integer not null default 0,
  size_bytes integer,
  validator text,
  digest text,
  mtime_ns integer,
  wanted text not null,
  media_id text,
  result text,
  fault text,
  who text not null,
  created_ms integer not null,
  ended_ms integer,
  pieces text
) strict;
create index pulls_due on pulls (next_ms) where state in ('waiting', 'fetching');
create table reviews (
  id text primary key,
  media_id text not null references media (id) on delete cascade,
  task_id text references tasks (id) on delete cascade,
  job_id text references jobs (id) on delete cascade,
  state text not null check (state in ('waiting', 'approved', 'blocked', 'expired', 'canceled')),
  instructions text not null default '',
  due_ms integer,
  on_timeout text not null default 'fail' check (on_timeout in ('fail', 'approve', 'block')),
  auditor text,
  reason text not null default '',
  comment text not null default '',
  user_data text,
  created_ms integer not null,
  ended_ms integer
) strict;
create index reviews_by_state on reviews (state, id);
create index reviews_by_media on reviews (media_id, id);
create index reviews_by_task on reviews (task_id) where task_id is not null;
create index reviews_by_job on reviews (job_id) where job_id is not null;
create index reviews_due on reviews (due_ms) where state = 'waiting' and due_ms is not null;
create table attempt_logs (
  attempt_id text primary key references attempts (id) on delete cascade,
  text text not null
) strict;
create table users (
  id text primary key,
  name text not null unique,
  role text not null check (role in ('admin', 'operator', 'viewer')),
  password text not null,
  disabled integer not null default 0 check (disabled in (0, 1)),
  created_ms integer not null,
  modified_ms integer not null,
  used_ms integer
) strict;
create table sessions (
  sha256 text primary key,
  user_id text references users (id) on delete cascade,
  token_id text references tokens (id) on delete cascade,
  csrf text not null,
  created_ms integer not null,
  expires_ms integer not null,
  used_ms integer not null,
  check ((user_id is null) <> (token_id is null))
) strict, without rowid;
create index sessions_by_user on sessions (user_id) where user_id is not null;
create index sessions_by_token on sessions (token_id) where token_id is not null;
create table access_keys (
  id text primary key,
  name text not null,
  role text not null check (role in ('admin', 'operator', 'viewer')),
  secret text not null,
  created_ms integer not null,
  used_ms integer,
  revoked_ms integer
) strict, without rowid;
create table destinations (
  name text primary key,
  definition text not null,
  created_ms integer not null,
  modified_ms integer not null
) strict;
create table alerts (
  id text primary key,
  code text not null,
  subject text not null,
  severity text not null check (severity in ('warning', 'critical')),
  cause text not null,
  remedy text not null,
  raised_ms integer not null,
  seen_ms integer not null,
  cleared_ms integer,
  acknowledged_by text
) strict;
create unique index alerts_open on alerts (code, subject) where cleared_ms is null;
create table gauges (
  name text not null,
  at_ms integer not null,
  value real not null,
  primary key (name, at_ms)
) strict, without rowid;
create table default_templates (
  kind text primary key,
  template text not null,
  set_ms integer not null
) strict, without rowid;

-- What an arrival consists of where it is more than its own file (a sequence, a spanned recording), and what was said of
-- it beside it (subtitles, `NAME.reelmill.json`). Copied to its media at intake.
create table arrival_parts (
  storage integer not null,
  key text not null,
  parts text not null,                    -- JSON of workflow::arrival::Parts
  primary key (storage, key),
  foreign key (storage, key) references arrivals (storage, key) on delete cascade
) strict;
alter table storages add column definition text;
alter table storages add column cursor text;
alter table storages add column last_scan_ms integer;
alter table storages add column created_ms integer;
alter table storages add column modified_ms integer;

-- What notifications said of objects in buckets, until a trigger has looked at them. A hint is not believed, only followed.
create table bucket_hints (
  storage integer not null references storages (id),
  key text not null,                      -- text form of `objects::uri`
  seq integer not null,                   -- order of telling; a key that is told of again moves to the end
  due_ms integer not null,                -- not looked at before: objects younger than min_age_s wait
  primary key (storage, key)
) strict, without rowid;

create index bucket_hints_order on bucket_hints (storage, seq);
insert into counters (name, value) values ('hint', 0);
