package project

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/seal"
)

// InstanceInput is an instance's manifest with what was made for it.
type InstanceInput struct {
	Manifest *v1alpha1.SocialOpsInstance
	// Secrets finds the Secrets that hold the manifest's API keys.
	Secrets Secrets
	// Generated are keys beside those that the manifest names.
	Generated []GeneratedKey
	// Password is that of the instance's Postgres role; empty: none, for a database
	// whose door is guarded otherwise, as the dev mode's is.
	Password string
}

// InstanceResult is what became of an instance.
type InstanceResult struct {
	ID   inbox.InstanceID // zero when the alias is not the instance's
	Role string           // its login role in Postgres
	Key  []byte           // its own key, for its runtime alone
	// Conditions are those of the manifest's status, with AliasClaimed, DatabaseReady
	// and KeysReady as they are now, and Ready summed up from these.
	Conditions []metav1.Condition
	// Stale tells that a later version of the manifest was projected already.
	Stale bool
}

// What an instance's Ready rests on, as far as it is decided here.
var instanceConditions = []string{v1alpha1.ConditionAliasClaimed, v1alpha1.ConditionDatabaseReady, v1alpha1.ConditionKeysReady}

// Instance projects an instance's manifest. The result's conditions are good even
// when there is an error, which means: try again.
func (p *Projector) Instance(ctx context.Context, in InstanceInput) (InstanceResult, error) {
	m := in.Manifest
	now := p.now()
	result := InstanceResult{Conditions: m.Status.Conditions}
	want, err := settings(m)
	if err != nil {
		result.judge(m, now, no(v1alpha1.ConditionDatabaseReady, v1alpha1.ReasonInvalidSpec, "%s", err.Error()))
		return result, nil
	}
	err = p.Store.Configure(ctx, []string{aliasLock(want.Alias), instanceLock(m.Namespace, m.Name)}, func(tx inbox.ConfigurationTx) error {
		result = InstanceResult{Conditions: m.Status.Conditions} // of this try
		return p.instance(ctx, tx, in, want, now, &result)
	})
	if err != nil {
		result = InstanceResult{Conditions: m.Status.Conditions}
		v := databaseVerdict(v1alpha1.ConditionDatabaseReady, err)
		if v == nil {
			u := no(v1alpha1.ConditionDatabaseReady, v1alpha1.ReasonProgressing, "%s", messageOf(err))
			v = &u
		}
		result.judge(m, now, *v)
		return result, fmt.Errorf("projecting instance %s/%s: %w", m.Namespace, m.Name, err)
	}
	return result, nil
}

func aliasLock(alias string) string { return "alias/" + alias }

func instanceLock(namespace, name string) string { return "instance/" + namespace + "/" + name }

// judge adds verdicts and sums up.
func (r *InstanceResult) judge(m *v1alpha1.SocialOpsInstance, now time.Time, verdicts ...verdict) {
	r.Conditions = apply(r.Conditions, m.Generation, now, verdicts...)
	r.Conditions = Summarize(r.Conditions, m.Generation, now, "the inbox takes events and requests", instanceConditions...)
	if m.Spec.Suspended() && !slices.ContainsFunc(verdicts, func(v verdict) bool { return v.status == metav1.ConditionFalse }) {
		r.Conditions = apply(r.Conditions, m.Generation, now,
			no(v1alpha1.ConditionReady, v1alpha1.ReasonSuspended, "suspended: set spec.suspend to false to go on"))
	}
}

func (p *Projector) instance(ctx context.Context, tx inbox.ConfigurationTx, in InstanceInput, want inbox.Instance, now time.Time, result *InstanceResult) error {
	m := in.Manifest
	object := p.manifest(m.Namespace, m.Name)
	object.UID, object.Generation, object.Since = string(m.UID), m.Generation, m.CreationTimestamp.UTC()
	if m.CreationTimestamp.IsZero() {
		object.Since = time.Time{}
	}
	held, err := tx.InstanceByAlias(ctx, want.Alias)
	if err != nil {
		return err
	}
	decision := decideClaim(held, object, want.Owner)
	former, err := p.retireFormer(ctx, tx, object, held, decision, now)
	if err != nil {
		return err
	}
	if decision == claimStale || former == claimStale {
		result.Stale = true
		if decision == claimStale {
			return p.identity(held, result)
		}
		return nil
	}
	if !decision.granted() {
		result.judge(m, now, claimVerdict(decision, want.Alias), absent(v1alpha1.ConditionDatabaseReady), absent(v1alpha1.ConditionKeysReady))
		return nil
	}
	row, err := p.instanceRow(held, object, want, deletionPolicy(m), now)
	if err != nil {
		return err
	}
	if len(result.Conditions) == 0 { // the dev mode's manifests carry no status
		result.Conditions = decode(row.Conditions)
	}
	// The row comes first, as the others refer to it, and once more if its conditions differ then.
	first := *row
	if err := put(ctx, tx, held, &first); err != nil {
		return err
	}
	if err := p.identity(row, result); err != nil {
		return err
	}
	if err := p.role(ctx, tx, in, row.ID, result.Role); err != nil {
		return err
	}
	if err := p.defaultChannels(ctx, tx, m, row, now); err != nil {
		return err
	}
	keys, err := p.keys(ctx, tx, in, row.ID, now)
	if err != nil {
		return err
	}
	result.judge(m, now, claimVerdict(decision, want.Alias),
		yes(v1alpha1.ConditionDatabaseReady, v1alpha1.ReasonDatabaseReady, "the instance's row and role are in Postgres"), keys)
	row.Conditions = encode(result.Conditions, first.Conditions)
	return put(ctx, tx, &first, row)
}

// identity is what a claimed instance runs as.
func (p *Projector) identity(row *inbox.InstanceRow, result *InstanceResult) (err error) {
	result.ID, result.Role = row.ID, RoleName(p.Install, row.ID)
	result.Key, err = p.open(row.KeyID, row.SealedKey, inbox.InstanceKeyPlace(row.ID))
	return err
}

// retireFormer puts the row out of force that an earlier object of the same name
// left behind: one of another alias, or of another owner.
func (p *Projector) retireFormer(ctx context.Context, tx inbox.ConfigurationTx, object inbox.Manifest, held *inbox.InstanceRow, decision claim, now time.Time) (claim, error) {
	former, err := tx.InstanceOf(ctx, object)
	if err != nil || former == nil {
		return decision, err
	}
	if held != nil && former.ID == held.ID && decision.granted() || decision == claimStale {
		return decision, nil
	}
	if stale(former.Manifest, object) {
		return claimStale, nil
	}
	return decision, p.retire(ctx, tx, former, now)
}

// instanceRow is the row that a claimed instance should have.
func (p *Projector) instanceRow(held *inbox.InstanceRow, object inbox.Manifest, want inbox.Instance, policy string, now time.Time) (*inbox.InstanceRow, error) {
	row := inbox.InstanceRow{CreatedAt: now, Conditions: json.RawMessage("[]")}
	if held != nil {
		row = *held
	}
	want.ID = row.ID
	row.Instance, row.Manifest = want, object
	row.DeletionPolicy = policy
	row.RetiredAt, row.ReleasedAt = time.Time{}, time.Time{}
	if held == nil {
		row.ID = inbox.NewID[inbox.InstanceID](now)
	}
	return &row, p.sealInstanceKey(&row)
}

// sealInstanceKey makes an instance's own key once, and seals it anew when the key
// over it was replaced.
func (p *Projector) sealInstanceKey(row *inbox.InstanceRow) error {
	if len(row.SealedKey) > 0 && row.KeyID == p.Seal.ID() {
		return nil
	}
	secret := seal.Generate()
	if len(row.SealedKey) > 0 {
		var err error
		if secret, err = p.open(row.KeyID, row.SealedKey, inbox.InstanceKeyPlace(row.ID)); err != nil {
			return err
		}
	}
	row.SealedKey, row.KeyID = p.Seal.Seal(secret, inbox.InstanceKeyPlace(row.ID)), p.Seal.ID()
	return nil
}

// put writes an instance's row if it differs.
func put(ctx context.Context, tx inbox.ConfigurationTx, was, row *inbox.InstanceRow) error {
	if was != nil && reflect.DeepEqual(*was, *row) {
		return nil
	}
	return tx.PutInstance(ctx, row)
}

func (p *Projector) role(ctx context.Context, tx inbox.ConfigurationTx, in InstanceInput, id inbox.InstanceID, name string) error {
	want := inbox.Role{Name: name, Group: "socialops_runtime", InstanceID: id, Login: true, Limit: connectionLimit(&in.Manifest.Spec)}
	if in.Password != "" {
		want.PasswordPrint = p.Seal.Fingerprint([]byte(name + " " + in.Password))
	}
	return putRole(ctx, tx, want, in.Password)
}

func putRole(ctx context.Context, tx inbox.ConfigurationTx, want inbox.Role, password string) error {
	was, err := tx.Role(ctx, want.Name)
	if err != nil {
		return err
	}
	if was != nil && was.Group == want.Group && was.InstanceID == want.InstanceID && was.Login == want.Login &&
		was.Limit == want.Limit && equal(was.PasswordPrint, want.PasswordPrint) {
		return nil
	}
	return tx.PutRole(ctx, was, want, password)
}

// defaultChannels gives an instance a channel for each of its providers that takes
// what a write key sends and no binding matches.
func (p *Projector) defaultChannels(ctx context.Context, tx inbox.ConfigurationTx, m *v1alpha1.SocialOpsInstance, row *inbox.InstanceRow, now time.Time) error {
	have, err := tx.Channels(ctx, row.ID)
	if err != nil {
		return err
	}
	have = slices.DeleteFunc(have, func(c inbox.ChannelRow) bool { return !c.Default })
	for i := range have {
		c := have[i]
		if c.Active = slices.Contains(row.Providers, c.Provider); c.Active != have[i].Active {
			if err := tx.PutChannel(ctx, &c); err != nil {
				return err
			}
		}
	}
	for _, name := range row.Providers {
		if slices.ContainsFunc(have, func(c inbox.ChannelRow) bool { return c.Provider == name }) {
			continue
		}
		c := inbox.ChannelRow{InstanceID: row.ID, CreatedAt: now, Channel: inbox.Channel{
			ID: p.defaultChannelID(m.Namespace, m.Name, name), Provider: name, Name: "Other " + name + " events", Active: true, Default: true,
		}}
		if err := tx.PutChannel(ctx, &c); err != nil {
			return err
		}
	}
	return nil
}

// keys makes the stored keys of an instance's manifest those that it names.
func (p *Projector) keys(ctx context.Context, tx inbox.ConfigurationTx, in InstanceInput, id inbox.InstanceID, now time.Time) (verdict, error) {
	have, err := tx.Keys(ctx, id)
	if err != nil {
		return verdict{}, err
	}
	want, result := wantedKeys(in.Manifest, id, in.Secrets, in.Generated, ofOrigin(have, originAPI), now)
	change, remove := keyChanges(have, want)
	for _, k := range remove { // first, as a name's new key may have the hash of a removed one
		if err := tx.DeleteKey(ctx, id, k); err != nil {
			return verdict{}, err
		}
	}
	for _, k := range change {
		if err := tx.PutKey(ctx, id, k); err != nil {
			return verdict{}, err
		}
	}
	return result, nil
}
