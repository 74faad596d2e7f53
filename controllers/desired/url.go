package desired

import "github.com/open4x/socialops/api/v1alpha1"

// basePath is where every inbox lives, whatever its host.
const basePath = "/v1/apps/socialops/"

func apiPath(in *v1alpha1.SocialOpsInstance) string { return basePath + in.Spec.Alias }

// PublicURL is where an instance's host is reached from outside the cluster, such as
// https://inbox.example.com, or with http where TLS is off; empty: it is not exposed.
func PublicURL(in *v1alpha1.SocialOpsInstance, s *Settings) string {
	route, problem := Exposure(in, s)
	switch {
	case problem != nil || route.Type == v1alpha1.ExposureNone:
		return ""
	case route.TLS == v1alpha1.TLSOff:
		return "http://" + route.Host
	default:
		return "https://" + route.Host
	}
}

// URL is the base URL of an instance's API: the public one where it is exposed, else
// that of its Service.
func URL(in *v1alpha1.SocialOpsInstance, s *Settings) string {
	if public := PublicURL(in, s); public != "" {
		return public + apiPath(in)
	}
	return "http://" + in.Name + "." + in.Namespace + ".svc" + apiPath(in)
}
