package desired_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/project"
)

const freshKey = "sk_SAMPLEsampleSAMPLEsampleSAMPLEsample0003"

func TestGenerateKeys(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	generated := func(value string, expires time.Time) desired.GeneratedKey {
		return desired.GeneratedKey{Name: "generated", Value: value, ExpiresAt: expires}
	}
	forever := time.Time{}
	for name, c := range map[string]struct {
		rotate string
		held   *desired.KeySecret
		named  bool
		want   desired.Keys
	}{
		"the first": {
			want: desired.Keys{Secret: &desired.KeySecret{Key: freshKey}, Valid: []desired.GeneratedKey{generated(freshKey, forever)}, Made: true},
		},
		"the first, with an annotation that is no news": {
			rotate: "one",
			want:   desired.Keys{Secret: &desired.KeySecret{Key: freshKey, RotatedFor: "one"}, Valid: []desired.GeneratedKey{generated(freshKey, forever)}, Made: true},
		},
		"at rest": {
			rotate: "one", held: &desired.KeySecret{Key: oneKey, RotatedFor: "one"},
			want: desired.Keys{Secret: &desired.KeySecret{Key: oneKey, RotatedFor: "one"}, Valid: []desired.GeneratedKey{generated(oneKey, forever)}},
		},
		"rotated": {
			rotate: "two", held: &desired.KeySecret{Key: oneKey, RotatedFor: "one"},
			want: desired.Keys{
				Secret: &desired.KeySecret{Key: freshKey, RotatedFor: "two", Previous: oneKey, PreviousExpires: noon.Add(day)},
				Valid:  []desired.GeneratedKey{generated(freshKey, forever), generated(oneKey, noon.Add(day))},
				Made:   true, Rotated: true, CheckAt: noon.Add(day),
			},
		},
		"an hour after": {
			rotate: "two", held: &desired.KeySecret{Key: otherKey, RotatedFor: "two", Previous: oneKey, PreviousExpires: noon.Add(23 * time.Hour)},
			want: desired.Keys{
				Secret:  &desired.KeySecret{Key: otherKey, RotatedFor: "two", Previous: oneKey, PreviousExpires: noon.Add(23 * time.Hour)},
				Valid:   []desired.GeneratedKey{generated(otherKey, forever), generated(oneKey, noon.Add(23*time.Hour))},
				CheckAt: noon.Add(23 * time.Hour),
			},
		},
		"a day after": {
			rotate: "two", held: &desired.KeySecret{Key: otherKey, RotatedFor: "two", Previous: oneKey, PreviousExpires: noon},
			want: desired.Keys{Secret: &desired.KeySecret{Key: otherKey, RotatedFor: "two"}, Valid: []desired.GeneratedKey{generated(otherKey, forever)}},
		},
		"the annotation taken away": {
			held: &desired.KeySecret{Key: oneKey, RotatedFor: "one"},
			want: desired.Keys{Secret: &desired.KeySecret{Key: oneKey, RotatedFor: "one"}, Valid: []desired.GeneratedKey{generated(oneKey, forever)}},
		},
		"rotated again within a day": {
			rotate: "three", held: &desired.KeySecret{Key: otherKey, RotatedFor: "two", Previous: oneKey, PreviousExpires: noon.Add(time.Hour)},
			want: desired.Keys{
				Secret: &desired.KeySecret{Key: freshKey, RotatedFor: "three", Previous: otherKey, PreviousExpires: noon.Add(day)},
				Valid:  []desired.GeneratedKey{generated(freshKey, forever), generated(otherKey, noon.Add(day))},
				Made:   true, Rotated: true, CheckAt: noon.Add(day),
			},
		},
		"damaged by hand": {
			rotate: "one", held: &desired.KeySecret{Key: "sk_oops", RotatedFor: "one"},
			want: desired.Keys{Secret: &desired.KeySecret{Key: freshKey, RotatedFor: "one"}, Valid: []desired.GeneratedKey{generated(freshKey, forever)}, Made: true},
		},
		"damaged while a previous one is valid": {
			held: &desired.KeySecret{Previous: oneKey, PreviousExpires: noon.Add(time.Hour)},
			want: desired.Keys{
				Secret:  &desired.KeySecret{Key: freshKey, Previous: oneKey, PreviousExpires: noon.Add(time.Hour)},
				Valid:   []desired.GeneratedKey{generated(freshKey, forever), generated(oneKey, noon.Add(time.Hour))},
				Made:    true,
				CheckAt: noon.Add(time.Hour),
			},
		},
		"named by the manifest": {named: true, rotate: "two", held: &desired.KeySecret{Key: oneKey, RotatedFor: "one"}, want: desired.Keys{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := &v1alpha1.SocialOpsInstance{}
			if c.rotate != "" {
				in.Annotations = map[string]string{v1alpha1.AnnotationRotateKeys: c.rotate}
			}
			if c.named {
				in.Spec.APIKeys = []v1alpha1.APIKey{{Name: "own"}}
			}
			made := 0
			got := desired.GenerateKeys(in, c.held, noon, func() string { made++; return freshKey }, project.ValidKey)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (made > 0) != c.want.Made {
				t.Errorf("%d keys were generated", made)
			}
			if got.Secret == nil {
				return
			}
			again := desired.GenerateKeys(in, got.Secret, noon, func() string { t.Error("another key was generated"); return "" }, project.ValidKey)
			got.Made, got.Rotated = false, false
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("a second look changes something (-first +second):\n%s", diff)
			}
		})
	}
}

// What is written into the Secret is what is read from it.
func TestReadKeySecret(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]*desired.KeySecret{
		"first":   {Key: oneKey},
		"rotated": {Key: oneKey, RotatedFor: "two", Previous: otherKey, PreviousExpires: noon},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := manifest(t, "minimal")
			f := facts(in)
			f.KeySecret = k
			var secret struct {
				Metadata struct{ Annotations map[string]string }
				Data     map[string][]byte
			}
			decode(t, find(t, objects(t, in, settings(), f), "Secret", desired.KeySecretName(in)), &secret)
			if diff := cmp.Diff(k, desired.ReadKeySecret(secret.Data, secret.Metadata.Annotations)); diff != "" {
				t.Errorf("(-written +read):\n%s", diff)
			}
		})
	}
	for name, annotations := range map[string]map[string]string{
		"no expiry":           {},
		"a damaged expiry":    {v1alpha1.AnnotationPreviousExpires: "tomorrow"},
		"an annotation alone": {v1alpha1.AnnotationPreviousExpires: "2026-11-25T12:00:00Z"},
	} {
		data := map[string][]byte{"key": []byte(oneKey + "\n"), "previous": []byte(otherKey)}
		if name == "an annotation alone" {
			delete(data, "previous")
		}
		got := desired.ReadKeySecret(data, annotations)
		if diff := cmp.Diff(&desired.KeySecret{Key: oneKey}, got, cmpopts.IgnoreFields(desired.KeySecret{}, "PreviousExpires")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Keys end up in no log by way of a format.
func TestKeysAreNotPrinted(t *testing.T) {
	t.Parallel()
	in := manifest(t, "key-rotation")
	f := facts(in)
	keys := desired.GenerateKeys(in, f.KeySecret, noon, func() string { return freshKey }, project.ValidKey)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		printed := fmt.Sprintf(strings.Repeat(format+" ", 4), keys, f, *f, objects(t, in, settings(), f))
		if strings.Contains(printed, "sk_") || strings.Contains(printed, "sample-password") || strings.Contains(printed, "[115 97") {
			t.Errorf("%s prints %s", format, printed)
		}
	}
}
