package privatepg

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	pingTimeout = 10 * time.Second
	maxMessage  = 64 << 10
)

// startup is the first message but for its length: the version, then pairs.
const startup = "\x00\x03\x00\x00user\x00" + Superuser + "\x00database\x00postgres\x00application_name\x00socialops start\x00\x00"

// ping logs in as the superuser, which is to say that the socket, the rules of
// access and the catalog are all in order. It speaks just enough of the protocol
// (version 3.0) to spare the package a driver.
func ping(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("dial the socket: %w", err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()

	hello := binary.BigEndian.AppendUint32(nil, uint32(4+len(startup)))
	if _, err := c.Write(append(hello, startup...)); err != nil {
		return fmt.Errorf("write to the socket: %w", err)
	}
	r := bufio.NewReader(c)
	for {
		var head [5]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return fmt.Errorf("read from the socket: %w", err)
		}
		n := binary.BigEndian.Uint32(head[1:])
		if n < 4 || n > maxMessage {
			return fmt.Errorf("read from the socket: a message of %d bytes is not Postgres's", n)
		}
		body := make([]byte, n-4)
		if _, err := io.ReadFull(r, body); err != nil {
			return fmt.Errorf("read from the socket: %w", err)
		}
		switch head[0] {
		case 'Z': // ready for a query
			_, err := c.Write([]byte{'X', 0, 0, 0, 4})
			if err != nil {
				return fmt.Errorf("write to the socket: %w", err)
			}
			return nil
		case 'E':
			return fmt.Errorf("log in as %s: %q", Superuser, body)
		case 'R':
			if len(body) < 4 || binary.BigEndian.Uint32(body) != 0 {
				return fmt.Errorf("log in as %s: the cluster asks for a password: restore its pg_hba.conf", Superuser)
			}
		}
	}
}
