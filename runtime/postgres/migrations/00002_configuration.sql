-- What admins configure. runtime/project is the only writer of these rows; a
-- runtime reads those of its own instance.

-- +goose Up
CREATE TABLE instance (
  id              uuid PRIMARY KEY,
  install_id      uuid NOT NULL,
  namespace       text NOT NULL,
  name            text NOT NULL,
  uid             text NOT NULL,             -- of the manifest's object
  generation      bigint NOT NULL,
  alias           text NOT NULL UNIQUE CHECK (alias ~ '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' AND length(alias) <= 40),
  owner           text NOT NULL,
  providers       text[] NOT NULL,           -- allowed ones
  billing_account text NOT NULL DEFAULT '',
  billing_mode    text NOT NULL DEFAULT 'Track' CHECK (billing_mode IN ('Off', 'Track', 'Enforce')),
  inbound_price   bigint NOT NULL DEFAULT 200 CHECK (inbound_price >= 0), -- micro-USD a message
  reply_price     bigint NOT NULL DEFAULT 200 CHECK (reply_price >= 0),   -- micro-USD an attempt
  rate_limit      integer NOT NULL DEFAULT 0 CHECK (rate_limit >= 0),     -- requests a minute, key and pod; 0: unlimited
  body_limit      integer NOT NULL DEFAULT 26214400 CHECK (body_limit > 0), -- bytes
  suspended       boolean NOT NULL DEFAULT false,
  retired_at      timestamptz,
  conditions      jsonb NOT NULL DEFAULT '[]', -- of the dev mode, which has no status to write
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  UNIQUE (install_id, namespace, name)
);

-- Which instance a Postgres role is. Policies look here by current_user, never at
-- a setting, as SQL can set that.
CREATE TABLE instance_role (
  role_name   name PRIMARY KEY,
  instance_id uuid NOT NULL UNIQUE REFERENCES instance (id) ON DELETE CASCADE
);

-- A connected account's credential, which no runtime may read.
CREATE TABLE account (
  id          uuid PRIMARY KEY,
  install_id  uuid NOT NULL,
  namespace   text NOT NULL,
  name        text NOT NULL,
  kind        text NOT NULL,                 -- such as telegram-bot
  owner       text NOT NULL,
  source      text NOT NULL DEFAULT '',      -- scope of its events; empty until proven
  display_name text NOT NULL DEFAULT '',
  credential  bytea NOT NULL,                -- AES-256-GCM, bound to account and field
  key_id      text NOT NULL,                 -- of the key that encrypted it
  fingerprint bytea NOT NULL,                -- keyed hash of the credential: tells a change without decrypting
  identified_at timestamptz,                 -- when the provider last proved it
  webhook_hash text NOT NULL DEFAULT '',     -- of what was last registered with the provider
  webhook_instance_id uuid REFERENCES instance (id) ON DELETE SET NULL, -- who holds its one webhook
  conditions  jsonb NOT NULL DEFAULT '[]',
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  UNIQUE (install_id, namespace, name)
);

-- What an instance's runtime needs to verify calls of an account's provider.
CREATE TABLE account_proof (
  instance_id   uuid NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  account_id    uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  provider      text NOT NULL,
  source        text NOT NULL,
  token_hash    bytea CHECK (length(token_hash) = 32),
  old_token_hash bytea CHECK (length(old_token_hash) = 32), -- accepted until old_until
  old_until     timestamptz,
  secret        bytea,                        -- AES-256-GCM under the instance's own key
  PRIMARY KEY (instance_id, account_id)
);

CREATE TABLE channel (
  instance_id uuid NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  id          uuid NOT NULL,
  provider    text NOT NULL,
  name        text NOT NULL,
  account_id  uuid REFERENCES account (id) ON DELETE SET NULL,
  source      text NOT NULL DEFAULT '',       -- of the account; empty: the provider's own
  external_id text,                           -- the one chat or repository that it binds; null: every one of its account
  parse_mode  text NOT NULL DEFAULT '',
  active      boolean NOT NULL DEFAULT true,
  is_default  boolean NOT NULL DEFAULT false, -- takes what a write key sends and no binding matches
  uid         text NOT NULL DEFAULT '',       -- of the manifest's object; empty for a default channel without one
  generation  bigint NOT NULL DEFAULT 0,
  conditions  jsonb NOT NULL DEFAULT '[]',
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX channel_default ON channel (instance_id, provider) WHERE is_default;

CREATE TABLE api_key (
  instance_id uuid NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  id          uuid NOT NULL,
  hash        bytea NOT NULL CHECK (length(hash) = 32), -- SHA-256 of the key, which is random enough to need no salt
  hint        text NOT NULL,                  -- the key's last letters, for a person
  name        text NOT NULL,
  scopes      text[] NOT NULL CHECK (scopes <@ ARRAY['socialops:read', 'socialops:write']),
  origin      text NOT NULL CHECK (origin IN ('manifest', 'api')),
  created_at  timestamptz NOT NULL DEFAULT now(),
  expires_at  timestamptz,
  revoked_at  timestamptz,
  PRIMARY KEY (instance_id, id),
  UNIQUE (instance_id, hash)
);
