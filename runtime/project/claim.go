package project

import (
	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// claim is what becomes of a manifest that asks for an alias.
type claim int

const (
	claimNew      claim = iota // nobody had the alias
	claimOwn                   // it is this manifest's
	claimAdopt                 // its data waited for this manifest, or was released
	claimStale                 // the row was projected from a later version
	claimTaken                 // somebody else's
	claimPurged                // its former data is being removed
	claimRetained              // kept for somebody else, until an admin releases it
)

// granted tells whether the manifest has the alias now.
func (c claim) granted() bool { return c == claimNew || c == claimOwn || c == claimAdopt }

// decideClaim: the first claim wins for good. held is who has the alias, nil when
// nobody does.
func decideClaim(held *inbox.InstanceRow, want inbox.Manifest, owner string) claim {
	if held == nil {
		return claimNew
	}
	ours := held.Manifest.Install == want.Install && held.Manifest.Namespace == want.Namespace && held.Manifest.Name == want.Name
	switch {
	case !held.PurgeAt.IsZero():
		return claimPurged
	case held.RetiredAt.IsZero() && !ours:
		return claimTaken
	case held.RetiredAt.IsZero() && stale(held.Manifest, want):
		return claimStale
	case held.RetiredAt.IsZero() && held.Manifest.UID == want.UID:
		return claimOwn
	case !held.ReleasedAt.IsZero():
		return claimAdopt
	case ours && held.Owner == owner:
		return claimAdopt
	default:
		return claimRetained
	}
}

// stale tells whether a row came from a later version of the object, or from a
// later object of the same name.
func stale(row, want inbox.Manifest) bool {
	if row.UID == want.UID {
		return want.Generation < row.Generation
	}
	return !row.Since.IsZero() && !want.Since.IsZero() && want.Since.Before(row.Since)
}

// claimVerdict never tells who holds the alias.
func claimVerdict(c claim, alias string) verdict {
	switch c {
	case claimTaken:
		return no(v1alpha1.ConditionAliasClaimed, v1alpha1.ReasonAliasTaken,
			"the alias %q is taken: choose another one; an alias belongs to its first claimant for good", alias)
	case claimRetained:
		return no(v1alpha1.ConditionAliasClaimed, v1alpha1.ReasonAliasRetained,
			"the alias %q holds the data of an instance that was deleted, kept for its return: choose another alias, or ask an admin to run `socialops instance release %s`", alias, alias)
	case claimPurged:
		return no(v1alpha1.ConditionAliasClaimed, v1alpha1.ReasonProgressing,
			"the data of the alias's former instance is being removed; the alias %q is claimed after that", alias)
	default:
		return yes(v1alpha1.ConditionAliasClaimed, v1alpha1.ReasonAliasClaimed, "the alias %q is this instance's", alias)
	}
}
