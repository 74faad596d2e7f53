package desired

import (
	"fmt"
	"strings"
	"time"

	"github.com/open4x/socialops/api/v1alpha1"
)

// KeySecret is what the Secret with an instance's generated API key holds.
type KeySecret struct {
	Key        string
	RotatedFor string // the value of the instance's rotate annotation that Key was made for
	// Previous is the key before it, valid until PreviousExpires; empty: there is none.
	Previous        string
	PreviousExpires time.Time
}

// String keeps keys out of logs by way of %v.
func (k *KeySecret) String() string { return "API keys" }

// GoString is String, for %#v.
func (k *KeySecret) GoString() string { return k.String() }

// ReadKeySecret reads what the Secret holds. A previous key without a readable expiry
// counts as expired.
func ReadKeySecret(data map[string][]byte, annotations map[string]string) *KeySecret {
	k := &KeySecret{
		Key:        strings.TrimSpace(string(data[KeyAPIKey])),
		RotatedFor: annotations[v1alpha1.AnnotationRotatedFor],
	}
	if expires, err := time.Parse(time.RFC3339, annotations[v1alpha1.AnnotationPreviousExpires]); err == nil {
		k.Previous, k.PreviousExpires = strings.TrimSpace(string(data[KeyPreviousAPIKey])), expires.UTC()
	}
	return k
}

// GeneratedKey is a generated API key that is to be valid.
type GeneratedKey struct {
	Name      string
	Value     string
	ExpiresAt time.Time // zero: never
}

// String names the key, and keeps its value out of logs by way of %v.
func (k GeneratedKey) String() string { return fmt.Sprintf("API key %q", k.Name) }

// GoString is String, for %#v.
func (k GeneratedKey) GoString() string { return k.String() }

// generatedKeyName is the same for a key and the one before it, since a key's id is
// made of name and value: a key keeps its id when it is rotated out.
const generatedKeyName = "generated"

// previousValid is for how long callers may go on with the key before the last rotation.
const previousValid = 24 * time.Hour

// Keys is what becomes of an instance's generated API key.
type Keys struct {
	// Secret is what the Secret is to hold; nil: the manifest names keys, so there is none.
	Secret *KeySecret
	// Valid are the keys that callers may use, none where the manifest names its own.
	Valid []GeneratedKey
	// Made tells that a key was made just now, and Rotated that one that was valid before
	// is its previous one.
	Made, Rotated bool
	// CheckAt is when the previous key expires and the Secret is to lose it; zero: no
	// time changes anything.
	CheckAt time.Time
}

// GenerateKeys decides on an instance's generated API key. held is what its Secret
// holds, nil when it is missing: then a new key is made, and nothing is left of the
// earlier ones, as whoever deletes the Secret wants. A key that valid refuses is
// replaced likewise. generate makes a key's value; it is called for a new key only.
//
// A rotation keeps one previous key: the next one ends it, if it hasn't expired by then.
func GenerateKeys(in *v1alpha1.SocialOpsInstance, held *KeySecret, now time.Time, generate func() string, valid func(string) bool) Keys {
	if len(in.Spec.APIKeys) > 0 {
		return Keys{}
	}
	wanted := in.Annotations[v1alpha1.AnnotationRotateKeys]
	if held == nil {
		held = &KeySecret{}
	}
	k := Keys{Secret: &KeySecret{Key: held.Key, RotatedFor: held.RotatedFor}}
	if valid(held.Previous) && held.PreviousExpires.After(now) {
		k.Secret.Previous, k.Secret.PreviousExpires = held.Previous, held.PreviousExpires
	}
	switch {
	case !valid(held.Key):
		k.Made = true
	case wanted != "" && wanted != held.RotatedFor:
		k.Made, k.Rotated = true, true
		k.Secret.Previous, k.Secret.PreviousExpires = held.Key, now.Add(previousValid).UTC().Truncate(time.Second)
	}
	if k.Made {
		k.Secret.Key = generate()
		if wanted != "" {
			k.Secret.RotatedFor = wanted
		}
	}
	k.Valid = []GeneratedKey{{Name: generatedKeyName, Value: k.Secret.Key}}
	if k.Secret.Previous != "" {
		k.Valid = append(k.Valid, GeneratedKey{Name: generatedKeyName, Value: k.Secret.Previous, ExpiresAt: k.Secret.PreviousExpires})
		k.CheckAt = k.Secret.PreviousExpires
	}
	return k
}
