package project

import "crypto/rand"

// randomText is n random letters and digits, each as likely as any other.
func randomText(n int) string {
	const fair = 256 - 256%len(keyAlphabet)
	out := make([]byte, 0, n)
	b := make([]byte, 2*n)
	for len(out) < n {
		_, _ = rand.Read(b) // never fails: it aborts the program instead
		for _, c := range b {
			if int(c) < fair && len(out) < n {
				out = append(out, keyAlphabet[int(c)%len(keyAlphabet)])
			}
		}
	}
	return string(out)
}
