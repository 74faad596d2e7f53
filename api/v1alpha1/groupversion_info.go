// Package v1alpha1 is what an admin writes: a SocialOpsInstance is one inbox, known
// by its alias; a ChannelBinding ties a Telegram bot, a GitHub webhook or any JSON
// source to it; a labelled Secret holds a connected account. What can be known when
// a manifest is applied is checked then, by the schema and its CEL rules, so that
// no admission webhook is needed; what can't shows in the conditions named here.
//
// +kubebuilder:object:generate=true
// +groupName=socialops.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of the types here.
var GroupVersion = schema.GroupVersion{Group: "socialops.dev", Version: "v1alpha1"}

// The kinds of the group, as they stand in a manifest.
const (
	KindSocialOpsInstance = "SocialOpsInstance"
	KindChannelBinding    = "ChannelBinding"
)

// AddToScheme makes the types known to a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&SocialOpsInstance{}, &SocialOpsInstanceList{},
		&ChannelBinding{}, &ChannelBindingList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
