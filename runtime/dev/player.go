package dev

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-telegram/bot/models"

	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/dev/desk"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// player plays the turns of [desk] by the calls that people and machines would make.
type player struct {
	*demo
	p       *process
	s       *stage
	console string // the alias's calls
	token   string // of the inbox's owner
	threads map[string]string
	people  map[int64]models.User
	said    map[string]bool // answers that are part of the play
	seen    int             // answers that the simulator has sent, as far as they were looked at
	thanked int

	played state
}

// state is what a later run on the same data has to know.
type state struct {
	Runs  int `json:"runs"`
	Turns int `json:"turns"` // that were played live
}

const stateFile = "demo.json"

// apart are more updates and messages than one run has, so that no two runs' have the same ids.
const apart = 1 << 20

func (d *demo) newPlayer(p *process, s *stage) (*player, error) {
	token, _, err := p.console.sessions.Issue(s.owner, []string{console.PermissionRead, console.PermissionManage, console.DefaultAdminPermission})
	if err != nil {
		return nil, err //nolint:wrapcheck // says what was wrong
	}
	pl := &player{
		demo: d, p: p, s: s, token: token, console: p.here() + console.BasePath + "/" + s.alias,
		threads: map[string]string{}, people: map[int64]models.User{jane.ID: jane}, said: map[string]bool{demoReply: true},
	}
	b, err := os.ReadFile(filepath.Join(p.DataDir, stateFile))
	if err == nil {
		err = json.Unmarshal(b, &pl.played)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading how far an earlier run came: %w", err)
	}
	d.sim.Resume(s.botToken, int64(pl.played.Runs)*apart)
	return pl, nil
}

func (pl *player) save() error {
	b, err := json.Marshal(pl.played)
	if err != nil {
		return fmt.Errorf("noting how far the demo came: %w", err)
	}
	return writePrivate(filepath.Join(pl.p.DataDir, stateFile), b)
}

// past plays what was, and dates it back. A later run finds it there.
func (pl *player) past(ctx context.Context) (string, error) {
	began := time.Now()
	turns := desk.Past(began)
	for _, t := range turns {
		pl.knows(t)
	}
	first := pl.played.Runs == 0
	pl.played.Runs++
	if err := pl.save(); err != nil {
		return "", err
	}
	if !first {
		return "is there since an earlier run", nil
	}
	defer pl.clock.Store(nil)
	shifts := make([]shift, 0, len(turns)+2)
	shifts = append(shifts, shift{from: began, by: began.Sub(turns[0].At) + time.Hour})
	for _, c := range desk.Opening() {
		if err := pl.ask(ctx, http.MethodPost, c.Path, "", c.Body, nil); err != nil {
			return "", fmt.Errorf("setting up the desk: %w", err)
		}
	}
	for _, t := range turns {
		pl.clock.Store(&t.At)
		shifts = append(shifts, shift{from: time.Now(), by: time.Until(t.At).Abs()})
		if err := pl.play(ctx, t, true); err != nil {
			return "", fmt.Errorf("%s: %w", t.ID, err)
		}
	}
	if err := pl.p.dateBack(ctx, append(shifts, shift{from: time.Now()})); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d conversations, in %.1f s", len(pl.threads), time.Since(began).Seconds()), nil
}

// live goes on until ctx ends or the time is over. What fails is no reason to stop:
// somebody may be trying things out.
func (pl *player) live(ctx context.Context) error {
	after := pl.p.After
	if after == nil {
		after = time.After
	}
	pl.seen = len(pl.sim.Sent())
	over := time.Now().Add(pl.p.DemoFor)
	n := (pl.played.Turns + desk.Round - 1) / desk.Round * desk.Round // stories begin anew with each run
	for time.Now().Before(over) {
		t, wait := desk.Live(n, time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-after(wait):
		}
		if thanks, ok := pl.thanks(); ok {
			t = thanks
		} else {
			t.At = time.Now()
			n++
			pl.played.Turns = n
			if err := pl.save(); err != nil {
				return err
			}
		}
		pl.knows(t)
		if err := pl.play(ctx, t, false); err != nil && ctx.Err() == nil {
			pl.p.Log.DebugContext(ctx, "a turn of the demo could not be played", "turn", t.ID, "error", err)
		}
	}
	return nil
}

// knows remembers who is in the play, and what its agents answer.
func (pl *player) knows(t desk.Turn) {
	if t.Person.ID != 0 {
		pl.people[t.Person.ID] = t.Person
	}
	if t.Kind == desk.Reply || t.Kind == desk.Fails {
		pl.said[t.Text] = true
	}
}

// thanks is what somebody says whom a person at the console has answered.
func (pl *player) thanks() (desk.Turn, bool) {
	sent := pl.sim.Sent()
	for pl.seen < len(sent) {
		message := sent[pl.seen]
		pl.seen++
		if who, known := pl.people[message.ChatID]; known && !pl.said[message.Raw] {
			pl.thanked++
			return desk.Turn{Kind: desk.Says, ID: "thanks", Person: who, Text: desk.Thanks(pl.thanked - 1)}, true
		}
	}
	return desk.Turn{}, false
}

// play plays a turn; settled has it wait until an answer is delivered, or is not.
func (pl *player) play(ctx context.Context, t desk.Turn, settled bool) error {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	switch t.Kind {
	case desk.Says:
		return pl.comes(t, pl.await(ctx, pl.sim.UserSays(pl.s.botToken, botapisim.Private(t.Person), t.Person, t.Text)))
	case desk.Blocks:
		_, _, err := pl.sim.UserBlocks(pl.s.botToken, t.Person).Wait(ctx)
		return err //nolint:wrapcheck // the call's own end
	case desk.Posts:
		return pl.comes(t, pl.hook(ctx, "generic-webhook", t.Body, func([]byte) map[string]string {
			return map[string]string{"X-API-Key": pl.s.key}
		}))
	case desk.Hooks:
		return pl.comes(t, pl.hook(ctx, "github", t.Body, func(body []byte) map[string]string {
			return githubHeaders(pl.s.secret, t.Event, t.ID, body)
		}))
	}
	thread, known := pl.threads[t.Thread]
	if !known {
		return fmt.Errorf("the conversation %s has not begun", t.Thread)
	}
	path := "/threads/" + thread
	switch t.Kind {
	case desk.Note:
		return pl.ask(ctx, http.MethodPost, path+"/notes", t.ID, map[string]any{"text": t.Text}, nil)
	case desk.Sets:
		if _, decided := t.Body["status"]; decided { // by somebody who read it
			if err := pl.ask(ctx, http.MethodPost, path+"/read", "", nil, nil); err != nil {
				return err
			}
		}
		return pl.ask(ctx, http.MethodPatch, path, "", t.Body, nil)
	}
	var queued struct {
		Data struct{ Message struct{ ID string } }
	}
	if err := pl.ask(ctx, http.MethodPost, path+"/replies", t.ID, map[string]any{"text": t.Text}, &queued); err != nil || !settled {
		return err
	}
	want := "completed"
	if t.Kind == desk.Fails {
		want = "failed"
	}
	return pl.settled(ctx, path, queued.Data.Message.ID, want)
}

// settled waits until a reply is delivered, or can't be.
func (pl *player) settled(ctx context.Context, path, message, want string) error {
	for {
		var list struct {
			Data []struct {
				ID       string
				Delivery *struct{ Status, Error string }
			}
		}
		if err := pl.ask(ctx, http.MethodGet, path+"/messages?order=newest&limit=5", "", nil, &list); err != nil {
			return err
		}
		for _, m := range list.Data {
			if m.ID == message && m.Delivery != nil && (m.Delivery.Status == "completed" || m.Delivery.Status == "failed") {
				if m.Delivery.Status != want {
					return fmt.Errorf("its delivery is %s (%s), not %s", m.Delivery.Status, m.Delivery.Error, want)
				}
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // the call's own end
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// outcome is what became of something that comes in.
type outcome struct {
	receipt
	err error
}

// comes remembers in which conversation something came in.
func (pl *player) comes(t desk.Turn, o outcome) error {
	if o.err == nil {
		pl.threads[cmp.Or(t.Thread, t.ID)] = o.ThreadID
	}
	return o.err
}

func (pl *player) await(ctx context.Context, d *botapisim.Delivery) outcome {
	status, answer, err := d.Wait(ctx)
	if err != nil {
		return outcome{err: err}
	}
	r, err := readReceipt(status, answer)
	return outcome{r, err}
}

func (pl *player) hook(ctx context.Context, provider string, body map[string]any, header func([]byte) map[string]string) outcome {
	content, err := json.Marshal(body)
	if err != nil {
		return outcome{err: fmt.Errorf("writing an event: %w", err)}
	}
	a, err := pl.do(ctx, http.MethodPost, pl.s.base+"/webhook/"+provider, content, header(content))
	if err != nil {
		return outcome{err: err}
	}
	r, err := readReceipt(a.status, a.body)
	return outcome{r, err}
}

// ask makes a call of the console as the inbox's owner.
func (pl *player) ask(ctx context.Context, method, path, id string, body, into any) error {
	var content []byte
	header := map[string]string{"Authorization": "Bearer " + pl.token}
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return fmt.Errorf("writing a call: %w", err)
		}
	}
	if id != "" {
		header["Idempotency-Key"] = id
	}
	if into == nil {
		into = &struct{}{}
	}
	_, err := pl.call(ctx, method, pl.console+path, content, header, into)
	return err
}
