package project

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
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
		result.judge(m, now, failureVerdict(v1alpha1.ConditionDatabaseReady, err))
		return result, fmt.Errorf("projecting instance %s/%s: %w", m.Namespace, m.Name, err)
	}
	return result, nil
}

func aliasLock(alias string) string { return "alias/" + alias }

func instanceLock(namespace, name string) string { return "instance/" + namespace + "/" + name }

// judge adds verdicts and sums up.
func (r *InstanceResult) judge(m *v1alpha1.SocialOpsInstance, now time.Time, verdicts ...verdict) {
	r.Conditions = apply(r.Conditions, m.Generation, now, verdicts...)
	r.Conditions = sumUpInstance(m, r.Conditions, now, instanceConditions)
}

// sumUpInstance is Summarize for an instance: one that is suspended, and has no other trouble, is not ready for that.
func sumUpInstance(m *v1alpha1.SocialOpsInstance, conditions []metav1.Condition, now time.Time, restsOn []string) []metav1.Condition {
	was := slices.Clone(conditions)
	conditions = Summarize(conditions, m.Generation, now, "the inbox takes events and requests", restsOn...)
	if !m.Spec.Suspended() || !meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady) {
		return conditions
	}
	// From the conditions before, as a Ready in between would be a transition.
	return apply(was, m.Generation, now, no(v1alpha1.ConditionReady, v1alpha1.ReasonSuspended, "suspended: set spec.suspend to false to go on"),
		absent(v1alpha1.ConditionReconciling), absent(v1alpha1.ConditionStalled))
}

// SummarizeInstance adds conditions that are decided elsewhere, PodsReady and
// Exposed, to those of m's projection, and sums up all five. Of more it reads type,
// status, reason and message; an empty status means that the condition is absent.
func SummarizeInstance(m *v1alpha1.SocialOpsInstance, projected []metav1.Condition, now time.Time, more ...metav1.Condition) []metav1.Condition {
	summary := []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled}
	isSummary := func(c metav1.Condition) bool { return slices.Contains(summary, c.Type) }
	// The projection's own sum is of three conditions; how long the sum of all five holds is in m's status.
	conditions := slices.DeleteFunc(slices.Clone(projected), isSummary)
	for _, c := range m.Status.Conditions {
		if isSummary(c) {
			conditions = append(conditions, c)
		}
	}
	for _, c := range more {
		conditions = apply(conditions, m.Generation, now, verdict{c.Type, c.Status, c.Reason, c.Message})
	}
	return sumUpInstance(m, conditions, now, append(slices.Clone(instanceConditions), v1alpha1.ConditionPodsReady, v1alpha1.ConditionExposed))
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
	if p.KeepConditions && len(result.Conditions) == 0 {
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
	owned, err := p.owned(ctx, tx, row.ID, result.Role, decision == claimNew)
	if err != nil {
		return err
	}
	if err := putRole(ctx, tx, owned.role, p.roleOf(in, row.ID, result.Role), in.Password); err != nil {
		return err
	}
	if err := p.defaultChannels(ctx, tx, m, row, owned.channels, now); err != nil {
		return err
	}
	keys, err := p.keys(ctx, tx, in, row.ID, owned.keys, now)
	if err != nil {
		return err
	}
	result.judge(m, now, claimVerdict(decision, want.Alias),
		yes(v1alpha1.ConditionDatabaseReady, v1alpha1.ReasonDatabaseReady, "the instance's row and role are in Postgres"), keys)
	if !p.KeepConditions {
		return nil
	}
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

// owned is what an instance has besides its row.
type owned struct {
	role     *inbox.Role // nil: none yet
	channels []inbox.ChannelRow
	keys     []inbox.Key
}

// owned reads what an instance has. One whose id was just made has nothing.
func (p *Projector) owned(ctx context.Context, tx inbox.ConfigurationTx, id inbox.InstanceID, role string, isNew bool) (o owned, err error) {
	if isNew {
		return o, nil
	}
	if o.role, err = tx.Role(ctx, role); err != nil {
		return o, err
	}
	if o.channels, err = tx.Channels(ctx, id); err != nil {
		return o, err
	}
	o.keys, err = tx.Keys(ctx, id)
	return o, err
}

// defaultChannels gives an instance a channel for each of its providers that takes
// what a write key sends and no binding matches.
func (p *Projector) defaultChannels(ctx context.Context, tx inbox.ConfigurationTx, m *v1alpha1.SocialOpsInstance, row *inbox.InstanceRow, have []inbox.ChannelRow, now time.Time) error {
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
func (p *Projector) keys(ctx context.Context, tx inbox.ConfigurationTx, in InstanceInput, id inbox.InstanceID, have []inbox.Key, now time.Time) (verdict, error) {
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
