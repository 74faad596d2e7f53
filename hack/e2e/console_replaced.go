package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// proveReplacement replaces the console's pods while somebody writes notes and
// somebody else follows: no call fails, streams end and go on elsewhere, and whoever
// follows sees each note, once.
func (d *desk) proveReplacement(ctx context.Context) error {
	f := d.follow(ctx)
	w := d.write(ctx)
	_, err := d.kube.kubectl(ctx, "rollout", "restart", "deployment/"+consoleName, "--namespace", systemNamespace)
	if err == nil {
		err = d.kube.rollout(ctx, systemNamespace, consoleName, startLimit)
	}
	if err == nil {
		err = d.drained(ctx) // until the old pods have ended, with what they still did
	}
	w.end()
	err = errors.Join(err, w.unbroken(), f.sees(ctx, w.notes))
	f.end()
	if err != nil {
		return err
	}
	d.say("console: %d notes while its pods were replaced; %d events followed over %d streams", len(w.notes), f.last, f.ended+1)
	return errors.Join(f.unbroken(), d.kept(ctx, w.notes))
}

// drained waits until only as many of the console's pods are left as there should be.
func (d *desk) drained(ctx context.Context) error {
	return await(ctx, startLimit, "the console's old pods to be gone", func(ctx context.Context) (string, error) {
		var pods corev1.PodList
		if err := d.kube.List(ctx, &pods, client.InNamespace(systemNamespace), client.MatchingLabels{"app.kubernetes.io/component": "console"}); err != nil {
			return "", fmt.Errorf("listing the console's pods: %w", err)
		}
		for i := range pods.Items {
			if p := &pods.Items[i]; p.DeletionTimestamp != nil {
				return p.Name + " is still there", nil
			}
		}
		return "", nil
	})
}

// writer writes notes until it is stopped.
type writer struct {
	stop   context.CancelFunc
	done   chan struct{}
	notes  []string // that were acknowledged
	failed []string
}

func (d *desk) write(ctx context.Context) *writer {
	w := &writer{done: make(chan struct{})}
	ctx, w.stop = context.WithCancel(ctx)
	go func() {
		defer close(w.done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			text := "Note " + strconv.Itoa(n)
			a, err := d.owner.call(context.WithoutCancel(ctx), http.MethodPost, "/threads/"+d.thread+"/notes", map[string]string{"text": text}, "Idempotency-Key", text)
			switch {
			case err != nil:
				w.failed = append(w.failed, time.Now().Format("15:04:05.000 ")+err.Error())
			case a.status != http.StatusCreated:
				w.failed = append(w.failed, time.Now().Format("15:04:05.000 ")+a.String())
			default:
				w.notes = append(w.notes, text)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return w
}

func (w *writer) end() {
	w.stop()
	<-w.done
}

func (w *writer) unbroken() error {
	switch {
	case len(w.failed) > 0:
		return fmt.Errorf("%d of %d notes were refused:\n  %s", len(w.failed), len(w.failed)+len(w.notes), joinLines(w.failed[:min(len(w.failed), keptFails)]))
	case len(w.notes) < 10:
		return fmt.Errorf("only %d notes were written, which proves nothing", len(w.notes))
	}
	return nil
}

// kept fails unless every note is in the thread, once.
func (d *desk) kept(ctx context.Context, notes []string) error {
	messages, err := d.native.messages(ctx, d.thread)
	if err != nil {
		return err
	}
	stored := map[string]int{}
	for _, m := range messages {
		stored[m.Text]++
	}
	for _, text := range notes {
		if stored[text] != 1 {
			return fmt.Errorf("%q was acknowledged and is there %d times", text, stored[text])
		}
	}
	return nil
}

// follower follows an inbox's events until it is stopped, and goes on with another
// stream when one ends, as the page does.
type follower struct {
	in   *inbox
	stop context.CancelFunc
	done chan struct{}

	mu    sync.Mutex
	last  int64           // id of the last event
	notes map[string]bool // texts of the notes that were seen
	ended int             // streams that ended as they should
	wrong []string
}

func (d *desk) follow(ctx context.Context) *follower {
	in := *d.owner
	in.http = &http.Client{Transport: in.http.Transport} // a stream has no end that could be waited for
	f := &follower{in: &in, done: make(chan struct{}), notes: map[string]bool{}}
	ctx, f.stop = context.WithCancel(ctx)
	go func() {
		defer close(f.done)
		for ctx.Err() == nil {
			err := f.stream(ctx)
			if ctx.Err() != nil {
				return
			}
			f.mu.Lock()
			if f.ended++; err != nil {
				f.wrong = append(f.wrong, time.Now().Format("15:04:05.000 ")+err.Error())
			}
			f.mu.Unlock()
			if pause(ctx, pollEvery) != nil {
				return
			}
		}
	}()
	return f
}

// stream follows one stream to its end.
func (f *follower) stream(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.in.base+"/events", nil)
	if err != nil {
		return fmt.Errorf("asking for events: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+f.in.token)
	r.Header.Set("Last-Event-ID", strconv.FormatInt(f.last, 10)) // from the first on
	resp, err := f.in.http.Do(r)
	if err != nil {
		return fmt.Errorf("asking for events: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking for events: answered %s", resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if data, is := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); is {
			if err := f.see(data); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("a stream was cut off: %w", err)
	}
	return nil
}

func (f *follower) see(data []byte) error {
	var e struct {
		Seq     int64    `json:"seq"`
		Type    string   `json:"type"`
		Message *message `json:"message"`
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("reading an event: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Seq != f.last+1 {
		f.wrong = append(f.wrong, fmt.Sprintf("after the event %d came %d", f.last, e.Seq))
	}
	f.last = e.Seq
	if e.Type == "message.created" && e.Message != nil {
		f.notes[e.Message.Text] = true
	}
	return nil
}

// sees waits until all notes were seen.
func (f *follower) sees(ctx context.Context, notes []string) error {
	return await(ctx, healLimit, "every note to be seen by who follows", func(context.Context) (string, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, text := range notes {
			if !f.notes[text] {
				return fmt.Sprintf("%q is not, and the last event was %d", text, f.last), nil
			}
		}
		return "", nil
	})
}

func (f *follower) end() {
	f.stop()
	<-f.done
}

func (f *follower) unbroken() error {
	switch {
	case len(f.wrong) > 0:
		return fmt.Errorf("who followed saw:\n  %s", joinLines(f.wrong[:min(len(f.wrong), keptFails)]))
	case f.ended == 0:
		return errors.New("no stream ended, though every pod was replaced")
	}
	return nil
}

// newLoginLimit is how long the kubelet may take to bring a changed Secret to a pod
// that runs, which it looks for once a minute, and some.
const newLoginLimit = 3 * time.Minute

// proveNewLogin deletes the Secret with the console's login: the operator makes another
// with another password, and the pods that run take it up.
func (d *desk) proveNewLogin(ctx context.Context) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: consoleName}}
	if err := d.kube.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return fmt.Errorf("reading the console's Secret: %w", err)
	}
	was := string(secret.Data["url"])
	secret.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Secret"})
	if err := d.replaced(ctx, secret, nil); err != nil {
		return err
	}
	if string(secret.Data["url"]) == was || len(secret.Data["install-id"]) != 16 {
		return errors.New("the replaced Secret of the console holds the old password, or no install's id")
	}
	// Connections that are open go on; new ones need the new password.
	const end = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename ~ '^so_[0-9a-f]{8}_console$';`
	if _, err := d.sql(ctx, "socialops", end); err != nil {
		return err
	}
	begun := time.Now()
	const inARow = 10 // of either pod
	answered := 0
	err := await(ctx, newLoginLimit, "the console to use its new login", func(ctx context.Context) (string, error) {
		a, err := d.owner.call(ctx, http.MethodGet, "/inbox?limit=1", nil)
		if err != nil {
			return "", err
		}
		if a.status != http.StatusOK {
			answered = 0
			return "it answers " + a.String(), nil
		}
		if answered++; answered < inARow {
			return fmt.Sprintf("it answered %d times in a row", answered), nil
		}
		return "", nil
	})
	if err == nil {
		d.say("console: its new login was in use after %.0f s", time.Since(begun).Seconds())
	}
	return err
}
