package controllers

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/inbox"
)

// outcome is what came of a pass so far.
type outcome struct {
	conditions []metav1.Condition // of the projection; nil: as they were
	secret     map[string][]byte
	keys       *desired.KeySecret
	free       map[objectKey]bool // names that nobody had just now
	refused    bool               // the alias is not the instance's
	applied    bool               // the objects were gone through
	queued     bool               // the Deployment's update waits in line
	paused     bool
	deleting   string // why it isn't gone yet
	gone       bool   // now it is
	// terminating tells that the namespace is being deleted, with all that is in it.
	terminating bool

	problems map[string]problem // by condition
	changes  changes
	notes    []note
	err      error         // to try again soon
	after    time.Duration // to look again; 0: when something happens
}

// add notes what keeps a condition from holding. The first one counts.
func (o *outcome) add(condition string, p problem) {
	if p.err != nil {
		o.err = errors.Join(o.err, p.err)
		return
	}
	o.terminating = o.terminating || p.terminating
	if _, had := o.problems[condition]; had {
		return
	}
	if o.problems == nil {
		o.problems = map[string]problem{}
	}
	o.problems[condition] = p
}

// retry asks for a look after d at the latest.
func (o *outcome) retry(d time.Duration) {
	if d = max(d, time.Millisecond); o.after == 0 || d < o.after {
		o.after = d
	}
}

func (o *outcome) againAt(now, t time.Time) { o.retry(t.Sub(now)) }

// conclude writes the status, if it changed, tells what happened, and says when to
// look again.
func (r *instanceReconciler) conclude(ctx context.Context, p *pass) (ctrl.Result, error) {
	before := p.instance.Status.DeepCopy()
	status, err := r.status(ctx, p)
	if err != nil {
		return r.failed(ctx, p.name, errors.Join(p.err, err))
	}
	if !p.gone && !equality.Semantic.DeepEqual(before, status) {
		if err := r.writeStatus(ctx, p, status); err != nil {
			return r.failed(ctx, p.name, errors.Join(p.err, err))
		}
	}
	if n := p.changes.note(); n != nil {
		p.notes = append(p.notes, *n)
	}
	if p.deleting == "" {
		p.notes = append(p.notes, transitions(before.Conditions, status.Conditions)...)
	}
	for _, n := range p.notes {
		tell(r.recorder, p.instance, n)
	}
	if p.err != nil {
		return r.failed(ctx, p.name, p.err)
	}
	return ctrl.Result{RequeueAfter: r.next(p)}, nil
}

// next is when to look again though nothing happens.
func (r *instanceReconciler) next(p *pass) time.Duration {
	limit := time.Duration(0)
	for _, problem := range p.problems {
		if problem.retry > 0 && (limit == 0 || problem.retry < limit) {
			limit = problem.retry
		}
	}
	if limit == 0 {
		p.memory.tries = 0
	} else {
		p.memory.tries++
		p.retry(backoff(p.memory.tries, limit))
	}
	r.recovered(p)
	return p.after
}

// failed has a pass tried again by the queue, ever later. The log hears of it once,
// and not at all of what conditions tell, as a thousand instances would say the same.
func (r *instanceReconciler) failed(ctx context.Context, name types.NamespacedName, err error) (ctrl.Result, error) {
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return ctrl.Result{}, nil // the process ends
	}
	if m := r.memory.peek(name); (m == nil || !m.failing) && inbox.CodeOf(err) == "" && !apierrors.IsConflict(err) {
		if m != nil {
			m.failing = true
		}
		if r.failures.first(rootCause(err), r.now()) {
			r.log.WarnContext(ctx, "an instance can't be looked after; trying again", "instance", name.String(), "error", err)
		}
	}
	return ctrl.Result{}, err
}

// rootCause is what an error says at its innermost, which is the same for many objects.
func rootCause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func (r *instanceReconciler) recovered(p *pass) {
	if p.memory.failing {
		p.memory.failing = false
		r.log.Info("an instance is looked after again", "instance", p.name.String())
	}
}
