-- The database of reelmill, as a new installation gets it (user_version 3).
--
-- Conventions. Ids are UUIDv7, 32 lower-case hex digits, and sort by the time they were made. Times end in
-- `_ms`: milliseconds UTC since 1970. Statuses are the words of `workflow::status`; a check constraint repeats
-- them so that a slip is refused where it is written. Small rows found by their key are `without rowid`; tables
-- whose rows carry JSON are not, since SQLite keeps long rows of such tables badly. JSON columns hold serde forms
-- of the Rust types named beside them; they are read whole and never queried into. A column without `not null`
-- says in its comment what null means. Everything here is written by the daemon alone, through the one writer thread (`store/mod.rs`).
--
-- When this file changes, add a step to `upgrade/`, raise the version there, and keep the previous form of this
-- file as `upgrade/vN.sql`; the test beside it compares what an upgraded database has with what a new one has.

-- Facts about this database itself.
create table meta (
  name text primary key,          -- 'instance': a random id of the installation; 'created_ms'; 'created_by': program version
  value text not null
) strict, without rowid;

-- Counters that must survive a restart without ever repeating a value.
create table counters (
  name text primary key,          -- 'arrival': the last arrivals.arrival_seq given out; 'hint': the last bucket_hints.seq
  value integer not null
) strict, without rowid;

insert into counters (name, value) values ('arrival', 0), ('hint', 0);

------------------------------------------------------------------------------------------------------------
-- Storages and arrivals: what the triggers saw
------------------------------------------------------------------------------------------------------------

-- Run-time state of storages. What a storage is (folder, bucket, credentials) stands in the configuration, or in
-- `definition` where it was made through the API. The name of one that was removed is '~' and its id until its ledger is gone. A row
-- appears here when a trigger first meets its name, and gives the name a short number for `arrivals`.
create table storages (
  id integer primary key,
  name text not null unique,
  baseline_ms integer,                    -- end of the first whole scan; what that scan found triggers nothing. Null: not scanned yet
  mount text,                             -- what it lay on when it was last believed: mount point, type and, of shares, source. Null: not looked yet
  frozen text,                            -- why triggering is stopped (mount gone, mass disappearance). Null: it is not
  definition text,                        -- JSON of workflow::storage::Definition where it was made through the API, keys sealed by
                                          -- base::sealed. Null: it stands in the configuration
  cursor text,                            -- JSON of trigger's listing of a bucket: where it goes on. Null: at the begin
  last_scan_ms integer,                   -- end of the last whole scan or listing. Null: none yet
  created_ms integer,                     -- when it was made through the API: what comes from then on is new. Null: it was not
  modified_ms integer                     -- when that definition was last changed. Null: as above
) strict;

-- The ledger of arrivals: one row an object seen, the last identity it was seen with. It makes "once" true: an
-- object whose identity is the one of its row is never run again, one with another identity replaces the row
-- and gets a new `arrival_seq`. One B-tree keyed by the object, so a row costs its key once (at most 260 bytes
-- with keys of usual length). Rows of objects that exist are never pruned.
create table arrivals (
  storage integer not null references storages (id),
  key text not null,                      -- text form of `objects::uri`
  size_bytes integer not null,
  mtime_ns integer not null,              -- 0 where the storage has none
  etag text not null default '',          -- S3 only
  state integer not null check (state between 0 and 3),
                                          -- 0 seen: not settled yet; 1 settled: intake shall match it;
                                          -- 2 taken: media and tasks were made from it; 3 none: nothing runs on it, see why_not
  arrival_seq integer not null,           -- order in which identities settled; 0 before that, and for what the baseline found
  gone_ms integer,                        -- since when the object is not there any more; such rows are pruned after 30 days. Null: it is there
  seen_ms integer not null,               -- when this identity was first seen
  why_not text,                           -- state 3: 'existing' (there before the baseline), 'ours' (our own output), or a sentence
                                          -- from the selector for people. State 1: 'existing' when only workflows with
                                          -- existing = "process" may take it. Null otherwise
  settled_ms integer,                     -- when this identity settled; null before that, and for what the baseline found
  primary key (storage, key)
) strict, without rowid;

-- Intake reads settled arrivals in their order.
create index arrivals_settled on arrivals (arrival_seq) where state = 1;

-- What an arrival consists of where it is more than its own file (a sequence, a spanned recording), and what was said of
-- it beside it (subtitles, `NAME.reelmill.json`). Copied to its media at intake.
create table arrival_parts (
  storage integer not null,
  key text not null,
  parts text not null,                    -- JSON of workflow::arrival::Parts
  primary key (storage, key),
  foreign key (storage, key) references arrivals (storage, key) on delete cascade
) strict;

-- What notifications said of objects in buckets, until a trigger has looked at them. A hint is not believed, only followed.
create table bucket_hints (
  storage integer not null references storages (id),
  key text not null,                      -- text form of `objects::uri`
  seq integer not null,                   -- order of telling; a key that is told of again moves to the end
  due_ms integer not null,                -- not looked at before: objects younger than min_age_s wait
  primary key (storage, key)
) strict, without rowid;

create index bucket_hints_order on bucket_hints (storage, seq);

------------------------------------------------------------------------------------------------------------
-- Workflows
------------------------------------------------------------------------------------------------------------

create table workflows (
  id text primary key,
  name text not null unique,
  origin text not null check (origin in ('file', 'api', 'preset')),
  enabled integer not null check (enabled in (0, 1)),
  enabled_ms integer,                     -- since when it is enabled: objects seen before then are not its business
                                          -- (unless process_existing). Null while disabled
  version integer not null,               -- the newest of workflow_versions; new tasks take it
  created_ms integer not null,
  modified_ms integer not null
) strict, without rowid;

-- Every version that a task may still name. A running task keeps the version it began with.
create table workflow_versions (
  workflow_id text not null references workflows (id) on delete cascade,
  version integer not null,               -- from 1
  definition text not null,               -- as written: TOML of files, JSON of the API
  resolved text not null,                 -- JSON of workflow::resolved::ResolvedWorkflow
  hash text not null,                     -- SHA-256 hex of `resolved`; an unchanged definition makes no new version
  created_ms integer not null,
  primary key (workflow_id, version)
) strict;

-- User templates and overrides of shipped ones live beside workflows.
create table templates (
  name text primary key,
  definition text not null,               -- as written
  created_ms integer not null,
  modified_ms integer not null
) strict;

------------------------------------------------------------------------------------------------------------
-- Media, tasks, jobs, attempts
------------------------------------------------------------------------------------------------------------

-- One input identity. The same key with new content is another media.
create table media (
  id text primary key,
  storage text not null,
  key text not null,
  size_bytes integer not null,
  mtime_ns integer not null,
  etag text not null,
  facts text,                             -- JSON of media::facts::MediaFacts. Null until the first attempt told them
  created_ms integer not null,
  origin text not null default 'arrival' check (origin in ('arrival', 'upload', 'pull', 'reference')),
                                          -- how it came here first
  media_type text not null default '' check (media_type in ('', 'video', 'audio', 'image', 'text')), -- '': not known yet
  title text not null default '',
  description text not null default '',
  tags text not null default '[]',        -- JSON array of texts
  category text,                          -- id of `categories`. Null: none
  cover text,                             -- `storage:key` of a picture, or an address. Null: none
  cover_rank integer not null default 3 check (cover_rank between 0 and 3),
                                          -- who chose it: 0 the first of several stills, 1 a still, 2 a cover activity,
                                          -- 3 a person. It gives way to what ranks higher
  user_data text,                         -- JSON text of whoever brought it in, echoed in its events. Null: none
  state text not null default 'Normal' check (state in ('Preparing', 'Normal', 'Failed', 'Blocked', 'Deleted')),
                                          -- Preparing: being looked at; Failed: it could not be read, see fault; Blocked: a
                                          -- review said so; Deleted: the record only stays for the tasks that name it
  fault text,                             -- JSON of Fault. Null: none
  modified_ms integer not null default 0, -- last change of what is said about it
  search_row integer,                     -- its row of media_search. Null: not there yet
  parts text,                             -- JSON of workflow::arrival::Parts. Null: it is one file
  unique (storage, key, size_bytes, mtime_ns, etag)
) strict;

-- One run of one workflow version over one media.
create table tasks (
  id text primary key,
  workflow_id text not null,              -- no reference: tasks outlive a deleted workflow
  workflow_version integer not null,
  workflow_name text not null,            -- as it was when the task was made
  media_id text not null references media (id),
  status text not null check (status in ('Init', 'Processing', 'Succeed', 'Failed', 'Canceled')),
  trigger text not null check (trigger in ('Console', 'Workflow', 'API')),
  user_data text,                         -- JSON text of the caller, echoed in events. Null: none given
  priority integer not null default 0,    -- larger first
  overrides text,                         -- JSON of store::tasks::Overrides (output place, callback). Null: as the workflow says
  idempotency_key text unique,            -- of the call that made it. Null: none given
  intent text check (intent in ('cancel', 'retry')),
                                          -- what a user asked for and is not finished yet. Null: nothing
  intent_jobs text,                       -- JSON array of job ids a retry is for. Null: all that did not succeed
  arrival_seq integer,                    -- arrival that caused it. Null: started by hand
  runs integer not null default 1,        -- 1 + how often a user retried it
  after_ms integer,                       -- when the source's `after` rule was done. Null: not yet, or nothing to do
  created_ms integer not null,
  started_ms integer,                     -- first lease. Null: not begun
  ended_ms integer,                       -- Null: not ended
  purpose text not null default 'run' check (purpose in ('run', 'register', 'job')),
                                          -- run: of a workflow; register: looks at a media that was registered, and
                                          -- announces that instead of itself; job: one activity submitted alone
  search_row integer                      -- its row of task_search. Null: not there yet
) strict;

-- Lists by status, newest first, by key: `where status = ? and id < ? order by id desc limit ?`.
create index tasks_by_status on tasks (status, id);
create index tasks_by_workflow on tasks (workflow_id, id);
create index tasks_by_media on tasks (media_id, id);
create index tasks_with_intent on tasks (id) where intent is not null;
create unique index tasks_by_search on tasks (search_row) where search_row is not null;
create index tasks_unsearched on tasks (id) where search_row is null;
-- Tasks whose source still has to be moved or deleted (the flag is set only for workflows with an `after` rule).
create table task_afters (
  task_id text primary key references tasks (id) on delete cascade,
  tries integer not null default 0,
  not_before_ms integer not null
) strict, without rowid;

-- One activity within a task.
create table jobs (
  id text primary key,
  task_id text not null references tasks (id) on delete cascade,
  activity text not null,                 -- Activity::id in the task's workflow version
  ordinal integer not null,               -- place in ResolvedWorkflow::activities: needs come before dependants
  kind text not null,                     -- ActivityKind::as_str
  status text not null check (status in ('Init', 'Waiting', 'Processing', 'Success', 'Fail', 'Skipped', 'Canceled')),
  priority integer not null,              -- the task's, repeated for the index
  ready_ms integer,                       -- when its needs allowed it to run. Null: they do not yet
  not_before_ms integer not null default 0, -- back-off of a retry; of a Waiting job, until when it waits (0: no end)
  tries integer not null default 0,       -- attempts that failed it; the daemon's own death does not count
  apart integer not null default 0 check (apart in (0, 1)), -- 1: a fused attempt died with it, run it alone
  attempt_id text,                        -- the attempt that holds or held it. Null: none yet
  fault text,                             -- JSON of base::fault::Fault: why it failed, or last failed. Null: it did not
  skip_reason text,                       -- Skipped: why. Null otherwise
  result text,                            -- JSON of store::jobs::JobResult. Null until it succeeded
  told text,                              -- JSON of events::Detail that told of its end; repeated in the event that ends the task. Null: none
  created_ms integer not null,
  started_ms integer,                     -- first lease. Null: not begun
  ended_ms integer,                       -- Null: not ended
  waits integer not null default 0,       -- attempts that found every session of their device taken; not counted as tries
  software text,                          -- why it is done in software from now on: what went wrong on a device, in words
                                          -- for people. Null: its activity's `backend` holds
  carrier integer not null default 0 check (carrier between 0 and 2),
                                          -- workflow::resolved::Carrier: 0 a worker, 1 the daemon at once, 2 the daemon beside its loop
  unique (task_id, activity)
) strict;

-- The scheduler's queues, one for each carrier: largest priority first, then longest ready.
create index jobs_ready_worker on jobs (priority desc, ready_ms, task_id, not_before_ms)
  where status = 'Init' and ready_ms is not null and carrier = 0;
create index jobs_ready_daemon on jobs (priority desc, ready_ms, task_id)
  where status = 'Init' and ready_ms is not null and carrier = 1;
create index jobs_ready_errand on jobs (priority desc, ready_ms, task_id, not_before_ms)
  where status = 'Init' and ready_ms is not null and carrier = 2;
-- When the next retry is due.
create index jobs_later on jobs (not_before_ms) where status = 'Init' and not_before_ms > 0;
-- Until when the next answer of another system is waited for.
create index jobs_waiting on jobs (not_before_ms) where status = 'Waiting' and not_before_ms > 0;
create index jobs_by_attempt on jobs (attempt_id) where status = 'Processing';

-- One worker process. Attempts are fenced: a result counts only while its attempt's phase is the one it expects.
create table attempts (
  id text primary key,
  task_id text not null references tasks (id) on delete cascade,
  number integer not null,                -- 1, 2, ... within the task
  phase text not null check (phase in ('running', 'publishing', 'ended')),
                                          -- running: its worker works; publishing: intents are committed, must be finished
  jobs text not null,                     -- JSON array of job ids
  threads integer not null,
  lease_expires_ms integer not null,      -- renewed while the daemon lives; past it (or after a restart) the attempt is over
  started_ms integer not null,
  ended_ms integer,                       -- Null: not ended
  outcome text,                           -- done, failed, crashed, stopped, lost (daemon died). Null: not ended
  fault text,                             -- JSON of Fault. Null: none
  cost text,                              -- JSON of media::progress::Cost. Null: it did not come to say so
  device text,                            -- UUID of the NVIDIA device it was given. Null: the processors
  unique (task_id, number)
) strict, without rowid;

-- What is told of them, in lines, at most 64 KiB each; by itself so that rows of attempts stay small.
create table attempt_logs (
  attempt_id text primary key references attempts (id) on delete cascade,
  text text not null
) strict;

create index attempts_open on attempts (id) where phase <> 'ended';

------------------------------------------------------------------------------------------------------------
-- Outputs and the intents to publish them
------------------------------------------------------------------------------------------------------------

-- A file or set that a job published, or is about to. Made together with its intents, before anything is written
-- under a final name, so that its id is the same however often publishing is repeated.
create table outputs (
  id text primary key,
  job_id text not null references jobs (id) on delete cascade,
  task_id text not null,
  attempt_id text not null,
  ordinal integer not null,               -- place in the job's product
  group_id text,                          -- the group's own id (OutputId). Null: the activity has no groups
  group_name text not null,               -- '' where there is none
  name text not null,
  kind text not null,                     -- ProductKind: file, hls, stills, sprite, animation
  storage text not null,
  key text not null,                      -- of the main object; of numbered files the first
  size_bytes integer not null,            -- all its files
  md5 text,                               -- of the main object. Null: numbered files
  published integer not null default 0 check (published in (0, 1)), -- 1: every file stands under its final name
  detail text not null,                   -- JSON of store::outputs::OutputDetail: facts, proof, renditions with their ids
  created_ms integer not null
) strict;

create index outputs_by_job on outputs (job_id, ordinal);
create index outputs_by_task on outputs (task_id);

-- What was measured of outputs over their length, apart from their rows, which lists read.
create table output_series (
  output_id text primary key references outputs (id) on delete cascade,
  series text not null                    -- JSON: a list of media::product::TrackSeries for each rendition, in the order of
                                          -- OutputDetail's; of a file that of its own
) strict;

-- The same of what jobs measured of their source.
create table job_measures (
  job_id text primary key references jobs (id) on delete cascade,
  measured text not null                  -- JSON of media::product::Measured
) strict;

-- Files of published outputs: what the media library shows, and what tells our own outputs from a user's upload.
create table output_files (
  output_id text not null references outputs (id) on delete cascade,
  ordinal integer not null,
  storage text not null,
  key text not null,
  size_bytes integer not null,
  md5 text not null,
  mtime_ns integer,                       -- as it stood right after publishing. Null: not asked
  etag text,                              -- S3 only, the same
  primary key (output_id, ordinal)
) strict, without rowid;

create index output_files_by_key on output_files (storage, key);

-- Files we published whose tasks were forgotten: what still tells them from a user's upload. A row stays until the
-- ledger of arrivals says that the object is gone or is another one.
create table own_files (
  storage text not null,
  key text not null,
  size_bytes integer not null,
  mtime_ns integer,                       -- as in output_files
  etag text,                              -- as in output_files
  primary key (storage, key)
) strict, without rowid;

-- The intents: files that shall stand under their final names. Committed before the first byte is written there;
-- while one is open its key is reserved. Recovery finishes every open one, whatever a user asked meanwhile.
-- When the job is concluded its intents become output_files and go.
create table publish_intents (
  output_id text not null references outputs (id) on delete cascade,
  ordinal integer not null,               -- order of publishing: segments before manifests
  attempt_id text not null,
  storage text not null,
  key text not null,
  scratch_path text not null,             -- relative to the attempt's scratch directory
  size_bytes integer not null,
  md5 text not null,
  overwrite integer not null check (overwrite in (0, 1)),
  created_ms integer not null,
  from_object text,                       -- `storage:key` that it is a copy of. Null: it lies in scratch
  from_etag text,                         -- ETag with which that object has this hash. Null: a folder's, or not known
  strange integer not null default 0 check (strange in (0, 1)), -- publishing failed, and something of somebody else
                                          -- stands under the key: an arrival of it is not ours
  primary key (output_id, ordinal),
  unique (storage, key)
) strict, without rowid;

create index publish_intents_by_attempt on publish_intents (attempt_id);

------------------------------------------------------------------------------------------------------------
-- The media library
------------------------------------------------------------------------------------------------------------

-- Words that media are found by: title, key, description and tags. Rows are found by media.search_row; the words
-- themselves are not kept a second time.
create virtual table media_search using fts5 (words, tokenize = 'trigram', content = '', contentless_delete = 1);
create trigger media_unsearch after delete on media when old.search_row is not null begin
  delete from media_search where rowid = old.search_row;
end;

-- The same for tasks: the key of their source, and user data. Rows are found by tasks.search_row.
create virtual table task_search using fts5 (words, tokenize = 'trigram', content = '', contentless_delete = 1);
create trigger task_unsearch after delete on tasks when old.search_row is not null begin
  delete from task_search where rowid = old.search_row;
end;

-- Each tag of each media.
create table media_tags (
  tag text not null,
  media_id text not null references media (id) on delete cascade,
  primary key (tag, media_id)
) strict, without rowid;

create index media_tags_by_media on media_tags (media_id);

-- Deletions that are not finished: files of a media that are to go. The row goes in the transaction that says so.
create table deletions (
  media_id text primary key references media (id) on delete cascade,
  what text not null check (what in ('all', 'media', 'outputs', 'source')),
  additions integer not null check (additions in (0, 1)), -- 1: the files of attachments and renditions go too
  who text not null,                      -- token or user that asked
  gone text not null default '[]',        -- JSON array of `storage:key`: what is gone so far, as its event will say
  tries integer not null default 0,
  next_ms integer not null,               -- earliest next try
  created_ms integer not null
) strict, without rowid;

create index deletions_due on deletions (next_ms);

-- What media are filed under.
create table categories (
  id text primary key,
  parent text references categories (id), -- Null: at the top
  name text not null,
  created_ms integer not null,
  unique (parent, name)
) strict;

-- Media by state and by category, newest first.
create index media_by_state on media (state, id);
create index media_by_category on media (category, id) where category is not null;
create index media_by_storage on media (storage, id);
create index media_by_type on media (media_type, id);
create index media_by_origin on media (origin, id);
create unique index media_by_search on media (search_row) where search_row is not null;
create index media_unsearched on media (id) where search_row is null;

-- Files that were added to a media: attachments (subtitles, watermarks, pictures), and renditions made elsewhere.
create table additions (
  id text primary key,
  media_id text not null references media (id) on delete cascade,
  role text not null check (role in ('attachment', 'rendition')),
  media_type text not null check (media_type in ('video', 'audio', 'image', 'text')),
  kind text not null,                     -- attachment: subtitle, watermark, image, other; rendition: its name, as 720p
  storage text not null,
  key text not null,
  size_bytes integer not null,
  title text not null default '',
  language text,                          -- BCP 47. Null: not said
  user_data text,                         -- Null: none
  created_ms integer not null,
  mtime_ns integer,                       -- of the file. Null: added before this was noted
  etag text,                              -- of an object in a bucket. Null or empty: none
  unique (media_id, storage, key)
) strict;

-- Who has an object added: it is removed only when nobody else does.
create index additions_by_object on additions (storage, key);

-- Files that are being sent to us, piece by piece. The pieces lie in STORAGE/.reelmill/uploads/ID.
create table uploads (
  id text primary key,
  storage text not null,
  key text not null,                      -- where it will stand; with its version number once that is chosen
  on_conflict text not null check (on_conflict in ('fail', 'overwrite', 'version')),
  size_bytes integer,                     -- of the whole. Null: not said yet
  received_bytes integer not null default 0, -- of which are durable
  state text not null check (state in ('open', 'finishing', 'done', 'failed', 'canceled')),
                                          -- finishing: whole, being put under its name; replayed after a restart
  digest text,                            -- what the whole must come to, 'sha256:HEX' or 'md5:HEX'. Null: not said
  mtime_ns integer,                       -- finishing: of the whole file; committed before it is renamed to `key`, so that
                                          -- a replay knows its own. Null: not that far
  metadata text,                          -- as a tus client sent it, given back to it. Null: none
  wanted text not null,                   -- JSON of store::admission::Wanted: what becomes of it
  media_id text,                          -- what it became, or what it is added to. Null: not yet
  result text,                            -- JSON of store::admission::Admitted. Null: not yet
  fault text,                             -- JSON of Fault. Null: it did not fail
  who text not null,                      -- token or user that began it
  created_ms integer not null,
  expires_ms integer not null,            -- open and untouched until then: it is dropped
  ended_ms integer,                       -- Null: not ended
  pieces text                             -- JSON of the multipart upload that takes it into a bucket. Null: it goes to a folder
) strict;

create index uploads_open on uploads (expires_ms) where state in ('open', 'finishing');

-- Files that are fetched by address. The id is a job id to the clouds.
create table pulls (
  id text primary key,
  url text not null,                      -- as it may be shown: without user name, password, query and fragment
  request text not null,                  -- JSON of store::pulls::Request: the whole address and headers to send along,
                                          -- which may hold secrets, encrypted by base::sealed for 'pull:ID'
  storage text not null,
  key text not null,
  on_conflict text not null check (on_conflict in ('fail', 'overwrite', 'version')),
  state text not null check (state in ('waiting', 'fetching', 'done', 'failed', 'canceled')),
  tries integer not null default 0,
  next_ms integer not null,               -- earliest next try
  received_bytes integer not null default 0,
  size_bytes integer,                     -- Null: the server did not say
  validator text,                         -- ETag or Last-Modified of what received_bytes belong to: they go on only with
                                          -- the same. Null: they begin anew
  digest text,                            -- as in uploads
  mtime_ns integer,                       -- as in uploads: it is whole, and being put under its name
  wanted text not null,                   -- as in uploads
  media_id text,                          -- as in uploads
  result text,                            -- as in uploads
  fault text,                             -- why it failed, or why the last try did. Null: none did
  who text not null,
  created_ms integer not null,
  ended_ms integer,                       -- Null: not ended
  pieces text                             -- as in uploads
) strict;

create index pulls_due on pulls (next_ms) where state in ('waiting', 'fetching');

-- Questions to people: of a review activity, or about a media outside of any task.
create table reviews (
  id text primary key,
  media_id text not null references media (id) on delete cascade,
  task_id text references tasks (id) on delete cascade,  -- Null: outside of any
  job_id text references jobs (id) on delete cascade,    -- Null: outside of any
  state text not null check (state in ('waiting', 'approved', 'blocked', 'expired', 'canceled')),
  instructions text not null default '',
  due_ms integer,                         -- when its time is over. Null: never
  on_timeout text not null default 'fail' check (on_timeout in ('fail', 'approve', 'block')), -- what happens then
  auditor text,                           -- Null: nobody yet
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

------------------------------------------------------------------------------------------------------------
-- Events and deliveries
------------------------------------------------------------------------------------------------------------

-- Facts, written in the transaction of the change they tell (`store::announce`).
create table events (
  seq integer primary key autoincrement,  -- order of commit; cursors and SSE resume by it
  id text not null unique,
  task_id text not null,                  -- '': it happened outside of any task
  media_id text not null,                 -- '': it is about the installation itself
  job_id text,                            -- Null: tells of the task itself
  type text not null,                     -- EventType::as_str
  at_ms integer not null,
  body text not null,                     -- JSON of events::Event: all that any wire profile needs
  callback text not null,                 -- JSON of workflow::resolved::CallbackRule: whom it is for, so dispatching asks no task
  dispatched integer not null default 0 check (dispatched in (0, 1)) -- 1: its deliveries were made (there may be none)
) strict;

create index events_undispatched on events (seq) where dispatched = 0;
create index events_by_task on events (task_id, seq);
create index events_by_media on events (media_id, seq);
create index events_by_type on events (type, seq);

-- One event to one destination.
create table deliveries (
  id text primary key,
  event_seq integer not null references events (seq) on delete cascade,
  destination text not null,              -- name in the configuration; '' for an inline one
  inline text,                            -- JSON of workflow::resolved::InlineDestination. Null: a named one
  lane text not null,                     -- destination name, or 'inline:' and a hash of `inline`: what order and breaker go by
  line text not null,                     -- what order is kept by: the event's task, else its media, else the event itself
  seq integer not null,                   -- X-Reelmill-Event-Seq: 1, 2, ... within (lane, line)
  state text not null check (state in ('pending', 'done', 'dead')),
  tries integer not null default 0,
  replays integer not null default 0,     -- how often a user sent it again
  since_ms integer not null,              -- made, or last sent again by a user: the time until giving up counts from here
  next_ms integer not null,               -- earliest next try; 9223372036854775807: held behind an earlier one of its task
  last_status integer,                    -- HTTP status of the last try. Null: there was no answer
  last_error text,                        -- why the last try failed. Null: it did not
  created_ms integer not null,
  ended_ms integer,                       -- done or dead since. Null: pending
  unique (lane, line, seq)
) strict;

create index deliveries_due on deliveries (lane, next_ms) where state = 'pending';
create index deliveries_pending_lane on deliveries (lane, line, seq) where state = 'pending';
create index deliveries_by_event on deliveries (event_seq);
create index deliveries_by_state on deliveries (state, id);
create index deliveries_by_lane on deliveries (lane, id);
create index deliveries_by_task on deliveries (line);

-- Every try of a delivery, for the person who asks why nothing arrived.
create table delivery_tries (
  delivery_id text not null references deliveries (id) on delete cascade,
  number integer not null,                -- from 1, over replays too
  at_ms integer not null,
  took_ms integer not null,
  status integer,                         -- HTTP status. Null: no answer
  error text,                             -- Null: accepted
  answer text,                            -- first bytes of the answer's body. Null: none
  primary key (delivery_id, number)
) strict, without rowid;

------------------------------------------------------------------------------------------------------------
-- Access
------------------------------------------------------------------------------------------------------------

create table tokens (
  id text primary key,
  name text not null,
  role text not null check (role in ('admin', 'operator', 'viewer')),
  sha256 text not null unique,            -- hex; the token itself is shown once and kept nowhere
  created_ms integer not null,
  used_ms integer,                        -- last use, to the hour. Null: never
  revoked_ms integer,                     -- Null: valid
  expires_ms integer                      -- useless from then on. Null: never
) strict, without rowid;

-- Who did what by hand.
create table audit (
  seq integer primary key autoincrement,
  at_ms integer not null,
  who text not null,                      -- token or user name
  verb text not null,                     -- 'task.cancel', 'workflow.apply', ...
  subject text not null,                  -- id or name
  detail text                             -- JSON. Null: nothing to add
) strict;

create index audit_by_who on audit (who, seq);
create index audit_by_verb on audit (verb, seq);
create index audit_by_subject on audit (subject, seq);

-- Answers of calls that carried an Idempotency-Key and made something else than a task.
create table idempotency (
  key text primary key,
  request_sha256 text not null,           -- of method, path and body: the same key with another request is refused
  answer text not null,                   -- JSON of status and body
  created_ms integer not null
) strict, without rowid;

-- People who log in.
create table users (
  id text primary key,
  name text not null unique,
  role text not null check (role in ('admin', 'operator', 'viewer')),
  password text not null,                 -- PHC string of argon2id
  disabled integer not null default 0 check (disabled in (0, 1)),
  created_ms integer not null,
  modified_ms integer not null,
  used_ms integer                         -- last log-in. Null: never
) strict;

-- Open log-ins of users, and of whoever logged in with a token.
create table sessions (
  sha256 text primary key,                -- hex, of the cookie's value
                                          -- whose it is, one of both:
  user_id text references users (id) on delete cascade,
  token_id text references tokens (id) on delete cascade,
  csrf text not null,                     -- what a page must send with everything that changes
  created_ms integer not null,
  expires_ms integer not null,
  used_ms integer not null,               -- to the minute
  check ((user_id is null) <> (token_id is null))
) strict, without rowid;

create index sessions_by_user on sessions (user_id) where user_id is not null;
create index sessions_by_token on sessions (token_id) where token_id is not null;

-- Key pairs of the cloud-compatible APIs.
create table access_keys (
  id text primary key,                    -- the AccessKeyId or SecretId
  name text not null,
  role text not null check (role in ('admin', 'operator', 'viewer')),
  secret text not null,                   -- encrypted by base::sealed: signatures are checked with it
  created_ms integer not null,
  used_ms integer,                        -- to the hour. Null: never
  revoked_ms integer                      -- Null: valid
) strict, without rowid;

------------------------------------------------------------------------------------------------------------
-- Destinations made by hand, alerts, history
------------------------------------------------------------------------------------------------------------

-- Destinations that were made through the API; those of the configuration are not here.
create table destinations (
  name text primary key,
  definition text not null,               -- JSON as [[destination]], secrets encrypted by base::sealed
  created_ms integer not null,
  modified_ms integer not null
) strict;

-- What a person should look at. One row an episode; the open one of (code, subject) is kept up to date.
create table alerts (
  id text primary key,
  code text not null,                     -- CamelCase, as in events::Detail::Alert
  subject text not null,
  severity text not null check (severity in ('warning', 'critical')),
  cause text not null,
  remedy text not null,
  raised_ms integer not null,
  seen_ms integer not null,               -- last time it was found so
  cleared_ms integer,                     -- Null: it is still so
  acknowledged_by text                    -- who said they know. Null: nobody
) strict;

create unique index alerts_open on alerts (code, subject) where cleared_ms is null;

-- Gauges by the minute, for graphs; pruned after some days.
create table gauges (
  name text not null,
  at_ms integer not null,                 -- begin of the minute
  value real not null,
  primary key (name, at_ms)
) strict, without rowid;

-- Which template an activity type takes when it names none.
create table default_templates (
  kind text primary key,                  -- ActivityKind::as_str
  template text not null,
  set_ms integer not null
) strict, without rowid;
