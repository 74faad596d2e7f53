package manifests

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"unicode"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/yaml"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// AddBinding writes a new binding into a file of its own, as somebody made it in
// the console. force is what is in force. The binding gets its defaults, UID and
// generation, and a name if it has only a GenerateName. Failures are
// inbox.Errors: CodeInvalid with what an API server says of it, CodeConflict. One
// that fails leaves the folder as it is.
func AddBinding(ctx context.Context, dir string, force *Set, b *v1alpha1.ChannelBinding) error {
	name, namespace := b.Name, cmp.Or(b.Namespace, DefaultNamespace)
	if name == "" && b.GenerateName != "" {
		name = b.GenerateName + rand.String(5)
	}
	now, err := Read(ctx, dir, force)
	if err != nil {
		return unreadable(err)
	}
	if source, there := now.Source(v1alpha1.KindChannelBinding, namespace, name); there {
		return inbox.Errorf(inbox.CodeConflict, "a ChannelBinding of the name %q stands in %s already: choose another name", name, source)
	}

	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(b)
	if err != nil {
		return fmt.Errorf("writing a manifest: %w", err)
	}
	metadata := map[string]any{"name": name}
	if namespace != DefaultNamespace {
		metadata["namespace"] = namespace
	}
	for key, values := range map[string]map[string]string{"labels": b.Labels, "annotations": b.Annotations} {
		if len(values) > 0 {
			metadata[key] = values
		}
	}
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": v1alpha1.KindChannelBinding, "metadata": metadata, "spec": content["spec"],
	})
	if err != nil {
		return fmt.Errorf("writing a manifest: %w", err)
	}
	text = append([]byte(madeBy(b.Annotations[v1alpha1.AnnotationChangedBy])), text...)
	made, err := admitBinding(ctx, key{v1alpha1.KindChannelBinding, namespace, name}, document{text: text}, nil)
	if err != nil {
		return err
	}
	if err := createFile(dir, "console-"+name, text); err != nil {
		return unwritable(dir, err)
	}
	*b = *made
	return nil
}

// madeBy is the comment at the top of a new file.
func madeBy(subject string) string {
	subject = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, subject)
	if strings.TrimSpace(subject) == "" {
		return "# Made in the console.\n"
	}
	return "# Made in the console by " + subject + ".\n"
}

// ChangeBinding changes a binding's spec where it stands in the folder, and notes
// who did it. Failures are inbox.Errors as for [AddBinding], and CodeNotFound.
func ChangeBinding(ctx context.Context, dir string, force *Set, namespace, name, by string, change func(*v1alpha1.ChannelBindingSpec)) (*v1alpha1.ChannelBinding, error) {
	k := key{v1alpha1.KindChannelBinding, cmp.Or(namespace, DefaultNamespace), name}
	for {
		b, err := changeOnce(ctx, dir, force, k, by, change)
		if errors.Is(err, errMeanwhile) && ctx.Err() == nil {
			continue
		}
		return b, err
	}
}

// errMeanwhile is that an editor wrote the file while it was being changed here.
var errMeanwhile = errors.New("the file changed meanwhile")

func changeOnce(ctx context.Context, dir string, force *Set, k key, by string, change func(*v1alpha1.ChannelBindingSpec)) (*v1alpha1.ChannelBinding, error) {
	now, err := Read(ctx, dir, force)
	if err != nil {
		return nil, unreadable(err)
	}
	source, there := now.sources[k]
	if !there {
		return nil, inbox.Errorf(inbox.CodeNotFound, "there is no ChannelBinding %q any more", k.name)
	}
	for _, p := range now.Problems {
		if p.File == source.File && (p.Kind == "" || p.Kind == k.kind && p.Namespace == k.namespace && p.Name == k.name) {
			return nil, inbox.Errorf(inbox.CodeConflict, "the manifest has to be corrected by hand first: %s", p.Error())
		}
	}
	path, err := filepath.EvalSymlinks(filepath.Join(dir, source.File))
	if err != nil {
		return nil, unreadable(err)
	}
	data, err := readFile(path)
	if err != nil {
		return nil, unreadable(err)
	}
	d, err := findDocument(source, data, k)
	if err != nil {
		return nil, err
	}
	earlier := now.Binding(k.namespace, k.name)
	changed := earlier.DeepCopy()
	change(&changed.Spec)
	if changed.Spec.Active == nil { // its default, which what was read has
		changed.Spec.Active = new(true)
	}
	if by != "" {
		if changed.Annotations == nil {
			changed.Annotations = map[string]string{}
		}
		changed.Annotations[v1alpha1.AnnotationChangedBy] = by
	}
	was, want, err := both(earlier, changed)
	if err != nil {
		return nil, err
	}
	text, err := d.change(was, want)
	if err != nil {
		return nil, inbox.Errorf(inbox.CodeConflict, "%s is written so that it can't be changed from here: %v; change it by hand", source, err)
	}
	made, err := admitBinding(ctx, k, document{text: text, line: d.line}, earlier)
	if err != nil {
		return nil, err
	}
	if _, got, err := both(earlier, made); err != nil || !reflect.DeepEqual(got, want) {
		return nil, inbox.Errorf(inbox.CodeConflict, "%s is written so that it can't be changed from here; change it by hand", source)
	}
	if bytes.Equal(text, d.text) {
		return made, nil
	}
	if latest, err := readFile(path); err != nil || !bytes.Equal(latest, data) {
		return nil, errMeanwhile
	}
	at := d.at + len(data) - len(bytes.TrimPrefix(data, byteOrderMark))
	if err := rewriteFile(path, bytes.Join([][]byte{data[:at], text, data[at+len(d.text):]}, nil)); err != nil {
		return nil, unwritable(source.File, err)
	}
	return made, nil
}

// findDocument finds the document of an object in a file.
func findDocument(source Source, data []byte, k key) (document, error) {
	documents, err := split(source.File, data)
	if err != nil {
		return document{}, errMeanwhile // it could be read a moment ago
	}
	for _, d := range documents {
		content, err := d.decode()
		if err != nil {
			continue
		}
		name, _ := metaString(content, "name")
		namespace, _ := metaString(content, "namespace")
		if kind, _ := content["kind"].(string); kind != k.kind || name != k.name || cmp.Or(namespace, DefaultNamespace) != k.namespace {
			continue
		}
		if d.json {
			return document{}, inbox.Errorf(inbox.CodeConflict, "%s is JSON, which is not changed from here: change it by hand", source)
		}
		return d, nil
	}
	return document{}, inbox.Errorf(inbox.CodeConflict, "the ChannelBinding %q stands in a List of %s, which is not changed from here: change it by hand", k.name, source)
}

// both gives what a change of a binding may touch, before and after.
func both(was, want *v1alpha1.ChannelBinding) (before, after map[string]any, err error) {
	part := func(b *v1alpha1.ChannelBinding) (map[string]any, error) {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(b)
		if err != nil {
			return nil, fmt.Errorf("comparing a manifest: %w", err)
		}
		annotations := map[string]any{}
		for k, v := range b.Annotations {
			annotations[k] = v
		}
		metadata := map[string]any{}
		if len(annotations) > 0 {
			metadata["annotations"] = annotations
		}
		return map[string]any{"metadata": metadata, "spec": content["spec"]}, nil
	}
	if before, err = part(was); err != nil {
		return nil, nil, err
	}
	after, err = part(want)
	return before, after, err
}

// admitBinding asks of a document what [Read] will ask of it.
func admitBinding(ctx context.Context, k key, d document, earlier *v1alpha1.ChannelBinding) (*v1alpha1.ChannelBinding, error) {
	content, err := d.decode()
	if err != nil {
		return nil, fmt.Errorf("reading a manifest that was just made: %w", err)
	}
	b, refused := admit(ctx, bindingSchema, k, content, earlier)
	if len(refused) == 0 {
		return b, nil
	}
	var r reader
	r.set = &Set{}
	r.refuse(Source{}, k, refused)
	texts := make([]string, 0, len(r.set.Problems))
	for _, p := range r.set.Problems {
		texts = append(texts, strings.TrimPrefix(p.Field+": "+p.Message, ": "))
	}
	return nil, inbox.Errorf(inbox.CodeInvalid, "%s", strings.Join(texts, "; "))
}

// createFile makes a file that was not there, whole or not at all.
func createFile(dir, stem string, data []byte) error {
	for n := 1; ; n++ {
		name := stem + ".yaml"
		if n > 1 {
			name = fmt.Sprintf("%s-%d.yaml", stem, n)
		}
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return err
			}
			continue
		}
		return replaceFile(path, data, 0o644)
	}
}

// rewriteFile puts new content into a file, which stays its owner's and whose
// readers see the old content or the new one.
func rewriteFile(path string, data []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := replaceFile(path, data, info.Mode().Perm()); err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		return os.Chown(path, int(owner.Uid), int(owner.Gid))
	}
	return nil
}

func unreadable(err error) error {
	return &inbox.Error{Code: inbox.CodeUnavailable, Message: "the manifests can't be read", Err: err}
}

func unwritable(where string, err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return &inbox.Error{Code: inbox.CodeConflict, Message: where + " can't be written to by this process: make it writable, or change the manifest by hand", Err: err}
	}
	return &inbox.Error{Code: inbox.CodeUnavailable, Message: where + " can't be written to", Err: err}
}
