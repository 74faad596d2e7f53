package rest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
)

// fill gives every field of a value something of its own, so that a field that is
// added and not written is missed.
func fill(v reflect.Value, n *int) {
	*n++
	at := time.Date(2026, 1, 2, 3, 4, 5, *n*1000, time.UTC)
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(at))
		return
	case Object:
		v.SetBytes([]byte(`{"a": [1,"<b>"]}`))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString("text <&> " + string(rune('a'+*n%26)) + string(rune('α'+*n%24)))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Bool:
		v.SetBool(true)
	}
}

func TestListsWriteWhatEncodingJSONWould(t *testing.T) {
	t.Parallel()
	n := 0
	var whole InboxThread
	fill(reflect.ValueOf(&whole).Elem(), &n)
	var thread Thread
	fill(reflect.ValueOf(&thread).Elem(), &n)
	var message Message
	fill(reflect.ValueOf(&message).Elem(), &n)
	empty := Thread{CustomData: Object("{}")} // there is always an object
	s := &Inbox{prefix: "/p/"}
	bare := s.ShowThread(inbox.ThreadView{LastMessage: &inbox.Message{}, Contact: &inbox.Contact{}})
	cursor := "next"
	for name, v := range map[string]any{
		"every field":   List[InboxThread]{Success: true, Data: []InboxThread{whole, whole}, Pagination: Pagination{Page: 2, Limit: 50, NextCursor: &cursor, HasMore: true}},
		"no field":      List[InboxThread]{Data: []InboxThread{{Thread: empty}, {Thread: empty, LastMessage: &Message{}, Contact: &Contact{}}}},
		"as made":       List[InboxThread]{Success: true, Data: []InboxThread{bare}},
		"threads":       List[Thread]{Success: true, Data: []Thread{thread, empty}},
		"messages":      List[Message]{Success: true, Data: []Message{message, {Attachments: []Attachment{}}}},
		"an empty list": List[InboxThread]{Success: true, Data: []InboxThread{}},
		"no list":       List[InboxThread]{},
	} {
		var want, got bytes.Buffer
		if err := plainJSON(&want, v); err != nil {
			t.Fatal(err)
		}
		if own, is := v.(interface{ ownJSON() bool }); !is || !own.ownJSON() {
			t.Fatalf("%s: is written by reflection", name)
		}
		if err := marshal(&got, v); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzAppendText(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\b\f\n\r\t\x00\x1f\x7f", "<&>", "é漢😀", "\u2028\u2029", "\xff\xc0\xaf", "cut \xe2\x82", "\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want bytes.Buffer
		if err := plainJSON(&want, s); err != nil {
			t.Fatal(err)
		}
		if got := string(appendText(nil, s)) + "\n"; got != want.String() {
			t.Errorf("%q: got %s want %s", s, got, want.String())
		}
		if !json.Valid(appendText(nil, s)) {
			t.Errorf("%q is no JSON", appendText(nil, s))
		}
	})
}
