package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

// The permissions of users. Who may manage may read.
const (
	PermissionRead   = "service:read"
	PermissionManage = "service:manage"
)

const (
	ownedFor = 5 * time.Second // nothing older is ever acted on
	agentFor = time.Minute
	// proofTime bounds finding out who calls and what is theirs.
	proofTime = 10 * time.Second
	maxToken  = 16 << 10
)

type ownedKey struct{ subject, alias string }

type agentKey struct {
	instance      inbox.InstanceID
	subject, name string
}

// person is who signed in, at one inbox or at none.
type person struct {
	User
	s     *Server
	in    inbox.OwnedInstance // zero: the call is about none
	desk  inbox.Desk          // of the instance
	agent inbox.Agent         // of the subject there; zero until it is needed
}

// Actor implements [rest.Caller].
func (p *person) Actor() string { return "agent:" + p.agent.ID.String() }

// Author implements [rest.Caller].
func (p *person) Author() inbox.Author {
	return inbox.Author{Kind: "agent", AgentID: p.agent.ID, Name: p.agent.Name}
}

// Name implements [rest.Caller].
func (p *person) Name() string { return "sub:" + p.Subject }

// Until implements [rest.Caller].
func (p *person) Until() time.Time { return p.Expires }

// Attr implements [rest.Caller].
func (p *person) Attr() slog.Attr { return slog.String("user", p.Subject) }

// Welcome tells whether the inbox is still theirs. What can't be known is no reason to end.
func (p *person) Welcome(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	in, err := p.s.find(ctx, p.Subject, p.in.Alias)
	if err != nil {
		return !errors.Is(err, errNotYours)
	}
	return in.ID == p.in.ID
}

// may tells whether the person has what a call needs.
func (p *person) may(need rest.Permission) bool {
	has := func(permission string) bool { return slices.Contains(p.Permissions, permission) }
	switch need {
	case rest.Read:
		return has(PermissionRead) || has(PermissionManage)
	case rest.Write:
		return has(PermissionManage)
	case rest.Admin:
		return has(p.s.AdminPermission)
	default:
		return false
	}
}

// challenge is what WWW-Authenticate says.
const challenge = `Bearer realm="socialops"`

// authorize lets people in who have the permission, at inboxes that are theirs.
func (s *Server) authorize(_ http.Header, r *http.Request, need rest.Permission) (rest.Caller, *rest.Inbox, error) {
	ctx, cancel := context.WithTimeout(r.Context(), proofTime)
	defer cancel()
	user, err := s.user(ctx, r.Header)
	if err != nil {
		return nil, nil, err
	}
	p := &person{User: user, s: s}
	if !p.may(need) {
		return p, nil, lacks(s.permissionFor(need))
	}
	alias := r.PathValue("alias")
	if alias == "" || need == rest.Admin {
		return p, nil, nil
	}
	if p.in, err = s.find(ctx, p.Subject, alias); err != nil {
		return p, nil, err
	}
	p.desk = s.Desks.Desk(p.in.ID)
	if need == rest.Write {
		if p.in.Suspended {
			return p, nil, errSuspended
		}
		if err := p.meet(ctx); err != nil {
			return p, nil, err
		}
	}
	return p, s.open(&p.in, p.desk), nil
}

var errSuspended = inbox.Errorf(inbox.CodeConflict, "this inbox is suspended, so that it can be read and not changed: ask whoever runs it to resume it")

// user tells whose token a request carries.
func (s *Server) user(ctx context.Context, h http.Header) (User, error) {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return User{}, rest.Failure(inbox.CodeUnproven, "sign in first: send an access token as Authorization: Bearer …").With("WWW-Authenticate", challenge)
	}
	if len(token) > maxToken {
		return User{}, refused("this access token is too long to be one")
	}
	user, err := s.Verifier.Verify(ctx, token)
	switch {
	case inbox.CodeOf(err) == inbox.CodeUnproven:
		return User{}, refused(rest.AsError(err).Info.Message)
	case err != nil:
		return User{}, err
	case user.Subject == "" || !user.Expires.IsZero() && !s.now().Before(user.Expires):
		return User{}, refused("this access token has expired or names nobody: sign in again")
	}
	return user, nil
}

func refused(message string) *rest.Error {
	return rest.Failure(inbox.CodeUnproven, message).With("WWW-Authenticate", challenge+`, error="invalid_token"`)
}

func (s *Server) permissionFor(need rest.Permission) string {
	switch need {
	case rest.Write:
		return PermissionManage
	case rest.Admin:
		return s.AdminPermission
	default:
		return PermissionRead
	}
}

func lacks(permission string) *rest.Error {
	return rest.Failure(inbox.CodeForbidden, "you lack the permission "+permission+": ask whoever manages your account for it, and sign in again").
		With("WWW-Authenticate", challenge+`, error="insufficient_scope", scope="`+permission+`"`)
}

var errNotYours = rest.Failure(inbox.CodeNotFound, "there is no such inbox among yours: GET "+BasePath+"/instances lists them")

// find finds a person's instance. What is not there, or another's, is looked for
// again each time, so that a new one appears at once.
func (s *Server) find(ctx context.Context, subject, alias string) (inbox.OwnedInstance, error) {
	in, err := s.owned.get(ownedKey{subject, alias}, func() (inbox.OwnedInstance, error) { return s.Desks.Find(ctx, subject, alias) })
	if inbox.CodeOf(err) == inbox.CodeNotFound {
		return in, errNotYours
	}
	return in, err //nolint:wrapcheck // says what to do
}

// meet finds the person's agent at the instance, made on first use.
func (p *person) meet(ctx context.Context) (err error) {
	if !p.agent.ID.IsZero() {
		return nil
	}
	p.agent, err = p.s.agents.get(agentKey{p.in.ID, p.Subject, p.User.Name}, func() (inbox.Agent, error) {
		return p.desk.Agent(ctx, p.Subject, p.User.Name)
	})
	return err
}
