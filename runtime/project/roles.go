package project

import (
	"context"
	"fmt"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// groupRuntime is the group that instances' roles are members of, and get every right from.
const groupRuntime = "socialops_runtime"

// A Part is what serves all instances of an install, as a role of its own.
type Part string

// The parts that have a login.
const (
	Worker  Part = "worker"
	Console Part = "console"
)

// group is what its role is a member of, and gets every right from.
func (p Part) group() string { return "socialops_" + string(p) }

// RoleName is its Postgres role in an install.
func (p Part) RoleName(install [16]byte) string { return fmt.Sprintf("so_%x_%s", install[12:], p) }

// RoleName is the Postgres role of an instance: so_<install>_<instance>. A name has
// at most 63 bytes, so the install gives only its last 8 hexadecimal digits; the
// instance's whole id alone makes the name unique.
func RoleName(install [16]byte, id inbox.InstanceID) string {
	return fmt.Sprintf("so_%x_%x", install[12:], id[:])
}

// connectionLimit leaves room for a rolling update: twice the pods, four connections each.
func connectionLimit(spec *v1alpha1.SocialOpsInstanceSpec) int {
	replicas := int32(1)
	switch {
	case spec.Autoscaling.MaxReplicas > 0:
		replicas = spec.Autoscaling.MaxReplicas
	case spec.Replicas != nil:
		replicas = *spec.Replicas
	}
	return 2 * int(replicas) * 4
}

// PartRole makes a part's login role, with a password, and mends one that is there, of
// which it tells. The password of one that is there changes only when renew is set:
// what Postgres keeps of it can't be compared.
func (p *Projector) PartRole(ctx context.Context, part Part, password string, renew bool) (existed bool, err error) {
	want := inbox.Role{Name: part.RoleName(p.Install), Group: part.group(), Login: true, Limit: -1}
	err = p.Store.Configure(ctx, []string{"role/" + want.Name}, func(tx inbox.ConfigurationTx) error {
		was, err := tx.Role(ctx, want.Name)
		if err != nil {
			return err
		}
		existed = was != nil
		if was == nil || renew {
			want.PasswordPrint = p.Seal.Fingerprint([]byte(want.Name + " " + password))
		}
		return putRole(ctx, tx, was, want, password)
	})
	if err != nil {
		return false, fmt.Errorf("setting up the %s's role: %w", part, err)
	}
	return existed, nil
}

// ClosePart lets nobody log in as a part that an install has no more. Its role stays,
// for when there is one again.
func (p *Projector) ClosePart(ctx context.Context, part Part) error {
	name := part.RoleName(p.Install)
	err := p.Store.Configure(ctx, []string{"role/" + name}, func(tx inbox.ConfigurationTx) error {
		was, err := tx.Role(ctx, name)
		if err != nil || was == nil || !was.Login {
			return err
		}
		want := *was
		want.Login = false
		return tx.PutRole(ctx, was, want, "")
	})
	if err != nil {
		return fmt.Errorf("closing the %s's role: %w", part, err)
	}
	return nil
}

func (p *Projector) roleOf(in InstanceInput, id inbox.InstanceID, name string) inbox.Role {
	want := inbox.Role{Name: name, Group: groupRuntime, InstanceID: id, Login: true, Limit: connectionLimit(&in.Manifest.Spec)}
	if in.Password != "" {
		want.PasswordPrint = p.Seal.Fingerprint([]byte(name + " " + in.Password))
	}
	return want
}

func putRole(ctx context.Context, tx inbox.ConfigurationTx, was *inbox.Role, want inbox.Role, password string) error {
	if was != nil && was.Group == want.Group && was.InstanceID == want.InstanceID && was.Login == want.Login &&
		was.Limit == want.Limit && equal(was.PasswordPrint, want.PasswordPrint) {
		return nil
	}
	return tx.PutRole(ctx, was, want, password)
}
