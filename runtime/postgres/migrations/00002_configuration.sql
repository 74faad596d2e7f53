-- What admins configure. runtime/project is the only writer of these rows; a
-- runtime reads those of its own instance.

-- +goose Up
CREATE TABLE instance (
  id              uuid PRIMARY KEY,
  install_id      uuid NOT NULL,
  namespace       text NOT NULL,
  name            text NOT NULL,
  uid             text NOT NULL,             -- of the manifest's object
  uid_since       timestamptz,               -- when that object was made, where it says so: the later of two is in force
  generation      bigint NOT NULL,
  alias           text NOT NULL CHECK (alias ~ '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' AND length(alias) <= 40),
  owner           text NOT NULL,
  providers       text[] NOT NULL,           -- allowed ones
  billing_account text NOT NULL DEFAULT '',
  billing_mode    text NOT NULL DEFAULT 'Track' CHECK (billing_mode IN ('Off', 'Track', 'Enforce')),
  inbound_price   bigint NOT NULL DEFAULT 200 CHECK (inbound_price >= 0), -- micro-USD a message
  reply_price     bigint NOT NULL DEFAULT 200 CHECK (reply_price >= 0),   -- micro-USD an attempt
  rate_limit      integer NOT NULL DEFAULT 0 CHECK (rate_limit >= 0),     -- requests a minute, key and pod; 0: unlimited
  rate_burst      integer NOT NULL DEFAULT 0 CHECK (rate_burst >= 0),     -- requests at once; 0: rate_limit
  body_limit      integer NOT NULL DEFAULT 26214400 CHECK (body_limit > 0), -- bytes
  suspended       boolean NOT NULL DEFAULT false,
  sealed_key      bytea NOT NULL DEFAULT '', -- the instance's own key, encrypted: what its runtime opens secrets with
  key_id          text NOT NULL DEFAULT '',  -- of the key that encrypted it
  deletion_policy text NOT NULL DEFAULT 'Retain' CHECK (deletion_policy IN ('Retain', 'Delete')),
  retired_at      timestamptz,               -- without a manifest since; the data waits for it
  released_at     timestamptz,               -- whoever claims the alias next gets the data
  purge_at        timestamptz,               -- the data is to be removed
  purged_at       timestamptz,               -- only the ledger is left; the alias is free
  conditions      jsonb NOT NULL DEFAULT '[]', -- of the dev mode, which has no status to write
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX instance_alias ON instance (alias) WHERE purged_at IS NULL;
CREATE UNIQUE INDEX instance_manifest ON instance (install_id, namespace, name) WHERE retired_at IS NULL;

-- Which instance a Postgres role is. Policies look here by current_user, never at
-- a setting, as SQL can set that.
CREATE TABLE instance_role (
  role_name   name PRIMARY KEY,
  instance_id uuid NOT NULL UNIQUE REFERENCES instance (id) ON DELETE CASCADE,
  password_print bytea NOT NULL DEFAULT ''   -- keyed hash of the role's password: tells a change
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
  tried       bytea NOT NULL DEFAULT '',     -- fingerprint of what was last shown to the provider, which may have refused it
  identified_at timestamptz,                 -- when the provider last proved it
  check_at    timestamptz,                   -- when to ask the provider again
  webhook_secret bytea NOT NULL DEFAULT '',  -- that the provider's calls carry, encrypted as the credential is
  webhook_hash text NOT NULL DEFAULT '',     -- of what was last registered with the provider
  webhook_url text NOT NULL DEFAULT '',      -- the address in it
  webhook_tried text NOT NULL DEFAULT '',    -- hash of what was last tried
  webhook_check_at timestamptz,              -- when to look at the provider's registration again
  webhook_instance_id uuid REFERENCES instance (id) ON DELETE SET NULL, -- who holds its one webhook
  removed_at  timestamptz,                   -- without a Secret since; kept until its webhook is unregistered
  conditions  jsonb NOT NULL DEFAULT '[]',
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  UNIQUE (install_id, namespace, name)
);
-- A bot has one webhook, however many Secrets hold its token.
CREATE UNIQUE INDEX account_webhook ON account (source) WHERE webhook_instance_id IS NOT NULL;

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
  uid_since   timestamptz,                    -- as an instance's
  generation  bigint NOT NULL DEFAULT 0,
  removed_at  timestamptz,                    -- without a manifest since; threads keep their channel, and it may come back
  conditions  jsonb NOT NULL DEFAULT '[]',
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, id),
  CHECK (removed_at IS NULL OR NOT active)
);
CREATE INDEX channel_account ON channel (account_id) WHERE account_id IS NOT NULL;
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
