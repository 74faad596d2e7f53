package runtime_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime"
	"github.com/open4x/socialops/runtime/provider/all"
	"github.com/open4x/socialops/runtime/seal"
)

// firstLine tells when something was logged.
type firstLine struct{ logged chan struct{} }

func (l firstLine) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "the database is away") {
		select {
		case l.logged <- struct{}{}:
		default:
		}
	}
	return len(p), nil
}

// Who is told to stop while it waits for its database has not failed.
func TestStoppedWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := "postgres://somebody@" + closed.Addr().String() + "/db?sslmode=disable"
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func(context.Context, *slog.Logger) error{
		"runtime": func(ctx context.Context, log *slog.Logger) error {
			return runtime.Serve(ctx, runtime.Config{Alias: "a", DatabaseURL: nowhere, Providers: all.Providers(all.Options{}), Listen: "127.0.0.1:0", Health: "127.0.0.1:0", Log: log})
		},
		"worker": func(ctx context.Context, log *slog.Logger) error {
			return runtime.Work(ctx, runtime.WorkerConfig{DatabaseURL: nowhere, EncryptionKey: seal.Generate(), Providers: all.Providers(all.Options{}), Log: log})
		},
		"console": func(ctx context.Context, log *slog.Logger) error {
			return runtime.ServeConsole(ctx, runtime.ConsoleConfig{
				DatabaseURL: func() (string, error) { return nowhere, nil }, Issuer: "https://127.0.0.1:1", Audience: "socialops", PermissionsClaim: "permissions", ClientID: "console",
				RuntimeURL: runtime.DefaultRuntimeURL, Listen: "127.0.0.1:0", Health: "127.0.0.1:0", Log: log,
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			line := firstLine{make(chan struct{}, 1)}
			ended := make(chan error, 1)
			go func() { ended <- run(ctx, slog.New(slog.NewTextHandler(line, nil))) }()
			select {
			case <-line.logged:
			case err := <-ended:
				t.Fatalf("it did not wait: %v", err)
			case <-time.After(time.Minute):
				t.Fatal("it never said that the database is away")
			}
			stop()
			if err := <-ended; err != nil {
				t.Errorf("it failed: %v", err)
			}
		})
	}
}
