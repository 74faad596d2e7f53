//go:build long

package delivery_test

import "testing"

// What Telegram allows is used; `make bench` tells whether it is 28 to 30 a second on a machine with nothing else to do.
func TestPacingRate(t *testing.T) { pacing(t, 300, 25, 32) }
