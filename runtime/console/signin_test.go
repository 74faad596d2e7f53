package console_test

import (
	"net/http"
	"testing"

	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/rest"
)

// An agent's way through a conversation.
func TestConversation(t *testing.T) {
	t.Parallel()
	a := start(t)
	got := a.event(`{"event_id": "1", "thread_id": "incident", "title": "Down", "text": "API is slow", "user": {"id": "monitor"}}`)
	if list := data[[]console.Instance](t, a.call("alice r", "GET", console.BasePath+"/instances", ""), 200); len(list) != 1 || list[0].Alias != a.tenant.Alias || list[0].Unread != 1 {
		t.Errorf("instances: %+v", list)
	}
	threads := decode[rest.List[rest.InboxThread]](t, a.call("alice r", "GET", "/inbox?status=open", ""), 200)
	if len(threads.Data) != 1 || threads.Data[0].ID != got.ThreadID || threads.Data[0].UnreadCount != 1 {
		t.Fatalf("inbox: %+v", threads)
	}
	thread := "/threads/" + got.ThreadID
	note := data[rest.Queued](t, a.call("alice m", "POST", thread+"/notes", `{"text": "looking"}`), 201)
	if note.Message.Author.Kind != "agent" || note.Message.Author.Name != "Alice" {
		t.Errorf("author: %+v", note.Message.Author)
	}
	reply := data[rest.Queued](t, a.call("alice m", "POST", thread+"/replies", `{"text": "on it"}`, "Idempotency-Key: k1"), 201)
	again := data[rest.Queued](t, a.call("alice m", "POST", thread+"/replies", `{"text": "on it"}`, "Idempotency-Key: k1"), 201)
	if reply.Action == nil || again.Message.ID != reply.Message.ID {
		t.Errorf("replies: %+v, %+v", reply, again)
	}
	changed := data[rest.InboxThread](t, a.call("alice m", "PATCH", thread, `{"status": "pending", "assignee": "sub:alice"}`), 200)
	if changed.Status != "pending" || changed.Assignee == nil || changed.Assignee.Name != "Alice" {
		t.Errorf("thread: %+v", changed)
	}
	messages := decode[rest.List[rest.Message]](t, a.call("alice r", "GET", thread+"/messages?order=newest&limit=2", ""), 200)
	if len(messages.Data) != 2 || messages.Data[0].Seq != 3 || !messages.Pagination.HasMore {
		t.Errorf("messages: %+v", messages)
	}
	next := *messages.Pagination.NextCursor
	a.call("alice r", "GET", thread+"/messages?order=oldest&limit=2&cursor="+next, "").problem(t, 400, "invalid")
	if rest := decode[rest.List[rest.Message]](t, a.call("alice r", "GET", thread+"/messages?order=newest&limit=2&cursor="+next, ""), 200); len(rest.Data) != 1 || rest.Data[0].Seq != 1 {
		t.Errorf("the last page: %+v", rest)
	}
	if me := data[console.Me](t, a.call("alice r", http.MethodGet, console.BasePath+"/me", ""), 200); me.Name != "Alice" || len(me.Permissions) != 1 {
		t.Errorf("me: %+v", me)
	}
}
