package console

import "net/http"

func newTestClient() *http.Client { return http.DefaultClient }

const maxRaws = 2
