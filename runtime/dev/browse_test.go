package dev

import "testing"

func TestDisplayOpener(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		system, set, want string
	}{
		"X11":                   {"linux", "DISPLAY", "xdg-open"},
		"Wayland":               {"linux", "WAYLAND_DISPLAY", "xdg-open"},
		"a server":              {"linux", "SSH_CONNECTION", ""},
		"a Mac":                 {"darwin", "", "open"},
		"a Mac, from elsewhere": {"darwin", "SSH_CONNECTION", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := displayOpener(c.system, func(name string) string {
				if name == c.set {
					return "1"
				}
				return ""
			})
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
