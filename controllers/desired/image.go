package desired

import (
	"fmt"
	"strings"

	"github.com/open4x/socialops/api/v1alpha1"
)

// Image is the runtime's image for an instance: the manifest's, if it is the
// operator's own or under one of its allowed prefixes, else the operator's. With a
// problem (ImageNotAllowed) there is none, and the Deployment stays as it is.
func Image(in *v1alpha1.SocialOpsInstance, s *Settings) (string, *Problem) {
	image := in.Spec.Image
	if image == "" || image == s.Image {
		return s.Image, nil
	}
	for _, prefix := range s.AllowedImagePrefixes {
		if imageUnder(image, prefix) {
			return image, nil
		}
	}
	advice := "leave spec.image out to run the operator's"
	if len(s.AllowedImagePrefixes) > 0 {
		advice += fmt.Sprintf(", choose one under %s", some(s.AllowedImagePrefixes))
	}
	return "", problem(v1alpha1.ReasonImageNotAllowed, "the image %q is not allowed: %s, or have an admin allow its prefix (--allowed-image-prefixes)", image, advice)
}

// podImage is [Image], but for a suspended instance always an image: it runs no
// pods, and an image that isn't allowed must not keep those that are there running.
func podImage(in *v1alpha1.SocialOpsInstance, s *Settings) (string, bool) {
	image, problem := Image(in, s)
	if problem != nil && in.Spec.Suspended() {
		return s.Image, true
	}
	return image, problem == nil
}

// imageUnder tells whether an image is under a prefix. The prefix has to end where a
// part of the name does: it ends with "/", ":" or "@" itself, or is the whole image,
// or one of these follows it. So ghcr.io/acme/inbox covers ghcr.io/acme/inbox:v1,
// ghcr.io/acme/inbox@sha256:… and ghcr.io/acme/inbox/debug, but not
// ghcr.io/acme/inbox-fork. A ":" that begins a port is no such end: another port is
// another registry. Both are compared as they are written, so that docker.io has to
// stand in the image if it stands in the prefix.
func imageUnder(image, prefix string) bool {
	rest, ok := strings.CutPrefix(image, prefix)
	if !ok || prefix == "" {
		return false
	}
	if rest == "" || strings.HasSuffix(prefix, "/") || strings.HasSuffix(prefix, "@") {
		return true
	}
	port := strings.Contains(rest, "/") // what follows a tag's or digest's ":" has none
	switch {
	case strings.HasSuffix(prefix, ":"):
		return !port
	case rest[0] == ':':
		return !port
	default:
		return rest[0] == '/' || rest[0] == '@'
	}
}

// some lists the first few of what an admin allowed.
func some(list []string) string {
	const few = 5
	text := strings.Join(list[:min(few, len(list))], ", ")
	if len(list) > few {
		text += fmt.Sprintf(" (and %d more)", len(list)-few)
	}
	return text
}
