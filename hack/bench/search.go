package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

const mostSearchMS = 50

func measureSearch(ctx context.Context, b *bench) (rows []Row, err error) {
	if err := b.large(ctx); err != nil {
		return nil, err
	}
	p, err := b.runtime(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	for _, in := range []int{10, 1000, 100_000} {
		row, err := b.searchWord(ctx, p, in)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// searchWord looks for a word that is in one of so many threads, whatever their status.
func (b *bench) searchWord(ctx context.Context, p *process, in int) (Row, error) {
	query := url.Values{"limit": {fmt.Sprint(pageLimit)}, "q": {pgtest.SeedWord(in)}, "status": {"open,pending,resolved,archived"}}
	address := p.api + "/inbox?" + query.Encode()
	page, err := b.get(ctx, address)
	if err != nil {
		return Row{}, err
	}
	if want := min(pageLimit, b.scale.threads/in); len(page.Data) < want {
		return Row{}, fmt.Errorf("the word of 1 in %d threads found %d, not %d", in, len(page.Data), want)
	}
	var runs []float64
	for range b.scale.pairs {
		p99, err := b.apiP99(ctx, address, readers)
		if err != nil {
			return Row{}, err
		}
		runs = append(runs, p99)
	}
	row := alone(fmt.Sprintf("search, a word of 1 in %d threads, %d connections: p99", in, readers), "ms", runs)
	return row.bar(fmt.Sprintf("≤ %d ms", mostSearchMS), row.Ours <= mostSearchMS), nil
}
