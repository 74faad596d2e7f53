package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DeletionPolicy is what happens to an instance's data when the instance is deleted:
// Retain or Delete.
//
// +kubebuilder:validation:Enum=Retain;Delete
type DeletionPolicy string

// The deletion policies.
const (
	DeletionRetain DeletionPolicy = "Retain"
	DeletionDelete DeletionPolicy = "Delete"
)

// SocialOpsInstanceSpec is the inbox that is wanted.
//
// +kubebuilder:validation:XValidation:rule="!has(self.replicas) || !has(self.autoscaling)",fieldPath=".replicas",reason=FieldValueForbidden,message="set replicas or autoscaling, not both"
type SocialOpsInstanceSpec struct {
	// alias is the inbox's name in its URL, /v1/apps/socialops/ALIAS: a DNS label of at
	// most 40 characters. It is claimed once in the whole installation, first come first
	// served, and can't be changed.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="must be a DNS label: lower-case letters, digits and '-', beginning and ending with a letter or digit"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="can't be changed: the alias is part of every URL; make a new instance for another alias"
	Alias string `json:"alias,omitempty"`

	// owner is who sees the inbox in the console: the subject ("sub") of an OIDC user, 1
	// to 255 characters. Only connected accounts of the same owner can be bound to it.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^[:cntrl:]]*$') && self.trim() == self",message="must be a user's subject on one line, without blanks around it"
	Owner string `json:"owner,omitempty"`

	// providers are the sources that the inbox takes messages from; a webhook call for
	// another is answered 403. Default: generic-webhook, telegram and github.
	//
	// +optional
	// +listType=set
	// +default=["generic-webhook","telegram","github"]
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Providers []Provider `json:"providers,omitempty"`

	// replicas is the number of pods, 1 to 100. Not together with autoscaling. Default 1.
	// To stop an instance set suspend.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 100",message="must be 1 to 100; to stop an instance set suspend: true"
	Replicas *int32 `json:"replicas,omitempty"`

	// autoscaling keeps as many pods as the load needs. Not together with replicas.
	//
	// +optional
	Autoscaling Autoscaling `json:"autoscaling,omitzero"`

	// resources are what each pod asks for and may use. What is left out is the
	// operator's: requests of 10m CPU (100m with autoscaling) and 32Mi of memory, and a
	// limit of 512Mi, unless it was told otherwise.
	//
	// +optional
	Resources *Resources `json:"resources,omitempty"`

	// pod sets labels, environment, scheduling and pull secrets of the pods.
	//
	// +optional
	Pod *PodSettings `json:"pod,omitempty"`

	// image is the runtime's image. It has to begin with one of the operator's allowed
	// prefixes, as a whole name: ghcr.io/acme/socialops is no prefix of
	// ghcr.io/acme/socialops-fork. Default: the operator's own image, by digest.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9][a-zA-Z0-9._:/-]*(@sha256:[0-9a-f]{64})?$')",message="must be an image such as ghcr.io/open4x/socialops:v1.0.0, with or without @sha256:…"
	Image string `json:"image,omitempty"`

	// exposure says how the inbox is reached from outside the cluster. Default: not at all.
	//
	// +optional
	// +default={"type":"None"}
	Exposure Exposure `json:"exposure,omitzero"`

	// apiKeys are the keys that callers authenticate with, at most 16, each in a Secret.
	// A Secret labelled socialops.dev/api-key (any value) counts as soon as it changes,
	// another one within 10 minutes. Left out, a key with both scopes is generated into
	// the Secret that status.keySecretName names; set the annotation
	// socialops.dev/rotate-keys to a new value to get another, with the old one valid for
	// 24 hours more.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	APIKeys []APIKey `json:"apiKeys,omitempty"`

	// rateLimit bounds the requests of one API key in one pod.
	//
	// +optional
	// +default={"requestsPerMinute":6000}
	RateLimit RateLimit `json:"rateLimit,omitzero"`

	// bodyLimit is the largest request body in bytes, such as 512Ki, from 1Ki to 25Mi; a
	// larger body is answered 413. Default 25Mi.
	//
	// +optional
	// +default="25Mi"
	// +kubebuilder:validation:XValidation:rule="string(self).matches('^[0-9]{1,15}([.][0-9]{1,3})?(k|M|Ki|Mi)?$') && quantity(string(self)).compareTo(quantity('1Ki')) >= 0 && quantity(string(self)).compareTo(quantity('25Mi')) <= 0",message="must be 1Ki to 25Mi"
	BodyLimit *resource.Quantity `json:"bodyLimit,omitempty"`

	// billing says what is charged to the instance's balance.
	//
	// +optional
	// +default={"mode":"Track"}
	Billing Billing `json:"billing,omitzero"`

	// retention says for how long things are kept. Default: for good.
	//
	// +optional
	Retention Retention `json:"retention,omitzero"`

	// suspend stops the inbox: no pods run and no replies go out, while webhooks stay
	// registered and data stays. Default false.
	//
	// +optional
	Suspend *bool `json:"suspend,omitempty"`

	// deletionPolicy is what happens to the data when this object is deleted: Retain
	// keeps it for a new instance of the same namespace, name, alias and owner; Delete
	// removes it. Ledger entries stay either way. Default Retain.
	//
	// +optional
	// +default="Retain"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// Suspended tells whether the instance is stopped.
func (s *SocialOpsInstanceSpec) Suspended() bool { return s.Suspend != nil && *s.Suspend }

// SocialOpsInstanceStatus is what became of the inbox.
//
// +kubebuilder:validation:MinProperties=1
type SocialOpsInstanceStatus struct {
	// conditions say what holds: Ready, and what it rests on (AliasClaimed,
	// DatabaseReady, KeysReady, PodsReady, Exposed); Reconciling while work is under
	// way; Stalled when somebody has to act, with a message that says how.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the metadata.generation that the status speaks of.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// url is the inbox's base URL: the public one where it is exposed, else that of its
	// Service.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	URL string `json:"url,omitempty"`

	// keySecretName is the Secret in this namespace that holds the generated API key,
	// under the key "key". Empty when spec.apiKeys names keys.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	KeySecretName string `json:"keySecretName,omitempty"`

	// channels is the number of active channels bound to the inbox.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	Channels *int32 `json:"channels,omitempty"`

	// image is the runtime's image that the pods run or roll out to.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`

	// replicas is the number of pods that exist.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`

	// readyReplicas is the number of pods that serve.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReadyReplicas *int32 `json:"readyReplicas,omitempty"`

	// selector selects the instance's pods, in the form of a query, for the scale
	// subresource.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Selector string `json:"selector,omitempty"`
}

// SocialOpsInstance is one unified inbox, reached by its alias. Its pods, Service,
// route and Secrets are made in its own namespace and bear its name.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:shortName=soi,categories=socialops
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the inbox takes events and requests"
// +kubebuilder:printcolumn:name="Alias",type=string,JSONPath=`.spec.alias`,description="The inbox's name in its URL"
// +kubebuilder:printcolumn:name="Channels",type=integer,JSONPath=`.status.channels`,description="Active channels bound to the inbox"
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`,description="Where the inbox is reached"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is ready or not, in a word"
// +kubebuilder:printcolumn:name="Owner",type=string,JSONPath=`.spec.owner`,priority=1,description="Who sees the inbox in the console"
// +kubebuilder:printcolumn:name="Pods",type=integer,JSONPath=`.status.readyReplicas`,priority=1,description="Pods that serve"
// +kubebuilder:printcolumn:name="Key-Secret",type=string,JSONPath=`.status.keySecretName`,priority=1,description="The Secret with the generated API key"
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1,description="Why it is ready or not, and what to do"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name must be a DNS label of at most 40 characters that begins with a letter, as the Service and other objects bear it"
type SocialOpsInstance struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the inbox that is wanted.
	//
	// +required
	Spec SocialOpsInstanceSpec `json:"spec,omitzero"`

	// status is what became of it; written by the operator.
	//
	// +optional
	Status SocialOpsInstanceStatus `json:"status,omitzero"`
}

// SocialOpsInstanceList is a list of SocialOpsInstances.
//
// +kubebuilder:object:root=true
type SocialOpsInstanceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`

	Items []SocialOpsInstance `json:"items"`
}
