package rest

// Envelope is a successful answer.
type Envelope[T any] struct {
	Success bool `json:"success" enum:"true" doc:"True."`
	Data    T    `json:"data"`
}

// List is a successful answer with one page of a list.
type List[T any] struct {
	Success    bool       `json:"success" enum:"true" doc:"True."`
	Data       []T        `json:"data"`
	Pagination Pagination `json:"pagination"`
}

// Pagination tells where in a list a page is.
type Pagination struct {
	Page       int     `json:"page" minimum:"1" doc:"Number of this page, from 1."`
	Limit      int     `json:"limit" minimum:"1" maximum:"100" doc:"Most items on a page."`
	NextCursor *string `json:"next_cursor" doc:"Give it as cursor, with the same filters, to get the next page. Null on the last page."`
	HasMore    bool    `json:"has_more" doc:"Whether there is a next page."`
}

// Reply is what a call returns.
type Reply[T any] struct{ Body T }

// OK is a successful answer.
func OK[T any](data T) *Reply[Envelope[T]] {
	return &Reply[Envelope[T]]{Envelope[T]{Success: true, Data: data}}
}
