package manifests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/open4x/socialops/api/v1alpha1"
)

// maxFile bounds a file, in bytes: many times what an API server takes for an object.
const maxFile = 16 << 20

// reader fills a set, file by file.
type reader struct {
	earlier *Set
	set     *Set
	// unread are files of which at least one document could not be attributed to an
	// object, so that what is missing from them isn't known to be gone.
	unread map[string]bool
}

func isManifest(name string) bool {
	switch {
	case strings.HasPrefix(name, "."): // an editor's lock or swap file
		return false
	case name == "kustomization.yaml" || name == "kustomization.yml":
		return false
	}
	switch filepath.Ext(name) {
	case ".yaml", ".yml", ".json":
		return true
	default:
		return false
	}
}

func (r *reader) file(ctx context.Context, dir, name string) {
	data, err := readFile(filepath.Join(dir, name))
	if errors.Is(err, errNoFile) {
		return
	}
	var documents []document
	if err == nil {
		documents, err = split(name, data)
	}
	if err != nil {
		r.unread[name] = true
		r.set.Problems = append(r.set.Problems, Problem{Source: Source{File: name}, Message: err.Error()})
		return
	}
	for i, d := range documents {
		source := Source{File: name}
		if len(documents) > 1 {
			source.Document = i + 1
		}
		content, err := d.decode()
		if err != nil {
			r.unread[name] = true
			r.set.Problems = append(r.set.Problems, Problem{Source: source, Message: err.Error()})
			continue
		}
		r.document(ctx, source, content)
	}
}

var errNoFile = errors.New("not a file")

// readFile reads a regular file of bounded size; a folder, pipe or socket is errNoFile.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fileError(err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("larger than %d MiB: split it into several files", maxFile>>20)
	}
	return data, nil
}

// fileError leaves out the path, which a Problem names already.
func fileError(err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("can't be read: %w", path.Err)
	}
	return fmt.Errorf("can't be read: %w", err)
}

// document takes in one document, or each item of a List.
func (r *reader) document(ctx context.Context, source Source, content map[string]any) {
	apiVersion, _ := content["apiVersion"].(string)
	kind, _ := content["kind"].(string)
	if apiVersion == "v1" && kind == "List" {
		items, ok := content["items"].([]any)
		if !ok {
			r.refuseUnread(source, "items: Invalid value: must be a list of objects")
			return
		}
		for _, item := range items {
			if content, ok := item.(map[string]any); ok {
				r.document(ctx, source, content)
			} else {
				r.refuseUnread(source, "items: Invalid value: must be a list of objects")
			}
		}
		return
	}
	for _, f := range []struct{ name, value string }{{"apiVersion", apiVersion}, {"kind", kind}} {
		if f.value == "" {
			r.refuseUnread(source, fmt.Sprintf("Object '%s%s' is missing: is this a Kubernetes manifest?", strings.ToUpper(f.name[:1]), f.name[1:]))
			return
		}
	}

	group, _, _ := strings.Cut(apiVersion, "/")
	known := apiVersion == v1alpha1.GroupVersion.String() && (kind == v1alpha1.KindSocialOpsInstance || kind == v1alpha1.KindChannelBinding)
	switch {
	case known || (apiVersion == "v1" && kind == kindSecret):
		r.object(ctx, source, kind, content)
	case group == v1alpha1.GroupVersion.Group:
		r.refuseUnread(source, fmt.Sprintf("no matches for kind %q in version %q: there are %s and %s in %s",
			kind, apiVersion, v1alpha1.KindSocialOpsInstance, v1alpha1.KindChannelBinding, v1alpha1.GroupVersion))
	case group == "kustomize.config.k8s.io":
	default:
		name, _ := metaString(content, "name")
		namespace, _ := metaString(content, "namespace")
		r.set.Notes = append(r.set.Notes, Note{Source: source, Message: fmt.Sprintf("%s is passed over: only %s, %s and Secret are read from a folder",
			objectName(kind, namespace, name), v1alpha1.KindSocialOpsInstance, v1alpha1.KindChannelBinding)})
	}
}

// object takes in one object of a kind that is read.
func (r *reader) object(ctx context.Context, source Source, kind string, content map[string]any) {
	name, _ := metaString(content, "name")
	if name == "" {
		r.unread[source.File] = true
		r.refuse(source, key{kind, "", ""}, violations(field.ErrorList{field.Required(field.NewPath("metadata", "name"), "")}))
		return
	}
	namespace, err := metaString(content, "namespace")
	if err != nil {
		r.unread[source.File] = true
		r.refuse(source, key{kind, "", name}, violations(field.ErrorList{err}))
		return
	}
	k := key{kind, cmp.Or(namespace, DefaultNamespace), name}
	if first, twice := r.set.sources[k]; twice {
		r.set.Problems = append(r.set.Problems, Problem{
			Source: source, Kind: k.kind, Namespace: k.namespace, Name: k.name,
			Message: fmt.Sprintf("stands in %s already: remove one of the two", first),
		})
		return
	}
	r.set.sources[k] = source

	var violations []violation
	switch kind {
	case v1alpha1.KindSocialOpsInstance:
		violations = takeIn(&r.set.Instances, r.earlier.Instance(k.namespace, k.name), func(earlier *v1alpha1.SocialOpsInstance) (*v1alpha1.SocialOpsInstance, []violation) {
			return admit(ctx, instanceSchema, k, content, earlier)
		})
	case v1alpha1.KindChannelBinding:
		violations = takeIn(&r.set.Bindings, r.earlier.Binding(k.namespace, k.name), func(earlier *v1alpha1.ChannelBinding) (*v1alpha1.ChannelBinding, []violation) {
			return admit(ctx, bindingSchema, k, content, earlier)
		})
	default:
		violations = takeIn(&r.set.Secrets, r.earlier.Secret(k.namespace, k.name), func(*Secret) (*Secret, []violation) {
			return decodeSecret(k, content)
		})
	}
	r.refuse(source, k, violations)
}

// takeIn adds the version that is in force: the new one, or if that is refused the
// earlier one, if there is any.
func takeIn[T object](list *[]T, earlier T, decode func(earlier T) (T, []violation)) []violation {
	now, violations := decode(earlier)
	if len(violations) > 0 {
		now = earlier
	}
	var none T
	if now != none {
		*list = append(*list, now)
	}
	return violations
}

// refuse records why an object was refused, in an order that doesn't depend on how
// that was found.
func (r *reader) refuse(source Source, k key, violations []violation) {
	slices.SortFunc(violations, func(a, b violation) int {
		return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(a.message, b.message))
	})
	for _, v := range slices.Compact(violations) {
		r.set.Problems = append(r.set.Problems, Problem{
			Source: source, Kind: k.kind, Namespace: k.namespace, Name: k.name, Field: v.field, Message: v.message,
		})
	}
}

func (r *reader) refuseUnread(source Source, message string) {
	r.unread[source.File] = true
	r.set.Problems = append(r.set.Problems, Problem{Source: source, Message: message})
}

// keepUnread keeps in force what stood in a file that can't be read any more: nobody
// said that it is gone.
func (r *reader) keepUnread() {
	for k, source := range r.earlier.sources {
		if _, there := r.set.sources[k]; there || !r.unread[source.File] {
			continue
		}
		r.set.sources[k] = source
		keep(&r.set.Instances, k, v1alpha1.KindSocialOpsInstance, r.earlier.Instance)
		keep(&r.set.Bindings, k, v1alpha1.KindChannelBinding, r.earlier.Binding)
		keep(&r.set.Secrets, k, kindSecret, r.earlier.Secret)
	}
}

func keep[T object](list *[]T, k key, kind string, find func(namespace, name string) T) {
	var none T
	if k.kind != kind {
		return
	}
	if o := find(k.namespace, k.name); o != none {
		*list = append(*list, o)
	}
}
