package project

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

func TestGeneratedKeysAreValidAndDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	letters := map[rune]int{}
	for range 200 {
		k := GenerateKey()
		if !ValidKey(k) || seen[k] {
			t.Fatalf("%d letters, seen before: %v", len(k), seen[k])
		}
		seen[k] = true
		for _, c := range k[3:] {
			letters[c]++
		}
	}
	if len(letters) != 62 {
		t.Errorf("%d different letters in 8,000, want 62", len(letters))
	}
}

func TestValidKey(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"sk_" + strings.Repeat("a", 32):       true,
		"sk_" + strings.Repeat("Z9_-", 32):    true,
		"sk_" + strings.Repeat("a", 31):       false,
		"sk_" + strings.Repeat("a", 129):      false,
		"pk_" + strings.Repeat("a", 32):       false,
		"sk_" + strings.Repeat("a", 31) + "é": false,
		"sk_" + strings.Repeat("a", 31) + " ": false,
		"":                                    false,
	} {
		if got := ValidKey(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestWantedKeys(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	id := inbox.NewID[inbox.InstanceID](now)
	a, b := "sk_"+strings.Repeat("a", 32), "sk_"+strings.Repeat("b", 40)
	secrets := func(namespace, name string) *Secret {
		data, ok := map[string]map[string][]byte{
			"a": {"key": []byte(a + "\n")}, "b": {"other": []byte(b)}, "same": {"key": []byte(a)}, "bad": {"key": []byte("hunter2")},
		}[name]
		if !ok || namespace != "ns" {
			return nil
		}
		return &Secret{Namespace: namespace, Name: name, Data: data}
	}
	named := func(name, secret, key string, scopes ...v1alpha1.Scope) v1alpha1.APIKey {
		return v1alpha1.APIKey{Name: name, SecretRef: v1alpha1.SecretKeyReference{Name: secret, Key: key}, Scopes: scopes}
	}
	taken := key(id, "cli", a, nil, time.Time{}, now)
	for name, c := range map[string]struct {
		keys      []v1alpha1.APIKey
		generated []GeneratedKey
		others    []inbox.Key
		want      []string // name and scopes
		reason    string
	}{
		"named keys": {
			keys: []v1alpha1.APIKey{named("first", "a", ""), named("second", "b", "other", v1alpha1.ScopeRead)},
			want: []string{"first socialops:read,socialops:write", "second socialops:read"}, reason: "KeysReady",
		},
		"generated ones beside them": {
			keys: []v1alpha1.APIKey{named("first", "a", "")}, generated: []GeneratedKey{{Name: "dev", Value: b}},
			want: []string{"first socialops:read,socialops:write", "dev socialops:read,socialops:write"}, reason: "KeysReady",
		},
		"a missing Secret keeps no other out": {
			keys: []v1alpha1.APIKey{named("gone", "gone", ""), named("first", "a", "")},
			want: []string{"first socialops:read,socialops:write"}, reason: "SecretMissing",
		},
		"a missing key of a Secret": {keys: []v1alpha1.APIKey{named("b", "b", "")}, reason: "SecretMissing"},
		"no key at all":             {keys: []v1alpha1.APIKey{named("bad", "bad", "")}, reason: "KeyInvalid"},
		"one value twice": {
			keys: []v1alpha1.APIKey{named("first", "a", ""), named("second", "same", "")},
			want: []string{"first socialops:read,socialops:write"}, reason: "KeyDuplicate",
		},
		"a value that a key made by command has": {
			keys: []v1alpha1.APIKey{named("first", "a", "")}, others: []inbox.Key{taken}, reason: "KeyDuplicate",
		},
		"a damaged generated key": {generated: []GeneratedKey{{Name: "dev", Value: "sk_"}}, reason: "KeyInvalid"},
	} {
		in := &v1alpha1.SocialOpsInstance{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "x"}, Spec: v1alpha1.SocialOpsInstanceSpec{APIKeys: c.keys}}
		keys, v := wantedKeys(in, id, secrets, c.generated, c.others, now)
		var got []string
		for _, k := range keys {
			got = append(got, k.Name+" "+strings.Join(k.Scopes, ","))
		}
		if diff := cmp.Diff(c.want, got); diff != "" || v.reason != c.reason {
			t.Errorf("%s: %s (%s) %s", name, v.reason, v.message, diff)
		}
		for _, secret := range []string{a, b, "hunter2"} {
			if strings.Contains(v.message, secret) {
				t.Errorf("%s: the message shows a key", name)
			}
		}
	}
}

func TestKeyChanges(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	id := inbox.NewID[inbox.InstanceID](now)
	k := func(name, value string, change ...func(*inbox.Key)) inbox.Key {
		out := key(id, name, value, nil, time.Time{}, now)
		for _, c := range change {
			c(&out)
		}
		return out
	}
	read := func(k *inbox.Key) { k.Scopes = []string{inbox.ScopeRead} }
	api := func(k *inbox.Key) { k.Origin = originAPI }
	expires := func(k *inbox.Key) { k.ExpiresAt = now }
	old := func(k *inbox.Key) { k.CreatedAt = now.Add(-time.Hour) }
	for name, c := range map[string]struct {
		have, want  []inbox.Key
		put, remove int
	}{
		"nothing":                {nil, nil, 0, 0},
		"new":                    {nil, []inbox.Key{k("a", "1234")}, 1, 0},
		"same":                   {[]inbox.Key{k("a", "1234", old)}, []inbox.Key{k("a", "1234")}, 0, 0},
		"gone":                   {[]inbox.Key{k("a", "1234")}, nil, 0, 1},
		"another value":          {[]inbox.Key{k("a", "1234")}, []inbox.Key{k("a", "5678")}, 1, 1},
		"fewer scopes":           {[]inbox.Key{k("a", "1234")}, []inbox.Key{k("a", "1234", read)}, 1, 0},
		"expiring":               {[]inbox.Key{k("a", "1234")}, []inbox.Key{k("a", "1234", expires)}, 1, 0},
		"made by command, alone": {[]inbox.Key{k("a", "1234", api)}, nil, 0, 0},
	} {
		put, remove := keyChanges(c.have, c.want)
		if len(put) != c.put || len(remove) != c.remove {
			t.Errorf("%s: %d put, %d removed", name, len(put), len(remove))
		}
	}
}
