package kubetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Write is a call that may change something, whether it did or not.
type Write struct {
	User, UserAgent string
	Verb            string // create, update, patch, delete or deletecollection
	Group, Resource string // such as "apps" and "deployments"
	Subresource     string
	Namespace, Name string
	Code            int // of the answer
	At              time.Time
}

// String is such as "patch deployments.apps/status test-1/support: 200".
func (w Write) String() string {
	what := w.Resource
	if w.Group != "" {
		what += "." + w.Group
	}
	if w.Subresource != "" {
		what += "/" + w.Subresource
	}
	return fmt.Sprintf("%s %s %s/%s: %d", w.Verb, what, w.Namespace, w.Name, w.Code)
}

// Mark is a moment in the API server's log of writes.
type Mark int64

// Mark tells the present moment.
func (c *Cluster) Mark() (Mark, error) {
	info, err := os.Stat(c.auditLog())
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("looking at the API server's audit log: %w", err)
	}
	return Mark(info.Size()), nil
}

// Writes lists a user's writes since the mark, in the order of their answers. It
// leaves out Leases: a leader has to renew its own.
func (c *Cluster) Writes(ctx context.Context, user string, since Mark) ([]Write, error) {
	if err := c.flushAudit(ctx); err != nil {
		return nil, err
	}
	data, err := c.auditedSince(since)
	if err != nil {
		return nil, err
	}
	var writes []Write
	for line := range bytes.Lines(data) {
		var e auditv1.Event
		if err := json.Unmarshal(line, &e); err != nil {
			break // a line that is being written
		}
		if e.User.Username != user || e.ObjectRef == nil || e.ObjectRef.Resource == "leases" {
			continue
		}
		w := Write{
			User: e.User.Username, UserAgent: e.UserAgent, Verb: e.Verb, Group: e.ObjectRef.APIGroup, Resource: e.ObjectRef.Resource,
			Subresource: e.ObjectRef.Subresource, Namespace: e.ObjectRef.Namespace, Name: e.ObjectRef.Name, At: e.RequestReceivedTimestamp.Time,
		}
		if e.ResponseStatus != nil {
			w.Code = int(e.ResponseStatus.Code)
		}
		writes = append(writes, w)
	}
	return writes, nil
}

func (c *Cluster) auditedSince(since Mark) ([]byte, error) {
	data, err := os.ReadFile(c.auditLog())
	if err != nil {
		return nil, fmt.Errorf("reading the API server's audit log: %w", err)
	}
	return data[min(int(since), len(data)):], nil
}

// flushAudit makes a write of its own and waits until the log has it: a call's line
// may be written shortly after its answer.
func (c *Cluster) flushAudit(ctx context.Context) error {
	since, err := c.Mark()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("flush-%d", sequence.Add(1))
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := c.Client.Create(ctx, n, client.DryRunAll); err != nil {
		return fmt.Errorf("marking the API server's audit log: %w", err)
	}
	for {
		data, err := c.auditedSince(since)
		if err != nil {
			return err
		}
		if bytes.Contains(data, []byte(name)) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the API server's audit log: %w", context.Cause(ctx))
		case <-time.After(5 * time.Millisecond):
		}
	}
}
