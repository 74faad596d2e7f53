package main

import "context"

func measureIngest1(ctx context.Context, b *bench) ([]Row, error) {
	pairs, err := b.ingestPairs(ctx, 1, func(l loaded) float64 { return l.MeanMS }, func(f floored) float64 { return f.meanMS })
	if err != nil {
		return nil, err
	}
	row := paired("ingest, one connection: mean latency", "ms", "pgbench", pairs)
	return []Row{row.bar("≤ 2 × pgbench", row.Ratio <= 2)}, nil
}
