package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	_ "embed"
)

// floorScript is one event in one statement, as good as it gets by hand: what the
// triggers do for the product (charge and log) it does itself, so they are off,
// and it has no use for balance and counter, the rows that all events share.
//
//go:embed floor.sql
var floorScript []byte

// What the floor needs beyond the product's schema, and how it is taken back.
var (
	toFloor = []string{
		"ALTER TABLE message DISABLE TRIGGER USER", "ALTER TABLE ledger DISABLE TRIGGER USER", "ALTER TABLE thread DISABLE TRIGGER USER",
		"ALTER TABLE thread_state DISABLE TRIGGER USER", "ALTER TABLE event DISABLE TRIGGER USER",
		"GRANT INSERT ON ledger, event TO socialops_runtime",
	}
	fromFloor = []string{
		"ALTER TABLE message ENABLE TRIGGER USER", "ALTER TABLE ledger ENABLE TRIGGER USER", "ALTER TABLE thread ENABLE TRIGGER USER",
		"ALTER TABLE thread_state ENABLE TRIGGER USER", "ALTER TABLE event ENABLE TRIGGER USER",
		"REVOKE INSERT ON ledger, event FROM socialops_runtime",
	}
)

func (b *bench) asOwner(ctx context.Context, statements []string) error {
	for _, sql := range statements {
		if _, err := b.owner.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// floored is what pgbench saw.
type floored struct {
	transactions int64
	perSecond    float64
	meanMS       float64
}

// floor runs the floor, warmed up, on fresh tables.
func (b *bench) floor(ctx context.Context, clients int) (got floored, err error) {
	if err := b.asOwner(ctx, toFloor); err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, b.asOwner(context.WithoutCancel(ctx), fromFloor)) }()
	if err := b.truncate(ctx); err != nil {
		return got, err
	}
	if _, err := b.pgbench(ctx, clients, b.scale.warmUp); err != nil {
		return got, err
	}
	if err := b.fresh(ctx); err != nil {
		return got, err
	}
	if got, err = b.pgbench(ctx, clients, b.scale.load); err != nil {
		return got, err
	}
	return got, b.checkIngested(ctx, got.transactions, got.transactions, false)
}

var (
	transactionsLine = regexp.MustCompile(`(?m)^number of transactions actually processed: (\d+)`)
	failedLine       = regexp.MustCompile(`(?m)^number of failed transactions: (\d+)`)
	rateLine         = regexp.MustCompile(`(?m)^tps = ([\d.]+) \(without initial connection time\)`)
	latencyLine      = regexp.MustCompile(`(?m)^latency average = ([\d.]+) ms`)
)

func (b *bench) pgbench(ctx context.Context, clients int, d time.Duration) (got floored, err error) {
	script := filepath.Join(b.dir, "floor.sql")
	if err := os.WriteFile(script, floorScript, 0o600); err != nil {
		return got, fmt.Errorf("writing pgbench's script: %w", err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(b.server.BinDir(), "pgbench"),
		"-h", b.server.SocketDir(), "-U", b.tenant.role, "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "1", "-T", seconds(d),
		"-D", "n=0", "-D", "run="+runName(), "-D", "instance="+b.tenant.id.UUID(), "-D", "channel="+b.tenant.generic.UUID(), "-D", "body="+exampleEvent(),
		"-f", script, database)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return got, fmt.Errorf("pgbench: %w\n%s", errors.Join(err, ctx.Err()), out)
	}
	find := func(re *regexp.Regexp) float64 {
		found := re.FindSubmatch(out)
		if found == nil {
			err = errors.Join(err, fmt.Errorf("pgbench did not say %q:\n%s", re, out))
			return 0
		}
		v, failed := strconv.ParseFloat(string(found[1]), 64)
		err = errors.Join(err, failed)
		return v
	}
	got = floored{transactions: int64(find(transactionsLine)), perSecond: find(rateLine), meanMS: find(latencyLine)}
	if failed := find(failedLine); failed > 0 {
		err = errors.Join(err, fmt.Errorf("pgbench: %.0f transactions failed", failed))
	}
	return got, err
}
