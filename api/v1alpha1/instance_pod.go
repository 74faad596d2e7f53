package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// Autoscaling keeps between minReplicas and maxReplicas pods, by load.
//
// +kubebuilder:validation:XValidation:rule="self.minReplicas <= self.maxReplicas",fieldPath=".minReplicas",message="must not be above maxReplicas"
type Autoscaling struct {
	// minReplicas is the least number of pods, 1 to 100. Default 1.
	//
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MinReplicas int32 `json:"minReplicas,omitempty"`

	// maxReplicas is the greatest number of pods, 1 to 100.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxReplicas int32 `json:"maxReplicas,omitempty"`

	// targetCPUUtilizationPercentage is the average use of CPU to aim for, in percent of
	// what the pods request (spec.resources.requests.cpu): 1 to 100. Default 70.
	//
	// +optional
	// +default=70
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	TargetCPUUtilizationPercentage int32 `json:"targetCPUUtilizationPercentage,omitempty"`
}

// Resources are what each pod of the instance asks for and may use at most.
//
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.requests.cpu) || !has(self.limits) || !has(self.limits.cpu) || !string(self.requests.cpu).matches('^[0-9]{1,6}([.][0-9]{1,3})?m?$') || !string(self.limits.cpu).matches('^[0-9]{1,6}([.][0-9]{1,3})?m?$') || quantity(string(self.requests.cpu)).compareTo(quantity(string(self.limits.cpu))) <= 0",fieldPath=".requests.cpu",message="must not be above limits.cpu"
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.requests.memory) || !has(self.limits) || !has(self.limits.memory) || !string(self.requests.memory).matches('^[0-9]{1,15}([.][0-9]{1,3})?(k|[MGT]|[KMGT]i)?$') || !string(self.limits.memory).matches('^[0-9]{1,15}([.][0-9]{1,3})?(k|[MGT]|[KMGT]i)?$') || quantity(string(self.requests.memory)).compareTo(quantity(string(self.limits.memory))) <= 0",fieldPath=".requests.memory",message="must not be above limits.memory"
type Resources struct {
	// requests are what the scheduler sets aside. Default: the operator's, but no more
	// than the limits.
	//
	// +optional
	Requests *ComputeResources `json:"requests,omitempty"`

	// limits are what a pod may use at most. Default: the operator's, but no less than
	// the requests.
	//
	// +optional
	Limits *ComputeResources `json:"limits,omitempty"`
}

// ComputeResources are amounts of CPU and memory. The rules take no exponents: a
// quantity such as 1e999999999 keeps whoever parses it busy for hours.
type ComputeResources struct {
	// cpu is in cores or thousandths of a core, such as "2", "0.5" or "100m".
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="string(self).matches('^[0-9]{1,6}([.][0-9]{1,3})?m?$') && quantity(string(self)).isGreaterThan(quantity('0'))",message="must be cores above 0, such as \"2\", \"0.5\" or \"100m\""
	CPU *resource.Quantity `json:"cpu,omitempty"`

	// memory is in bytes, such as "64Mi".
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="string(self).matches('^[0-9]{1,15}([.][0-9]{1,3})?(k|[MGT]|[KMGT]i)?$') && quantity(string(self)).isGreaterThan(quantity('0'))",message="must be bytes above 0, such as \"64Mi\""
	Memory *resource.Quantity `json:"memory,omitempty"`
}

// LabelValue is the value of a label: at most 63 letters, digits, '-', '_' and '.'.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="self.matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$')",message="must be a label's value: at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
type LabelValue string

// PodSettings are what may be set on the instance's pods; there is no free pod template.
type PodSettings struct {
	// labels are added to the pods, at most 32. Those of app.kubernetes.io/ and
	// socialops.dev/ are the operator's.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",message="a key must be an optional DNS prefix and '/', then at most 63 letters, digits, '-', '_' and '.'"
	// +kubebuilder:validation:XValidation:rule="!self.exists(k, k.startsWith('app.kubernetes.io/') || k.startsWith('socialops.dev/'))",message="labels of app.kubernetes.io/ and socialops.dev/ are the operator's"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations are added to the pods, at most 32. Those of socialops.dev/ are the
	// operator's.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",message="a key must be an optional DNS prefix and '/', then at most 63 letters, digits, '-', '_' and '.'"
	// +kubebuilder:validation:XValidation:rule="!self.exists(k, k.startsWith('socialops.dev/'))",message="annotations of socialops.dev/ are the operator's"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// env are environment variables with plain values, at most 64, such as HTTPS_PROXY.
	// Names that begin with SOCIALOPS_, DATABASE_ or PG are the operator's.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Env []EnvVar `json:"env,omitempty"`

	// nodeSelector are labels, at most 16, that a node must have to run the pods.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",message="a key must be an optional DNS prefix and '/', then at most 63 letters, digits, '-', '_' and '.'"
	NodeSelector map[string]LabelValue `json:"nodeSelector,omitempty"`

	// tolerations let the pods run on tainted nodes, at most 16.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Tolerations []Toleration `json:"tolerations,omitempty"` //nolint:kubeapilinter // as in core/v1, no field of a toleration is required

	// topologySpread spreads the pods over zones or nodes, at most 4 keys. The operator
	// adds the selector of the instance's own pods. Default: over nodes, where possible.
	//
	// +optional
	// +listType=map
	// +listMapKey=topologyKey
	// +kubebuilder:validation:MaxItems=4
	TopologySpread []TopologySpread `json:"topologySpread,omitempty"`

	// priorityClassName is the pods' PriorityClass. Default: the cluster's.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a PriorityClass: lower-case letters, digits, '-' and '.'"
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// imagePullSecrets name Secrets, at most 8, in the instance's namespace that the
	// image is pulled with.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	ImagePullSecrets []SecretReference `json:"imagePullSecrets,omitempty"`
}

// AnnotationValue is the value of an annotation, at most 4096 characters.
//
// +kubebuilder:validation:MaxLength=4096
type AnnotationValue string

// EnvVar is an environment variable with a plain value. There is no valueFrom: what is
// secret doesn't belong into a pod that tenants call.
type EnvVar struct {
	// name is the variable's name: letters, digits and '_', not beginning with a digit.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z_][A-Za-z0-9_]*$')",message="must be letters, digits and '_', not beginning with a digit"
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('SOCIALOPS_') && !self.startsWith('DATABASE_') && !self.startsWith('PG')",message="names that begin with SOCIALOPS_, DATABASE_ or PG are the operator's"
	Name string `json:"name,omitempty"`

	// value is taken as it stands; $(NAME) isn't expanded. At most 4096 characters.
	//
	// +required
	// +kubebuilder:validation:MaxLength=4096
	Value *string `json:"value,omitempty"`
}

// TolerationOperator relates a toleration's value to a taint's: Equal or Exists.
//
// +kubebuilder:validation:Enum=Equal;Exists
type TolerationOperator string

// TaintEffect is what a taint does to pods: NoSchedule, PreferNoSchedule or NoExecute.
//
// +kubebuilder:validation:Enum=NoSchedule;PreferNoSchedule;NoExecute
type TaintEffect string

// Toleration lets the pods run on nodes with a matching taint.
//
// +kubebuilder:validation:XValidation:rule="self.operator == 'Exists' || has(self.key)",fieldPath=".key",reason=FieldValueRequired,message="operator Equal needs a key"
// +kubebuilder:validation:XValidation:rule="self.operator == 'Equal' || !has(self.value)",fieldPath=".value",reason=FieldValueForbidden,message="operator Exists takes no value"
// +kubebuilder:validation:XValidation:rule="!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",fieldPath=".tolerationSeconds",reason=FieldValueForbidden,message="only effect NoExecute has tolerationSeconds"
type Toleration struct {
	// key is the taint's key. Left out, with operator Exists, every taint matches.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')",message="must be an optional DNS prefix and '/', then at most 63 letters, digits, '-', '_' and '.'"
	Key string `json:"key,omitempty"`

	// operator is Equal (key and value match) or Exists (the key matches). Default Equal.
	//
	// +optional
	// +default="Equal"
	Operator TolerationOperator `json:"operator,omitempty"`

	// value is the taint's value, for operator Equal.
	//
	// +optional
	Value *LabelValue `json:"value,omitempty"`

	// effect is NoSchedule, PreferNoSchedule or NoExecute. Default: all of them.
	//
	// +optional
	Effect TaintEffect `json:"effect,omitempty"`

	// tolerationSeconds is for how many seconds a taint with effect NoExecute is
	// tolerated, 0 to 86400. Default: for ever.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	TolerationSeconds *int64 `json:"tolerationSeconds,omitempty"`
}

// SpreadPolicy is what to do with a pod that can't be spread: DoNotSchedule or
// ScheduleAnyway.
//
// +kubebuilder:validation:Enum=DoNotSchedule;ScheduleAnyway
type SpreadPolicy string

// TopologySpread spreads the instance's pods over the values of a node label.
type TopologySpread struct {
	// topologyKey is the node label, such as topology.kubernetes.io/zone.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')",message="must be an optional DNS prefix and '/', then at most 63 letters, digits, '-', '_' and '.'"
	TopologyKey string `json:"topologyKey,omitempty"`

	// maxSkew is by how many pods two values may differ, 1 to 100. Default 1.
	//
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxSkew int32 `json:"maxSkew,omitempty"`

	// whenUnsatisfiable is DoNotSchedule or ScheduleAnyway. Default ScheduleAnyway.
	//
	// +optional
	// +default="ScheduleAnyway"
	WhenUnsatisfiable SpreadPolicy `json:"whenUnsatisfiable,omitempty"`
}
