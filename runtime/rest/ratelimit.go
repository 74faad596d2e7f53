package rest

import (
	"cmp"
	"math"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// newLimiter allows a number of requests a minute: a burst of them at once after a
// quiet minute (0: all), then one whenever its share of a minute has passed.
func newLimiter(perMinute, burst int) *rate.Limiter {
	if perMinute <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(float64(perMinute)/60), cmp.Or(burst, perMinute))
}

func perMinute(l *rate.Limiter) string { return strconv.Itoa(int(math.Round(float64(l.Limit()) * 60))) }

// spend takes one request from the caller's allowance and says what is left.
func (c *caller) spend(h http.Header, now time.Time) *Error {
	l := c.limiter
	if l == nil {
		return nil
	}
	allowed := l.AllowN(now, 1)
	left := l.TokensAt(now)
	wait := func(tokens float64) time.Duration {
		return time.Duration(max(0, tokens-left) / float64(l.Limit()) * float64(time.Second))
	}
	full := now.Add(wait(float64(l.Burst())))
	h["X-Ratelimit-Limit"] = []string{perMinute(l)}
	h["X-Ratelimit-Remaining"] = []string{strconv.Itoa(max(0, int(math.Floor(left))))}
	h["X-Ratelimit-Reset"] = []string{strconv.FormatInt(full.Add(time.Second-1).Unix(), 10)}
	if allowed {
		return nil
	}
	return Failure(codeRateLimited, "this API key may make "+perMinute(l)+" requests a minute: wait for the seconds of Retry-After").
		retryAfter(wait(1))
}
