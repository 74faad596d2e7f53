//go:build long && linux && race

package badday

const raced = true
