package v1alpha1

// ExposureType is how an instance is reached from outside the cluster: None, Ingress
// or HTTPRoute.
//
// +kubebuilder:validation:Enum=None;Ingress;HTTPRoute
type ExposureType string

// The types of exposure.
const (
	ExposureNone      ExposureType = "None"
	ExposureIngress   ExposureType = "Ingress"
	ExposureHTTPRoute ExposureType = "HTTPRoute"
)

// TLSMode is how the host's certificate comes about: Off, Default or Secret.
//
// +kubebuilder:validation:Enum=Off;Default;Secret
type TLSMode string

// The modes of TLS.
const (
	TLSOff     TLSMode = "Off"
	TLSDefault TLSMode = "Default"
	TLSSecret  TLSMode = "Secret"
)

// Exposure says how the instance is reached from outside the cluster, at
// HOST/v1/apps/socialops/ALIAS. Its Service is always there.
//
// +kubebuilder:validation:XValidation:rule="self.type != 'None' || (!has(self.host) && !has(self.tls))",fieldPath=".type",message="host and tls need type Ingress or HTTPRoute"
// +kubebuilder:validation:XValidation:rule="self.type == 'Ingress' || !has(self.ingressClassName)",fieldPath=".ingressClassName",reason=FieldValueForbidden,message="only type Ingress has a class"
// +kubebuilder:validation:XValidation:rule="self.type == 'HTTPRoute' || !has(self.gateway)",fieldPath=".gateway",reason=FieldValueForbidden,message="only type HTTPRoute has a gateway"
// +kubebuilder:validation:XValidation:rule="self.type == 'Ingress' || !has(self.tls) || self.tls.mode != 'Secret'",fieldPath=".tls.mode",message="Secret needs type Ingress: with HTTPRoute the certificate is the Gateway's"
// +kubebuilder:validation:XValidation:rule="has(self.host) || !has(self.tls) || self.tls.mode != 'Secret'",fieldPath=".host",reason=FieldValueRequired,message="a certificate of its own needs a host of its own"
// +kubebuilder:validation:MinProperties=1
type Exposure struct {
	// type is None (inside the cluster only; providers can't call it), Ingress or
	// HTTPRoute (Gateway API). Default None.
	//
	// +optional
	// +default="None"
	Type ExposureType `json:"type,omitempty"`

	// host is the DNS name, such as inbox.example.com; several instances may share one.
	// It has to be among the operator's allowed hosts. Default: the operator's.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?([.][a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$')",message="must be a DNS name in lower case, without scheme, port or path, such as inbox.example.com"
	Host string `json:"host,omitempty"`

	// tls says how the host's certificate comes about. Default: the operator's setting.
	//
	// +optional
	TLS TLS `json:"tls,omitzero"`

	// ingressClassName is the IngressClass, for type Ingress. Default: the operator's
	// setting, else the cluster's default class.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of an IngressClass: lower-case letters, digits, '-' and '.'"
	IngressClassName string `json:"ingressClassName,omitempty"`

	// gateway is the Gateway that the route attaches to, for type HTTPRoute. Default:
	// the operator's setting.
	//
	// +optional
	Gateway GatewayReference `json:"gateway,omitzero"`
}

// TLS says how a host's certificate comes about.
//
// +kubebuilder:validation:XValidation:rule="(self.mode == 'Secret') == has(self.secretName)",fieldPath=".secretName",message="mode Secret needs a secretName, and no other mode takes one"
type TLS struct {
	// mode is Default (the ingress controller's default certificate, or that of the
	// Gateway's listener), Secret (the one in secretName; type Ingress with a host of
	// its own) or Off (plain HTTP; Telegram then can't call it).
	//
	// +required
	Mode TLSMode `json:"mode,omitempty"`

	// secretName is a Secret of type kubernetes.io/tls in the instance's namespace, for
	// mode Secret.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a Secret: lower-case letters, digits, '-' and '.'"
	SecretName string `json:"secretName,omitempty"`
}

// GatewayReference names a Gateway of the Gateway API.
type GatewayReference struct {
	// name is the Gateway's metadata.name.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a Gateway: lower-case letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`

	// namespace is the Gateway's. Its listener has to allow routes from the instance's
	// namespace. Default: the instance's own.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="must be the name of a namespace: lower-case letters, digits and '-'"
	Namespace string `json:"namespace,omitempty"`

	// sectionName is the one listener to attach to. Default: every listener that
	// accepts the route.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a listener: lower-case letters, digits, '-' and '.'"
	SectionName string `json:"sectionName,omitempty"`
}
