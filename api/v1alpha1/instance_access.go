package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// Scope is what an API key may do: socialops:read reads the inbox, socialops:write
// sends events and replies and changes threads.
//
// +kubebuilder:validation:Enum="socialops:read";"socialops:write"
type Scope string

// The scopes of an API key.
const (
	ScopeRead  Scope = "socialops:read"
	ScopeWrite Scope = "socialops:write"
)

// APIKey is a key that the instance's callers authenticate with. Its value stands in a
// Secret; only its hash leaves the cluster's API.
type APIKey struct {
	// name tells the key from the others in lists and audit trails: a DNS label of at
	// most 63 characters, such as "monitoring".
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="must be a DNS label: lower-case letters, digits and '-', beginning and ending with a letter or digit"
	Name string `json:"name,omitempty"`

	// secretRef is where the key's value stands, in the instance's namespace. The value
	// is "sk_" and 32 to 128 of A-Z, a-z, 0-9, "_" and "-". Label the Secret
	// socialops.dev/api-key (any value) to have its changes noticed at once rather than
	// within 10 minutes.
	//
	// +required
	SecretRef SecretKeyReference `json:"secretRef,omitzero"`

	// scopes are what the key may do: socialops:read, socialops:write. Default both.
	//
	// +optional
	// +listType=set
	// +default=["socialops:read","socialops:write"]
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	Scopes []Scope `json:"scopes,omitempty"`
}

// RateLimit bounds the requests of one API key in one pod. A caller over it is told
// 429 with Retry-After. Calls that carry a provider's own proof count by account.
//
// +kubebuilder:validation:MinProperties=1
type RateLimit struct {
	// requestsPerMinute is the steady rate, 0 to 1000000; 0 means no limit. Default 6000.
	//
	// +optional
	// +default=6000
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	RequestsPerMinute *int32 `json:"requestsPerMinute,omitempty"`

	// burst is how many requests may come at once before the rate counts, 1 to 100000.
	// Default 200.
	//
	// +optional
	// +default=200
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Burst int32 `json:"burst,omitempty"`
}

// DefaultBodyLimit is the largest request body that an instance takes, and what it
// takes unless told otherwise: GitHub sends up to 25 MB.
var DefaultBodyLimit = resource.MustParse("25Mi")
