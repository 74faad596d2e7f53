package project

import (
	"testing"
	"time"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

func TestFirstClaimWinsForGood(t *testing.T) {
	t.Parallel()
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	install, other := [16]byte{1}, [16]byte{2}
	want := inbox.Manifest{Install: install, Namespace: "ns", Name: "a", UID: "u1", Since: t0, Generation: 3}
	row := func(change func(*inbox.InstanceRow)) *inbox.InstanceRow {
		r := &inbox.InstanceRow{Manifest: want, Instance: inbox.Instance{Owner: "alice"}}
		if change != nil {
			change(r)
		}
		return r
	}
	retired := func(change func(*inbox.InstanceRow)) *inbox.InstanceRow {
		return row(func(r *inbox.InstanceRow) {
			r.RetiredAt, r.Manifest.UID = t0, "u0"
			if change != nil {
				change(r)
			}
		})
	}
	for name, c := range map[string]struct {
		held *inbox.InstanceRow
		want claim
	}{
		"nobody":                            {nil, claimNew},
		"itself":                            {row(nil), claimOwn},
		"itself, older version":             {row(func(r *inbox.InstanceRow) { r.Manifest.Generation = 2 }), claimOwn},
		"itself, later version":             {row(func(r *inbox.InstanceRow) { r.Manifest.Generation = 4 }), claimStale},
		"itself with another owner":         {row(func(r *inbox.InstanceRow) { r.Owner = "bob" }), claimOwn},
		"another namespace":                 {row(func(r *inbox.InstanceRow) { r.Manifest.Namespace = "x" }), claimTaken},
		"another name":                      {row(func(r *inbox.InstanceRow) { r.Manifest.Name = "x" }), claimTaken},
		"another install":                   {row(func(r *inbox.InstanceRow) { r.Manifest.Install = other }), claimTaken},
		"an object before it":               {row(func(r *inbox.InstanceRow) { r.Manifest.UID, r.Manifest.Since = "u0", t0.Add(-time.Hour) }), claimAdopt},
		"an object after it":                {row(func(r *inbox.InstanceRow) { r.Manifest.UID, r.Manifest.Since = "u2", t0.Add(time.Hour) }), claimStale},
		"an object of unknown age":          {row(func(r *inbox.InstanceRow) { r.Manifest.UID, r.Manifest.Since = "u0", time.Time{} }), claimAdopt},
		"an object before it, other owner":  {row(func(r *inbox.InstanceRow) { r.Manifest.UID, r.Owner = "u0", "bob" }), claimRetained},
		"retired":                           {retired(nil), claimAdopt},
		"retired, other owner":              {retired(func(r *inbox.InstanceRow) { r.Owner = "bob" }), claimRetained},
		"retired, other namespace":          {retired(func(r *inbox.InstanceRow) { r.Manifest.Namespace = "x" }), claimRetained},
		"retired, other name":               {retired(func(r *inbox.InstanceRow) { r.Manifest.Name = "x" }), claimRetained},
		"retired, other install":            {retired(func(r *inbox.InstanceRow) { r.Manifest.Install = other }), claimRetained},
		"retired, other owner, released":    {retired(func(r *inbox.InstanceRow) { r.Owner, r.ReleasedAt = "bob", t0 }), claimAdopt},
		"retired, other install, released":  {retired(func(r *inbox.InstanceRow) { r.Manifest.Install, r.ReleasedAt = other, t0 }), claimAdopt},
		"being removed":                     {retired(func(r *inbox.InstanceRow) { r.PurgeAt = t0 }), claimPurged},
		"being removed, though it was ours": {retired(func(r *inbox.InstanceRow) { r.PurgeAt, r.ReleasedAt = t0, t0 }), claimPurged},
	} {
		if got := decideClaim(c.held, want, "alice"); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestRoleNameFitsPostgres(t *testing.T) {
	t.Parallel()
	install, id := inbox.NewID[inbox.InstanceID](time.Now()), inbox.NewID[inbox.InstanceID](time.Now())
	name := RoleName(install, id)
	if len(name) > 63 {
		t.Errorf("%s has %d bytes", name, len(name))
	}
	if other := RoleName(install, inbox.NewID[inbox.InstanceID](time.Now())); other == name {
		t.Error("two instances share a role")
	}
}

func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	three := int32(3)
	for want, spec := range map[int]v1alpha1.SocialOpsInstanceSpec{
		8:  {},
		24: {Replicas: &three},
		80: {Autoscaling: v1alpha1.Autoscaling{MinReplicas: 1, MaxReplicas: 10}},
	} {
		if got := connectionLimit(&spec); got != want {
			t.Errorf("%+v: %d, want %d", spec, got, want)
		}
	}
}
