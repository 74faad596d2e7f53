package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// URLAs is a database URL for another role: only user and password change. It also
// takes the form "host=… dbname=…". Its errors don't hold the URL.
func URLAs(databaseURL, role, password string) (string, error) {
	if !strings.HasPrefix(databaseURL, "postgres://") && !strings.HasPrefix(databaseURL, "postgresql://") {
		// Of two settings with one name the later one counts.
		return fmt.Sprintf("%s user=%s password=%s", databaseURL, quoted(role), quoted(password)), nil
	}
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", errors.New("the database URL can't be read: want postgres://USER:PASSWORD@HOST/DATABASE, with special characters of the password percent-encoded")
	}
	u.User = url.UserPassword(role, password)
	if q := u.Query(); q.Has("user") || q.Has("password") || q.Has("passfile") {
		q.Del("user")
		q.Del("password")
		q.Del("passfile")
		u.RawQuery = q.Encode()
	}
	return u.String(), nil
}

func quoted(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// Ports are the TCP ports that a database URL leads to, in ascending order.
func Ports(databaseURL string) ([]int32, error) {
	c, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("reading the database URL: %w", err)
	}
	ports := []int32{int32(c.Port)}
	for _, f := range c.Fallbacks {
		ports = append(ports, int32(f.Port))
	}
	slices.Sort(ports)
	return slices.Compact(ports), nil
}

// LoginOf is the role and the password that a database URL holds.
func LoginOf(databaseURL string) (role, password string, err error) {
	c, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		return "", "", fmt.Errorf("reading the database URL: %w", err)
	}
	return c.User, c.Password, nil
}

// CanLogin tells whether the database lets in whom a URL names. Its error is any
// other reason for not getting in.
func CanLogin(ctx context.Context, databaseURL string) (bool, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return false, fmt.Errorf("reading the database URL: %w", err)
	}
	config.ConnectTimeout = connectTimeout
	conn, err := pgx.ConnectConfig(ctx, config)
	switch {
	case err == nil:
		return true, conn.Close(ctx) //nolint:wrapcheck // hardly ever
	case isLoginState(sqlState(err)):
		return false, nil
	default:
		return false, coded(fmt.Errorf("logging in to the database as %s: %w", config.User, err), config)
	}
}
