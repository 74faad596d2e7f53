package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// dumpTail is how many lines of each log are shown; the whole goes to a file.
const dumpTail = 25

// dump shows what a failed run left behind: conditions, events, pods and the ends of
// their logs. Secrets are not among it.
func (e *e2e) dump(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if e.kube == nil {
		return
	}
	folder := filepath.Join(e.dir, "failure")
	if err := os.RemoveAll(folder); err != nil {
		e.say("no room for what is left behind: %v", err)
		return
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		e.say("no room for what is left behind: %v", err)
		return
	}
	e.say("what is left behind, in full in %s:", folder)
	for _, what := range []struct {
		file string
		args []string
		tail int // lines that are shown, of the end
	}{
		{"instances.txt", []string{"get", "socialopsinstances,channelbindings", "--all-namespaces", "--output", "wide"}, 60},
		{"instances.yaml", []string{"get", "socialopsinstances,channelbindings", "--all-namespaces", "--output", "yaml"}, 0},
		{"pods.txt", []string{"get", "pods", "--all-namespaces", "--output", "wide"}, 60},
		{"objects.txt", []string{"get", "deployments,replicasets,services,endpointslices,ingresses,cronjobs,jobs", "--all-namespaces", "--output", "wide"}, 0},
		{"events.txt", []string{"get", "events", "--all-namespaces", "--sort-by", ".lastTimestamp"}, 40},
	} {
		out, err := e.kube.kubectl(ctx, what.args...)
		if err != nil {
			out += err.Error()
		}
		e.keep(folder, what.file, out, what.tail)
	}
	var pods corev1.PodList
	if err := e.kube.List(ctx, &pods, client.InNamespace("")); err != nil {
		e.say("no pods: %v", err)
		return
	}
	for i := range pods.Items {
		e.dumpPod(ctx, folder, &pods.Items[i])
	}
}

// dumpPod keeps a pod's logs, of its containers' lives before too, and shows those of
// operator and console and of what is not well.
func (e *e2e) dumpPod(ctx context.Context, folder string, p *corev1.Pod) {
	for _, previous := range []bool{true, false} {
		log, err := e.kube.sets.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{Previous: previous}).DoRaw(ctx)
		if err != nil || len(log) == 0 {
			continue
		}
		tail := 0
		if component := p.Labels["app.kubernetes.io/component"]; component == "operator" || component == "console" || previous || p.Status.Phase == corev1.PodFailed {
			tail = dumpTail
		}
		name := fmt.Sprintf("%s_%s.log", p.Namespace, p.Name)
		if previous {
			name = "previous_" + name
		}
		e.keep(folder, name, string(log), tail)
	}
}

// keep writes a text into a file and shows its end.
func (e *e2e) keep(folder, name, text string, tail int) {
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		e.say("not kept: %v", err)
	}
	if tail == 0 || strings.TrimSpace(text) == "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	fmt.Fprintf(e.out, "--- %s\n%s\n", name, lastLines(text, tail))
}
