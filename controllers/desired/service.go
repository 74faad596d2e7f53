package desired

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

// Ports of the pods, by name; that of the API has the same name on the Service.
const (
	portHTTP          = "http"
	portHealth        = "health"
	servicePort int32 = 80
	httpPort    int32 = 8080
	healthPort  int32 = 8081
)

func service(in *v1alpha1.SocialOpsInstance) *corev1.ServiceApplyConfiguration {
	return corev1.Service(in.Name, in.Namespace).
		WithLabels(Labels(in)).
		WithOwnerReferences(owner(in)).
		WithSpec(corev1.ServiceSpec().
			WithType(v1.ServiceTypeClusterIP).
			WithSelector(Selector(in)).
			WithPorts(corev1.ServicePort().
				WithName(portHTTP).
				WithProtocol(v1.ProtocolTCP).
				WithPort(servicePort).
				WithTargetPort(intstr.FromString(portHTTP))))
}
