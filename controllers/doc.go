// Package controllers makes a cluster what its manifests say, and says in their
// status what became of them. A SocialOpsInstance becomes rows in Postgres (through
// runtime/project), then the objects of controllers/desired; a ChannelBinding and a
// labelled Secret become a channel and a connected account. [Run] is the whole
// operator.
//
// A reconcile gathers, projects, applies, and writes one status. It is written to
// cost nothing while nothing changes: caches hold metadata, and of their events only
// those count that change something of ours; what was projected and applied is
// remembered (memory.go, applied.go), so that the API server and Postgres hear of a
// reconcile only when it has something to say. What is remembered is lost with the
// process and may be: the next one asks and applies once more, which changes nothing.
//
// What a user got wrong is a condition, never a line in the log.
package controllers
