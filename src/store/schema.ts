/** Tables of requests, devices, jobs, outbox and things used once. Times are ISO 8601 in UTC, so text order is time order. */

export const REQUESTS_SCHEMA = `
-- One JSON aggregate per request; the columns beside it are what look-ups need.
CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  state TEXT NOT NULL,
  sender TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  ended_at TEXT,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX requests_open_by_sender ON requests (sender) WHERE ended_at IS NULL;
CREATE INDEX requests_by_age ON requests (created_at);
CREATE INDEX requests_by_expiry ON requests (expires_at) WHERE ended_at IS NULL;

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  request_id TEXT NOT NULL REFERENCES requests (id),
  link_hash TEXT NOT NULL UNIQUE,
  person TEXT NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_request ON sessions (request_id);
CREATE INDEX sessions_waiting ON sessions (person) WHERE state = 'open';

CREATE TABLE devices (
  id TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX devices_by_person ON devices (person);

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  request_id TEXT NOT NULL,
  due_at TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  lease TEXT,
  leased_until TEXT
) STRICT;
CREATE INDEX jobs_due ON jobs (due_at);

CREATE TABLE outbox (
  id TEXT PRIMARY KEY,
  request_id TEXT,
  kind TEXT NOT NULL,
  topic TEXT NOT NULL,
  recipient TEXT NOT NULL,
  envelope_from TEXT NOT NULL,
  message_id TEXT NOT NULL,
  blob TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at TEXT NOT NULL,
  last_reply TEXT,
  created_at TEXT NOT NULL,
  leased_until TEXT,
  UNIQUE (request_id, recipient, kind, topic)
) STRICT;
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE state = 'pending';

CREATE TABLE used_once (
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX used_once_by_expiry ON used_once (expires_at);

CREATE TABLE codes (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  hash TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  wrong_tries INTEGER NOT NULL,
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  at TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_subject ON events (kind, subject, at);
CREATE INDEX events_by_age ON events (at);
`;

/** Documents that were finished before they were kept provable are looked at once; from then on they are scheduled. */
export const ARCHIVE_SCHEMA = `
INSERT INTO jobs (id, kind, request_id, due_at, attempts)
  SELECT id || '-extend', 'extend', id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 0 FROM requests WHERE state = 'finished';
`;

/** Requests that were open before there were reminders get theirs at half time; it reckons the next one itself. */
export const REMINDERS_SCHEMA = `
INSERT INTO jobs (id, kind, request_id, due_at, attempts)
  SELECT id || '-remind', 'remind', id,
    strftime('%Y-%m-%dT%H:%M:%fZ', (julianday(created_at) + julianday(expires_at)) / 2), 0
  FROM requests
  WHERE ended_at IS NULL AND state IN ('preparing', 'open') AND julianday(expires_at) - julianday(created_at) >= 1;
`;
