package botapisim

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  Fault
		status int // 0: no answer
		body   string
		sent   int
	}{
		"none":                 {Fault{Method: "getMe"}, 200, `"message_id":1`, 1},
		"other chat":           {Fault{ChatID: 8, Status: 500}, 200, "", 1},
		"other bot":            {Fault{Token: "5:x", Status: 500}, 200, "", 1},
		"status":               {Fault{Status: 500}, 500, "Internal Server Error", 0},
		"status, with effect":  {Fault{Status: 500, Effect: true}, 500, "", 1},
		"text":                 {Fault{Status: 400, Description: "Bad Request: x"}, 400, `"description":"Bad Request: x"`, 0},
		"slow down":            {Fault{Status: 429, RetryAfter: 5}, 429, `"parameters":{"retry_after":5}`, 0},
		"migrate":              {Fault{Status: 400, MigrateTo: -1}, 400, `"parameters":{"migrate_to_chat_id":-1}`, 0},
		"body":                 {Fault{Body: "hello"}, 200, "hello", 0},
		"delay":                {Fault{Delay: time.Millisecond}, 200, `"message_id":1`, 1},
		"before read":          {Fault{Drop: BeforeRead, Effect: true}, 0, "", 0},
		"before answer":        {Fault{Drop: BeforeAnswer}, 0, "", 0},
		"before answer, taken": {Fault{Drop: BeforeAnswer, Effect: true}, 0, "", 1},
		"mid answer":           {Fault{Drop: MidAnswer, Effect: true}, 0, "", 1},
		"skipped":              {Fault{Skip: 1, Status: 500}, 200, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{})
			i := s.Inject(c.fault)
			status, body := 0, ""
			resp, err := http.Post(s.URL()+"/bot"+token+"/sendMessage", "application/json", strings.NewReader(`{"chat_id":7,"text":"x"}`))
			if err == nil {
				var b []byte
				if b, err = io.ReadAll(resp.Body); err == nil {
					status, body = resp.StatusCode, string(b)
				}
				_ = resp.Body.Close()
			}
			if status != c.status || !strings.Contains(body, c.body) || s.Count() != c.sent {
				t.Errorf("%d %s, %d sent; want %d %s, %d sent", status, body, s.Count(), c.status, c.body, c.sent)
			}
			i.Remove()
			if status, body := post(t, s, "sendMessage", `{"chat_id":7,"text":"x"}`); status != 200 {
				t.Errorf("%d %s after the fault was removed", status, body)
			}
		})
	}
}

func TestFaultTimes(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	i := s.Inject(Fault{Skip: 1, Times: 2, Status: 500})
	var got []int
	for range 5 {
		status, _ := post(t, s, "getMe", "")
		got = append(got, status)
	}
	if d := cmp.Diff([]int{200, 500, 500, 200, 200}, got); d != "" || i.Hits() != 2 {
		t.Errorf("%d hits: %s", i.Hits(), d)
	}
	s.Inject(Fault{Status: 500})
	s.ClearFaults()
	if status, _ := post(t, s, "getMe", ""); status != 200 {
		t.Error("faults outlive ClearFaults")
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	i := s.Inject(Fault{Hang: true})
	status := make(chan int)
	go func() {
		code, _ := post(t, s, "sendMessage", `{"chat_id":7,"text":"x"}`)
		status <- code
	}()
	if err := i.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.Count() != 0 {
		t.Error("it was sent before it was released")
	}
	i.Release()
	if code := <-status; code != 200 || s.Count() != 1 {
		t.Errorf("%d, %d sent", code, s.Count())
	}
}

func TestCloseEndsWhatHangs(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	i := s.Inject(Fault{Hang: true})
	failed := make(chan error, 1)
	go func() {
		resp, err := http.Get(s.URL() + "/bot" + token + "/getMe")
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	if err := i.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	<-failed
}
