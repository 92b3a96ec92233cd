package keystore

import (
	"crypto/rand"
	"hash/crc32"
	"strings"
)

// A key is keyPrefix, 30 random base62 characters (178 bits), and 6 base62
// characters, most significant first, of the CRC-32 (IEEE) over the 34
// characters before them. With the checksum, scanners and typing errors are
// told apart from keys before any look-up; it is no secret and protects
// nothing.
const (
	keyPrefix = "pdk_"
	randomLen = 30
	sumLen    = 6
	keyLen    = len(keyPrefix) + randomLen + sumLen
	hintLen   = len(keyPrefix) + 3 // of the 178 bits, a hint gives 18 away

	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Mint makes a new key from the system's random source. It cannot fail: Go
// ends the program when that source does.
func Mint() Secret {
	b := make([]byte, 0, keyLen)
	b = append(b, keyPrefix...)
	var pool [2 * randomLen]byte
	for len(b) < keyLen-sumLen {
		_, _ = rand.Read(pool[:])
		for _, r := range pool {
			// 248 is the largest multiple of 62 in a byte; taking more would
			// favour the first 8 characters.
			if r < 248 && len(b) < keyLen-sumLen {
				b = append(b, base62[r%62])
			}
		}
	}
	sum := checksum(b)
	return NewSecret(string(append(b, sum[:]...)))
}

// Parse says whether s has the shape and the checksum of a key. That is no
// proof that such a key was ever made. Spaces around it are not trimmed.
func Parse(s string) (Secret, bool) {
	if !wellFormed(s) {
		return Secret{}, false
	}
	return NewSecret(s), true
}

// isBase62 is asked for each character of each presented key.
var isBase62 = func() (is [256]bool) {
	for i := range len(base62) {
		is[base62[i]] = true
	}
	return is
}()

func wellFormed(s string) bool {
	if len(s) != keyLen || !strings.HasPrefix(s, keyPrefix) {
		return false
	}
	for i := len(keyPrefix); i < keyLen; i++ {
		if !isBase62[s[i]] {
			return false
		}
	}
	sum := checksum(s[:keyLen-sumLen])
	return string(sum[:]) == s[keyLen-sumLen:]
}

// HintOf returns the first characters of a key, such as "pdk_7Qm", which may
// be shown.
func HintOf(key Secret) string {
	s := key.Reveal()
	return s[:min(len(s), hintLen)]
}

// checksum is written as a loop over the table, because crc32.ChecksumIEEE
// would make each text that is looked at escape to the heap.
func checksum[T string | []byte](b T) (out [sumLen]byte) {
	n := ^uint32(0)
	for i := range len(b) {
		n = crc32.IEEETable[byte(n)^b[i]] ^ n>>8
	}
	n = ^n
	for i := sumLen - 1; i >= 0; i-- {
		out[i] = base62[n%62]
		n /= 62
	}
	return out
}
