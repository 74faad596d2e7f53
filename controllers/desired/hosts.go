package desired

import "strings"

// hostAllowed tells whether a host may be an instance's: it is the operator's default
// host, or one of the allowed ones, each an exact name or "*." and a suffix, where
// the star is one label: *.example.com covers a.example.com, but neither
// a.b.example.com nor example.com.
func hostAllowed(host string, s *Settings) bool {
	if host == s.DefaultHost {
		return true
	}
	for _, pattern := range s.AllowedHosts {
		if hostMatches(host, pattern) {
			return true
		}
	}
	return false
}

func hostMatches(host, pattern string) bool {
	suffix, wild := strings.CutPrefix(pattern, "*.")
	if !wild {
		return host == pattern
	}
	label, rest, found := strings.Cut(host, ".")
	return found && label != "" && rest == suffix
}
