package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// proveInvalid applies each manifest of config/samples/invalid: the API server refuses
// it with the words that the file wants, and nobody else is bothered.
func (e *e2e) proveInvalid(ctx context.Context) error {
	const namespace = "invalid"
	if err := e.kube.namespace(ctx, namespace); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(e.root, "config", "samples", "invalid", "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no invalid samples were found: %w", err)
	}
	before, err := e.complaints(ctx)
	if err != nil {
		return err
	}
	var wrong []error
	for _, file := range files {
		if err := e.refused(ctx, namespace, file); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", filepath.Base(file), err))
		}
	}
	// Once as a user sees it.
	if _, err := e.kube.kubectl(ctx, "apply", "--namespace", namespace, "-f", files[0]); err == nil {
		wrong = append(wrong, fmt.Errorf("kubectl apply -f %s was taken", files[0]))
	}
	after, err := e.complaints(ctx)
	if err == nil && after > before {
		err = fmt.Errorf("the operator's log has %d more lines at level WARN or ERROR", after-before)
	}
	e.say("invalid: %d manifests were refused", len(files)-len(wrong))
	return errors.Join(append(wrong, err)...)
}

// refused creates what a file holds, and compares the refusal with its "# want:" lines.
func (e *e2e) refused(ctx context.Context, namespace, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &o.Object); err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	o.SetNamespace(namespace)
	err = e.kube.Create(ctx, o, client.FieldValidation("Strict"))
	if err == nil {
		return errors.New("it was taken")
	}
	for line := range strings.Lines(string(text)) {
		if want, ok := strings.CutPrefix(strings.TrimSpace(line), "# want: "); ok && !strings.Contains(err.Error(), want) {
			return fmt.Errorf("it was refused with %q; want %q in it", err.Error(), want)
		}
	}
	return nil
}

// complaints counts the lines of the operator's log that somebody would be woken by.
func (e *e2e) complaints(ctx context.Context) (int, error) {
	log, err := e.kube.kubectl(ctx, "logs", "deployment/socialops-operator", "--namespace", systemNamespace, "--tail=-1")
	return strings.Count(log, `"level":"ERROR"`) + strings.Count(log, `"level":"WARN"`), err
}
