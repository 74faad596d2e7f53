package inbox

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // UUIDv5 is defined over SHA-1 (RFC 9562, section 5.5).
	"encoding/binary"
	"fmt"
	"time"
)

// ID is a TypeID: a UUID that carries its kind in its type, and in its text as a
// prefix (https://github.com/jetify-com/typeid, specification 0.3). The zero ID
// stands for "none" and reads as the empty text.
type ID[K Kind] [16]byte

// Kind names what an ID identifies.
type Kind interface{ prefix() string }

type (
	instanceKind   struct{}
	threadKind     struct{}
	messageKind    struct{}
	actionKind     struct{}
	channelKind    struct{}
	contactKind    struct{}
	accountKind    struct{}
	agentKind      struct{}
	keyKind        struct{}
	attachmentKind struct{}
	cannedKind     struct{}
	viewKind       struct{}
)

func (instanceKind) prefix() string   { return "soin" }
func (threadKind) prefix() string     { return "soth" }
func (messageKind) prefix() string    { return "somsg" }
func (actionKind) prefix() string     { return "soact" }
func (channelKind) prefix() string    { return "soch" }
func (contactKind) prefix() string    { return "socon" }
func (accountKind) prefix() string    { return "conn" }
func (agentKind) prefix() string      { return "soag" }
func (keyKind) prefix() string        { return "sokey" }
func (attachmentKind) prefix() string { return "soatt" }
func (cannedKind) prefix() string     { return "socan" }
func (viewKind) prefix() string       { return "soview" }

// The identifiers of the domain, each with the prefix of its text form.
type (
	InstanceID   = ID[instanceKind]   // soin_
	ThreadID     = ID[threadKind]     // soth_
	MessageID    = ID[messageKind]    // somsg_
	ActionID     = ID[actionKind]     // soact_
	ChannelID    = ID[channelKind]    // soch_
	ContactID    = ID[contactKind]    // socon_
	AccountID    = ID[accountKind]    // conn_
	AgentID      = ID[agentKind]      // soag_
	KeyID        = ID[keyKind]        // sokey_
	AttachmentID = ID[attachmentKind] // soatt_
	CannedTextID = ID[cannedKind]     // socan_
	SavedViewID  = ID[viewKind]       // soview_
)

// NewID makes a UUIDv7 (RFC 9562, section 5.7) of the given time, so that ids made
// later sort later on one machine. Nothing but the removal of old payloads goes by
// that order, which looks at their own time too.
func NewID[T ~[16]byte](now time.Time) T {
	var u [16]byte
	binary.BigEndian.PutUint64(u[:8], uint64(now.UnixMilli())<<16) // milliseconds since 1970 fit 48 bits until the year 10889
	_, _ = rand.Read(u[6:])                                        // crypto/rand.Read never fails: it aborts the program instead
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	return T(u)
}

// NameID makes the UUIDv5 of a name in a namespace: the same for the same name,
// so that what is made from a manifest keeps its id when it is made anew.
func NameID[T ~[16]byte](namespace [16]byte, name string) T {
	h := sha1.New() //nolint:gosec // see the import
	h.Write(namespace[:])
	h.Write([]byte(name))
	var u [16]byte
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return T(u)
}

// IsZero tells whether the id stands for "none".
func (id ID[K]) IsZero() bool { return id == ID[K]{} }

const base32 = "0123456789abcdefghjkmnpqrstvwxyz"

var base32Value = func() (v [256]byte) {
	for i := range v {
		v[i] = 0xff
	}
	for i := range base32 {
		v[base32[i]] = byte(i)
	}
	return v
}()

const suffixLen = 26 // 128 bits, five to a letter; the first letter holds three

// String is the id's text form: prefix, underscore, 26 letters of Crockford's
// base32 in lower case. The zero id's is empty.
func (id ID[K]) String() string {
	if id.IsZero() {
		return ""
	}
	var k K
	b := make([]byte, 0, len(k.prefix())+1+suffixLen)
	b = append(b, k.prefix()...)
	b = append(b, '_')
	hi, lo := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	for shift := 125; shift >= 0; shift -= 5 {
		var five uint64
		switch {
		case shift >= 64:
			five = hi >> (shift - 64)
		case shift > 59:
			five = hi<<(64-shift) | lo>>shift
		default:
			five = lo >> shift
		}
		b = append(b, base32[five&31])
	}
	return string(b)
}

// parseID reads an id's text form. Its error tells what an id of the kind looks like.
func parseID[K Kind](text string) (ID[K], error) {
	var id ID[K]
	var k K
	bad := func() (ID[K], error) {
		return ID[K]{}, fmt.Errorf("not an id: want %s_ and 26 letters of base32", k.prefix())
	}
	p := len(k.prefix())
	if len(text) != p+1+suffixLen || text[:p] != k.prefix() || text[p] != '_' {
		return bad()
	}
	var hi, lo uint64
	for i := p + 1; i < len(text); i++ {
		v := base32Value[text[i]]
		if v == 0xff || i == p+1 && v > 7 {
			return bad()
		}
		hi = hi<<5 | lo>>59
		lo = lo<<5 | uint64(v)
	}
	binary.BigEndian.PutUint64(id[:8], hi)
	binary.BigEndian.PutUint64(id[8:], lo)
	if id.IsZero() {
		return bad()
	}
	return id, nil
}

// MarshalText is String.
func (id ID[K]) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads an id's text form, with the empty text for the zero id.
func (id *ID[K]) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = ID[K]{}
		return nil
	}
	parsed, err := parseID[K](string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// UUID is the id's bytes as the text that databases and manifests write: 8-4-4-4-12.
func (id ID[K]) UUID() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
