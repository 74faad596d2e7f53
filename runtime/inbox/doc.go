// Package inbox is the domain of SocialOps: threads and their messages, the
// contacts who write them, the channels they come through, the actions that
// carry replies out, and the money that each of these costs. It does no I/O and
// imports the standard library only; the packages around it (runtime/provider,
// runtime/rest, runtime/delivery, runtime/postgres) know it, and it knows none
// of them.
//
// An event travels one way: a provider normalises a webhook call into an
// [Inbound], the [Store] makes a [Message] of it in a [Thread], and answers with
// a [Receipt]. A reply travels the other: the Store makes an outbound Message and
// an [Action], a worker claims the action and hands it to the provider, and the
// [Outcome] settles it.
package inbox
