package project

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// Origins of keys.
const (
	originManifest = "manifest"
	originAPI      = "api"
)

// GeneratedKey is a key that was made for an instance rather than named by its
// manifest: in a Secret by the operator, in a file by the dev mode.
type GeneratedKey struct {
	Name      string
	Value     string
	ExpiresAt time.Time // zero: never
}

const keyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// ValidKey tells whether a text can be an API key: "sk_" and 32 to 128 letters,
// digits, "_" and "-".
func ValidKey(s string) bool {
	rest, ok := strings.CutPrefix(s, "sk_")
	return ok && len(rest) >= 32 && len(rest) <= 128 && strings.Trim(rest, keyAlphabet+"_-") == ""
}

// key is the row of a key's value. The same name and value give the same id.
func key(id inbox.InstanceID, name, value string, scopes []v1alpha1.Scope, expires, now time.Time) inbox.Key {
	if len(scopes) == 0 {
		scopes = []v1alpha1.Scope{v1alpha1.ScopeRead, v1alpha1.ScopeWrite}
	}
	k := inbox.Key{
		Hash: sha256.Sum256([]byte(value)), Hint: value[len(value)-4:], Name: name, Origin: originManifest,
		CreatedAt: now, ExpiresAt: expires,
	}
	for _, s := range scopes {
		k.Scopes = append(k.Scopes, string(s))
	}
	slices.Sort(k.Scopes)
	k.ID = inbox.NameID[inbox.KeyID](id, "key/"+name+"/"+hex.EncodeToString(k.Hash[:]))
	return k
}

// wantedKeys are the rows of the keys that a manifest names and of those made for
// it. What is wrong with one of them is in the verdict, and keeps no other out.
func wantedKeys(in *v1alpha1.SocialOpsInstance, id inbox.InstanceID, secrets Secrets, generated []GeneratedKey, others []inbox.Key, now time.Time) ([]inbox.Key, verdict) {
	var keys []inbox.Key
	result := yes(v1alpha1.ConditionKeysReady, v1alpha1.ReasonKeysReady, "every API key is valid")
	problem := func(reason, format string, args ...any) {
		if result.reason == v1alpha1.ReasonKeysReady {
			result = no(v1alpha1.ConditionKeysReady, reason, format, args...)
		}
	}
	add := func(k inbox.Key) bool {
		for _, o := range slices.Concat(keys, others) {
			if o.Hash == k.Hash {
				return false
			}
		}
		keys = append(keys, k)
		return true
	}
	for _, k := range in.Spec.APIKeys {
		field := k.SecretRef.Key
		if field == "" {
			field = "key"
		}
		secret := secrets(in.Namespace, k.SecretRef.Name)
		if secret == nil || len(secret.Data[field]) == 0 {
			problem(v1alpha1.ReasonSecretMissing, "API key %q: the Secret %q has no key %q: create it, with \"sk_\" and 32 to 128 letters and digits", k.Name, k.SecretRef.Name, field)
			continue
		}
		value := strings.TrimSpace(string(secret.Data[field]))
		switch {
		case !ValidKey(value):
			problem(v1alpha1.ReasonKeyInvalid, "API key %q: what the Secret %q holds under %q is no key: want \"sk_\" and 32 to 128 of A-Z, a-z, 0-9, \"_\" and \"-\"", k.Name, k.SecretRef.Name, field)
		case !add(key(id, k.Name, value, k.Scopes, time.Time{}, now)):
			problem(v1alpha1.ReasonKeyDuplicate, "API key %q: its value is another key's too: give each key a value of its own", k.Name)
		}
	}
	for _, g := range generated {
		if !ValidKey(g.Value) {
			problem(v1alpha1.ReasonKeyInvalid, "the generated API key %q is damaged: delete it, and another one is made", g.Name)
			continue
		}
		add(key(id, g.Name, g.Value, nil, g.ExpiresAt.UTC().Truncate(time.Microsecond), now))
	}
	return keys, result
}

// keyChanges compares what is stored of manifests' keys with what is wanted.
func keyChanges(have, want []inbox.Key) (put []inbox.Key, remove []inbox.KeyID) {
	for _, w := range want {
		i := slices.IndexFunc(have, func(h inbox.Key) bool { return h.ID == w.ID })
		if i < 0 || !slices.Equal(sorted(have[i].Scopes), w.Scopes) || !have[i].ExpiresAt.Equal(w.ExpiresAt) {
			put = append(put, w)
		}
	}
	for _, h := range have {
		if h.Origin == originManifest && !slices.ContainsFunc(want, func(w inbox.Key) bool { return w.ID == h.ID }) {
			remove = append(remove, h.ID)
		}
	}
	return put, remove
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func ofOrigin(keys []inbox.Key, origin string) []inbox.Key {
	return slices.DeleteFunc(slices.Clone(keys), func(k inbox.Key) bool { return k.Origin != origin })
}
