package identity

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/open4x/socialops/runtime/console"
)

const (
	// maxToken is how many bytes a token may have: all headers together must fit into
	// what a server reads.
	maxToken = 16 << 10
	// skew is how far the issuer's clock may be from ours.
	skew = time.Minute

	maxSubject     = 255 // of OIDC, and of an instance's owner
	maxName        = 200
	maxPermissions = 1000
	maxPermission  = 200
)

// claims are a token's, as the issuer wrote them. Names are compared exactly, which
// decoding into a struct does not do.
type claims map[string]json.RawMessage

// expectation is what a token must say to be taken.
type expectation struct{ issuer, audience, permissionsClaim string }

// verified is whom signed claims speak of, if they are for us and hold at this moment.
func verified(payload []byte, want expectation, now time.Time) (console.User, error) {
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil || c == nil {
		return console.User{}, refusef(err, "its claims are no JSON object")
	}
	if issuer, ok := c.text("iss"); !ok || issuer != want.issuer {
		return console.User{}, refusef(nil, "its issuer (iss) is not %s", want.issuer)
	}
	if !c.isFor(want.audience) {
		return console.User{}, refusef(nil, "it is not for the audience %q (aud)", want.audience)
	}
	expires, err := c.validUntil(now)
	if err != nil {
		return console.User{}, err
	}
	subject, ok := c.text("sub")
	if !ok || subject == "" {
		return console.User{}, refusef(nil, "it names no subject (sub)")
	}
	if !isSubject(subject) {
		return console.User{}, refusef(nil, "its subject (sub) is longer than %d characters, has blanks around it or is not on one line", maxSubject)
	}
	return console.User{Subject: subject, Name: c.name(), Permissions: c.permissions(want.permissionsClaim), Expires: expires}, nil
}

// text is a claim that is a text.
func (c claims) text(name string) (string, bool) {
	var text *string
	if json.Unmarshal(c[name], &text) != nil || text == nil {
		return "", false
	}
	return *text, true
}

// isFor tells whether the token is for an audience, perhaps among others.
func (c claims) isFor(audience string) bool {
	if one, ok := c.text("aud"); ok {
		return one == audience
	}
	var several []string
	return json.Unmarshal(c["aud"], &several) == nil && slices.Contains(several, audience)
}

// isAccessType tells whether a token's type is that of an access token (RFC 9068), or
// says nothing. A logout token, for one, is signed with the same key.
func isAccessType(typ string) bool {
	switch strings.ToLower(typ) {
	case "", "jwt", "at+jwt", "application/at+jwt":
		return true
	default:
		return false
	}
}

// isSubject tells whether a text may be an instance's owner. What was no UTF-8 is
// none: several such texts would read the same.
func isSubject(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= maxSubject && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == utf8.RuneError
	})
}

// validUntil is when the token ends. It must have begun.
func (c claims) validUntil(now time.Time) (time.Time, error) {
	expires, ok := c.time("exp")
	if !ok {
		return time.Time{}, refusef(nil, "it does not say until when it is valid (exp)")
	}
	if !now.Before(expires.Add(skew)) {
		return time.Time{}, refusef(nil, "it has expired")
	}
	if _, ok := c["nbf"]; ok {
		from, ok := c.time("nbf")
		if !ok {
			return time.Time{}, refusef(nil, "what it says of its beginning (nbf) is no time")
		}
		if now.Add(skew).Before(from) {
			return time.Time{}, refusef(nil, "it is not valid yet")
		}
	}
	return expires, nil
}

// time is a claim in seconds since 1970, possibly with a fraction.
func (c claims) time(name string) (time.Time, bool) {
	var seconds *float64
	const year9999 = 253402300799
	if json.Unmarshal(c[name], &seconds) != nil || seconds == nil || *seconds < 0 || *seconds > year9999 {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(*seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true
}

// name is what others see of the user, "" when the token does not say.
func (c claims) name() string {
	for _, claim := range []string{"name", "preferred_username", "email"} {
		name, ok := c.text(claim)
		if !ok {
			continue
		}
		name = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || r == utf8.RuneError {
				return -1
			}
			return r
		}, name)
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if runes := []rune(name); len(runes) > maxName {
			name = string(runes[:maxName])
		}
		return name
	}
	return ""
}

// permissions are an array of texts, or one text with blanks between, as scope is.
// Anything else grants nothing.
func (c claims) permissions(claim string) []string {
	raw := find(c, claim)
	var list []any
	var text string
	switch {
	case json.Unmarshal(raw, &text) == nil:
		for word := range strings.FieldsSeq(text) {
			list = append(list, word)
		}
	case json.Unmarshal(raw, &list) != nil:
		return nil
	}
	var granted []string
	for _, p := range list {
		s, ok := p.(string)
		if !ok || s == "" || len(s) > maxPermission {
			continue
		}
		if granted = append(granted, s); len(granted) == maxPermissions {
			break
		}
	}
	return granted
}

// find looks a name up as it is, as some claims are named like URLs, and else takes a
// part before a dot for an object's name: realm_access.roles.
func find(in map[string]json.RawMessage, name string) json.RawMessage {
	if v, ok := in[name]; ok {
		return v
	}
	for i, r := range name {
		if r != '.' {
			continue
		}
		v, ok := in[name[:i]]
		var inner map[string]json.RawMessage
		if !ok || json.Unmarshal(v, &inner) != nil {
			continue
		}
		if v := find(inner, name[i+1:]); v != nil {
			return v
		}
	}
	return nil
}
