package botapisim

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/go-telegram/bot/models"
)

// The simulator's own interface, for a test that is another process:
//
//	GET    /sim/sent    the messages that took effect; ?chat_id= narrows it
//	GET    /sim/stats   {"sent","refusals","max_per_second":{token:n}}
//	POST   /sim/bots    {"token","username","name"}
//	POST   /sim/says    {"token","chat","from","text"}: answers what the webhook answered
//	POST   /sim/faults  a Fault, with delay_ms and drop_at: "before_read", "before_answer" or "mid_answer"
//	DELETE /sim/faults  removes every fault
func (s *Sim) serveControl(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "GET /sim/sent":
		sent := s.Sent()
		if chat := r.URL.Query().Get("chat_id"); chat != "" {
			sent = s.SentTo(args{"chat_id": chat}.int("chat_id"))
		}
		if sent == nil {
			sent = []Sent{}
		}
		writeJSON(w, http.StatusOK, sent)
	case "GET /sim/stats":
		rates := map[string]int{}
		s.mu.RLock()
		for token := range s.bots {
			rates[token] = 0
		}
		s.mu.RUnlock()
		for token := range rates {
			rates[token] = s.MaxRate(token, time.Second)
		}
		writeJSON(w, http.StatusOK, map[string]any{
			"sent": s.Count(), "refusals": s.Refusals(), "max_per_second": rates,
		})
	case "POST /sim/bots":
		var b Bot
		if !readJSON(w, r, &b) {
			return
		}
		if botID(b.Token) == 0 {
			writeJSON(w, http.StatusBadRequest, map[string]string{"error": "token must be NUMBER:SECRET"})
			return
		}
		s.AddBot(b)
		writeJSON(w, http.StatusOK, b)
	case "POST /sim/says":
		s.controlSays(w, r)
	case "POST /sim/faults":
		s.controlFault(w, r)
	case "DELETE /sim/faults":
		s.ClearFaults()
		writeJSON(w, http.StatusOK, map[string]any{})
	default:
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "no such call"})
	}
}

func (s *Sim) controlSays(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Token string      `json:"token"`
		Chat  models.Chat `json:"chat"`
		From  models.User `json:"from"`
		Text  string      `json:"text"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if s.bot(in.Token) == nil {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "no such bot"})
		return
	}
	if in.Chat.ID == 0 {
		in.Chat = Private(in.From)
	}
	d := s.UserSays(in.Token, in.Chat, in.From, in.Text)
	status, answer, err := d.Wait(r.Context())
	if err != nil {
		return // the caller is gone
	}
	writeJSON(w, http.StatusOK, map[string]any{"update_id": d.UpdateID, "status": status, "answer": string(answer)})
}

func (s *Sim) controlFault(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Fault
		DelayMS int64  `json:"delay_ms"`
		DropAt  string `json:"drop_at"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	in.Delay = time.Duration(in.DelayMS) * time.Millisecond
	switch in.DropAt {
	case "":
	case "before_read":
		in.Drop = BeforeRead
	case "before_answer":
		in.Drop = BeforeAnswer
	case "mid_answer":
		in.Drop = MidAnswer
	default:
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "drop_at must be before_read, before_answer or mid_answer"})
		return
	}
	s.Inject(in.Fault)
	writeJSON(w, http.StatusOK, map[string]any{})
}

func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "the body is not the JSON object that is wanted"})
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
