// Package crd holds the two CustomResourceDefinitions as controller-gen writes them
// from api/v1alpha1, so that a binary without a cluster validates manifests by the
// very rules that an API server would.
package crd

import _ "embed"

// SocialOpsInstances is the YAML of socialopsinstances.socialops.dev.
//
//go:embed socialops.dev_socialopsinstances.yaml
var SocialOpsInstances []byte

// ChannelBindings is the YAML of channelbindings.socialops.dev.
//
//go:embed socialops.dev_channelbindings.yaml
var ChannelBindings []byte
