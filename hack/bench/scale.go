package main

import "time"

// scale is how much of everything.
type scale struct {
	pairs      int           // pairs of a comparison
	warmUp     time.Duration // of each side of a pair
	load       time.Duration // of each side of a pair
	readWarmUp time.Duration
	reads      time.Duration // of a list
	actions    int           // replies to deliver, and jobs for River
	paced      int           // replies to deliver at Telegram's pace
	replies    int           // replies whose way is timed
	starts     int           // of a runtime
	threads    int           // in the large database
	messages   int
	deepPage   int // of the inbox

	deskThreads int           // in the inbox that is looked at in a browser
	views       int           // first ones
	opens       int           // threads that are opened by key
	lives       int           // messages that come in while somebody looks
	scrolled    int           // threads
	streams     int           // clients of the console's event stream
	streamFor   time.Duration // how long events come

	fleetPairs int           // pairs of the operator's comparison
	instances  int           // in the operator's cluster
	rest       time.Duration // for which the operator has nothing to do
	bystanders int           // Secrets that are none of the operator's business
	newcomers  int           // instances that are timed one by one
}

var scales = map[string]scale{
	"full": {
		pairs: 5, warmUp: 3 * time.Second, load: 10 * time.Second, readWarmUp: time.Second, reads: 5 * time.Second, actions: 50_000, paced: 300, replies: 200, starts: 5,
		threads: 1_000_000, messages: 5_000_000, deepPage: 1000,
		deskThreads: 62_500, views: 10, opens: 60, lives: 60, scrolled: 50_000, streams: 1000, streamFor: 30 * time.Second,
		fleetPairs: 3, instances: 1000, rest: 5 * time.Minute, bystanders: 10_000, newcomers: 150,
	},
	"small": {
		pairs: 1, warmUp: time.Second, load: 2 * time.Second, readWarmUp: time.Second, reads: 2 * time.Second, actions: 5_000, paced: 90, replies: 20, starts: 2,
		threads: 50_000, messages: 250_000, deepPage: 100,
		deskThreads: 3_000, views: 2, opens: 10, lives: 10, scrolled: 2_000, streams: 100, streamFor: 5 * time.Second,
		fleetPairs: 1, instances: 100, rest: 30 * time.Second, bystanders: 500, newcomers: 20,
	},
}
