package admin_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/admin"
	"github.com/open4x/socialops/runtime/console/identity"
)

// run runs a command as it is typed.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	for _, c := range admin.Commands(func(string) (string, error) { t.Fatal("no database is needed"); return "", nil }) {
		if c.Name() != args[0] {
			continue
		}
		var out bytes.Buffer
		c.SetOut(&out)
		c.SetErr(&out)
		c.SetArgs(args[1:])
		err := c.Execute()
		return out.String(), err
	}
	t.Fatalf("there is no command %s", args[0])
	return "", nil
}

func TestToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := run(t, "token", "--data-dir", dir, "--subject", "alice"); err == nil || !strings.Contains(err.Error(), "start `socialops dev") {
		t.Errorf("without a key: %v", err)
	}
	key := identity.NewLocalKey()
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secrets", "console-key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	local, err := identity.NewLocal(key, identity.LocalAudience)
	if err != nil {
		t.Fatal(err)
	}
	text, err := run(t, "token", "--data-dir", dir, "--subject", "alice")
	if err != nil {
		t.Fatal(err)
	}
	u, err := local.Verify(t.Context(), strings.TrimSuffix(text, "\n"))
	if err != nil || u.Subject != "alice" || strings.Join(u.Permissions, " ") != "service:read service:manage" {
		t.Errorf("the dev mode reads %+v: %v", u, err)
	}
	text, err = run(t, "token", "--data-dir", dir, "--subject", "bob", "--permissions", "service:read", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var shown struct{ Token, Subject string }
	if err := json.Unmarshal([]byte(text), &shown); err != nil || shown.Subject != "bob" {
		t.Errorf("%s (%v)", text, err)
	}
	if u, err := local.Verify(t.Context(), shown.Token); err != nil || u.Subject != "bob" {
		t.Errorf("the dev mode reads %+v: %v", u, err)
	}
}
