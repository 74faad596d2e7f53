package desired_test

import (
	"strings"
	"testing"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

func TestImage(t *testing.T) {
	t.Parallel()
	digest := "@sha256:" + strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		prefixes []string
		image    string
		refused  bool
	}{
		"none of its own":                    {nil, "", false},
		"the operator's":                     {nil, operatorImage, false},
		"another version of the operator's":  {nil, "ghcr.io/open4x/socialops:v1", true},
		"no prefixes":                        {nil, "ghcr.io/acme/inbox:v1", true},
		"an empty prefix":                    {[]string{""}, "ghcr.io/acme/inbox:v1", true},
		"a repository, by tag":               {[]string{"ghcr.io/acme/inbox"}, "ghcr.io/acme/inbox:v1", false},
		"a repository, by digest":            {[]string{"ghcr.io/acme/inbox"}, "ghcr.io/acme/inbox" + digest, false},
		"a repository, by both":              {[]string{"ghcr.io/acme/inbox"}, "ghcr.io/acme/inbox:v1" + digest, false},
		"a repository alone":                 {[]string{"ghcr.io/acme/inbox"}, "ghcr.io/acme/inbox", false},
		"below a repository":                 {[]string{"ghcr.io/acme/inbox"}, "ghcr.io/acme/inbox/debug:v1", false},
		"a repository that begins alike":     {[]string{"ghcr.io/acme/inbox"}, "ghcr.io/acme/inbox-fork:v1", true},
		"an organisation that begins alike":  {[]string{"ghcr.io/acme"}, "ghcr.io/acme-fake/inbox:v1", true},
		"an organisation":                    {[]string{"ghcr.io/acme/"}, "ghcr.io/acme/inbox:v1", false},
		"a registry":                         {[]string{"ghcr.io"}, "ghcr.io/anybody/inbox:v1", false},
		"a registry that begins alike":       {[]string{"ghcr.io"}, "ghcr.io.example.net/inbox:v1", true},
		"a registry's other port":            {[]string{"ghcr.io"}, "ghcr.io:444/acme/inbox:v1", true},
		"a registry's other port, by colon":  {[]string{"ghcr.io:"}, "ghcr.io:444/acme/inbox:v1", true},
		"a registry with a port":             {[]string{"localhost:5000"}, "localhost:5000/inbox:v1", false},
		"a port that begins alike":           {[]string{"localhost:5000"}, "localhost:50001/inbox:v1", true},
		"any tag":                            {[]string{"ghcr.io/acme/inbox:"}, "ghcr.io/acme/inbox:v1", false},
		"a tag":                              {[]string{"ghcr.io/acme/inbox:v1"}, "ghcr.io/acme/inbox:v1", false},
		"a tag with its digest":              {[]string{"ghcr.io/acme/inbox:v1"}, "ghcr.io/acme/inbox:v1" + digest, false},
		"a tag that begins alike":            {[]string{"ghcr.io/acme/inbox:v1"}, "ghcr.io/acme/inbox:v10", true},
		"by digest only":                     {[]string{"ghcr.io/acme/inbox@"}, "ghcr.io/acme/inbox" + digest, false},
		"a tag where only digests are taken": {[]string{"ghcr.io/acme/inbox@"}, "ghcr.io/acme/inbox:v1", true},
		"a short name of Docker Hub":         {[]string{"docker.io/acme"}, "acme/inbox:v1", true},
		"the second prefix":                  {[]string{"quay.io/acme", "ghcr.io/acme"}, "ghcr.io/acme/inbox:v1", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := &v1alpha1.SocialOpsInstance{}
			in.Spec.Image = c.image
			image, problem := desired.Image(in, &desired.Settings{Image: operatorImage, AllowedImagePrefixes: c.prefixes})
			if c.refused {
				if problem == nil || image != "" || problem.Reason != v1alpha1.ReasonImageNotAllowed || !strings.Contains(problem.Message, c.image) {
					t.Errorf("got %q, %+v, want a problem", image, problem)
				}
				return
			}
			want := c.image
			if want == "" {
				want = operatorImage
			}
			if image != want || problem != nil {
				t.Errorf("got %q, %+v, want %q", image, problem, want)
			}
		})
	}
}

// An image that isn't allowed must not keep pods running that are to stop.
func TestSuspendedWithAnImageThatIsNotAllowed(t *testing.T) {
	t.Parallel()
	in := manifest(t, "image-not-allowed")
	yes := true
	in.Spec.Suspend = &yes
	var deployment struct {
		Spec struct {
			Replicas *int
			Template struct {
				Spec struct{ Containers []struct{ Image string } }
			}
		}
	}
	decode(t, find(t, objects(t, in, settings(), facts(in)), "Deployment", in.Name), &deployment)
	if n := deployment.Spec.Replicas; n == nil || *n != 0 || deployment.Spec.Template.Spec.Containers[0].Image != operatorImage {
		t.Errorf("got %+v", deployment)
	}
}
