// Package botapisim behaves like Telegram's Bot API on the wire, for tests, the
// demo and benchmarks: methods under /bot<token>/, files under /file/bot<token>/,
// Telegram's own error texts and limits, updates posted to the registered
// webhook and repeated until it takes them. Faults can be injected into any call,
// and every message is on record, so that a test can tell that a reply was seen
// at most once.
//
// In a process it is started with [Start]; as a program of its own, with
// [Serve], which adds an HTTP interface for what the Go API does here.
package botapisim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a [Sim]. The zero value knows no bot, and any chat.
type Options struct {
	Bots []Bot
	// AnyBot takes every well-formed token for a bot's.
	AnyBot bool
	// KnownChatsOnly answers "chat not found" for a chat from which nothing came yet.
	// Without it, a chat is made by the first message to it.
	KnownChatsOnly bool
	// Limits are enforced with 429; nil enforces none. See [TelegramLimits].
	Limits *Limits
	// CountOnly keeps of each message only its time, for benchmarks.
	CountOnly bool
	// HTTPSOnly refuses webhooks over plain http, as Telegram does.
	HTTPSOnly bool
	// WebhookClient posts updates; nil means one with a timeout of 10 s.
	WebhookClient *http.Client
	// RetryDelay is waited before a refused update is posted again, doubling up to
	// 64 times of it; 0 means 200 ms.
	RetryDelay time.Duration
	// TLS, when set, is what the listener speaks.
	TLS *tls.Config
	// Control serves the simulator's own interface under /sim/. See control.go.
	Control bool
	// Now replaces time.Now.
	Now func() time.Time
}

// Bot is a bot that the simulator knows. Its id is the number in its token.
type Bot struct {
	Token    string `json:"token"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

// Sim is a simulated Bot API.
type Sim struct {
	o      Options
	url    string
	server *http.Server
	ctx    context.Context // ends with the Sim
	cancel context.CancelFunc

	mu     sync.RWMutex
	bots   map[string]*bot
	closed bool
	work   sync.WaitGroup // joined under mu, while not closed

	faults  atomic.Pointer[[]*Injected]
	record  record
	fileMu  sync.Mutex
	files   map[string]*File
	nextRef int
}

// New makes a simulator without a listener: it is an [http.Handler]. Close it.
func New(o Options) *Sim {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.WebhookClient == nil {
		o.WebhookClient = &http.Client{Timeout: 10 * time.Second}
	}
	if o.RetryDelay <= 0 {
		o.RetryDelay = 200 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sim{o: o, ctx: ctx, cancel: cancel, bots: map[string]*bot{}, files: map[string]*File{}}
	s.record.countOnly = o.CountOnly
	for _, b := range o.Bots {
		s.AddBot(b)
	}
	return s
}

// Start starts a simulator on a port of the loopback interface.
func Start(o Options) (*Sim, error) {
	s := New(o)
	ln, err := (&net.ListenConfig{}).Listen(s.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the Telegram simulator: %w", err)
	}
	s.listen(ln)
	return s, nil
}

// Serve runs a simulator on a listener until ctx is done.
func Serve(ctx context.Context, ln net.Listener, o Options) error {
	s := New(o)
	s.listen(ln)
	defer s.Close()
	<-ctx.Done()
	return nil
}

func (s *Sim) listen(ln net.Listener) {
	scheme := "http://"
	if s.o.TLS != nil {
		scheme, ln = "https://", tls.NewListener(ln, s.o.TLS)
	}
	s.url = scheme + ln.Addr().String()
	s.server = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return s.ctx },
	}
	s.start(func() {
		if err := s.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			s.cancel()
		}
	})
}

// start runs f in a goroutine that Close waits for, unless it is too late.
func (s *Sim) start(f func()) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.closed {
		s.work.Go(f)
	}
}

// URL is the simulator's address, to be used in place of https://api.telegram.org.
func (s *Sim) URL() string { return s.url }

// Close ends the simulator, calls in flight included, and waits for all that it started.
func (s *Sim) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	if s.server != nil {
		_ = s.server.Close()
	}
	s.work.Wait()
}

// AddBot makes a bot known.
func (s *Sim) AddBot(b Bot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bots[b.Token] = newBot(s, b)
}

// Revoke makes a bot's token invalid.
func (s *Sim) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.bots, token)
}

// bot finds a bot by its token.
func (s *Sim) bot(token string) *bot {
	s.mu.RLock()
	b := s.bots[token]
	s.mu.RUnlock()
	if b != nil || !s.o.AnyBot || botID(token) == 0 {
		return b
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b = s.bots[token]; b == nil {
		id := strconv.FormatInt(botID(token), 10)
		b = newBot(s, Bot{Token: token, Username: "bot" + id + "_bot", Name: "Bot " + id})
		s.bots[token] = b
	}
	return b
}

func botID(token string) int64 {
	id, secret, ok := strings.Cut(token, ":")
	n, err := strconv.ParseInt(id, 10, 64)
	if !ok || secret == "" || err != nil || n <= 0 {
		return 0
	}
	return n
}

// ServeHTTP answers as the Bot API does.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		panic(http.ErrAbortHandler)
	}
	s.work.Add(1)
	s.mu.RUnlock()
	defer s.work.Done()
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/bot"):
		token, method, _ := strings.Cut(path[len("/bot"):], "/")
		s.serveMethod(w, r, token, method)
	case strings.HasPrefix(path, "/file/bot"):
		token, file, _ := strings.Cut(path[len("/file/bot"):], "/")
		s.serveFile(w, r, token, file)
	case s.o.Control && strings.HasPrefix(path, "/sim/"):
		s.serveControl(w, r)
	default:
		reply(w, failed(http.StatusNotFound, "Not Found"))
	}
}

// methods are the Bot API's that are simulated, in lower case: Telegram takes any.
var methods = map[string]func(*bot, args) result{
	"getme":          (*bot).getMe,
	"sendmessage":    (*bot).sendMessage,
	"getfile":        (*bot).getFile,
	"setwebhook":     (*bot).setWebhook,
	"deletewebhook":  (*bot).deleteWebhook,
	"getwebhookinfo": (*bot).getWebhookInfo,
}

func (s *Sim) serveMethod(w http.ResponseWriter, r *http.Request, token, method string) {
	a, err := readArgs(r)
	if err != nil {
		reply(w, failed(http.StatusBadRequest, "Bad Request: "+err.Error()))
		return
	}
	method = strings.ToLower(method)
	s.serve(w, r, call{
		token: token, method: method, args: a,
		run:   func() result { return s.runMethod(token, method, a) },
		write: reply,
		bytes: result.body,
	})
}

func (s *Sim) runMethod(token, method string, a args) result {
	if botID(token) == 0 {
		return failed(http.StatusNotFound, "Not Found")
	}
	b := s.bot(token)
	if b == nil {
		return failed(http.StatusUnauthorized, "Unauthorized")
	}
	m, ok := methods[method]
	if !ok {
		return failed(http.StatusNotFound, "Not Found: method not found")
	}
	return m(b, a)
}
