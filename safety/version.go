package safety

import (
	"cmp"
	"strconv"
	"strings"
)

// release is a version as semver.org 2.0.0 has it; build metadata is left out.
type release struct {
	major, minor, patch uint64
	pre                 string // "rc0" of 0.17.5-rc0
}

// parseRelease reads 0.17.4, v0.17.4 and 0.17.5-rc0. Builds from source call
// themselves 0.0.0, which says nothing and is not taken.
func parseRelease(s string) (release, bool) {
	s = strings.TrimPrefix(s, "v")
	s, build, built := strings.Cut(s, "+")
	s, pre, early := strings.Cut(s, "-")
	if built && !identifiers(build, false) || early && !identifiers(pre, true) {
		return release{}, false
	}
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return release{}, false
	}
	var n [3]uint64
	for i, p := range parts {
		if !digits(p) || len(p) > 1 && p[0] == '0' {
			return release{}, false
		}
		v, err := strconv.ParseUint(p, 10, 64)
		if err != nil {
			return release{}, false
		}
		n[i] = v
	}
	r := release{n[0], n[1], n[2], pre}
	return r, r.major|r.minor|r.patch != 0
}

// identifiers says whether s is a list of dotted identifiers; those of a
// pre-release that are numbers have no leading zero.
func identifiers(s string, strict bool) bool {
	for id := range strings.SplitSeq(s, ".") {
		if id == "" || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
			return false
		}
		if strict && digits(id) && len(id) > 1 && id[0] == '0' {
			return false
		}
	}
	return true
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// compare orders releases by precedence (semver.org, 11): a pre-release comes
// before its release.
func (r release) compare(o release) int {
	if c := cmp.Or(cmp.Compare(r.major, o.major), cmp.Compare(r.minor, o.minor), cmp.Compare(r.patch, o.patch)); c != 0 {
		return c
	}
	switch {
	case r.pre == o.pre:
		return 0
	case r.pre == "":
		return 1
	case o.pre == "":
		return -1
	}
	a, b := strings.Split(r.pre, "."), strings.Split(o.pre, ".")
	for i := range min(len(a), len(b)) {
		if c := compareIdentifier(a[i], b[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// compareIdentifier orders numbers by value and before words. They have no
// leading zeros, so the longer one is the greater one, however long it is.
func compareIdentifier(a, b string) int {
	switch na, nb := digits(a), digits(b); {
	case na && nb:
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	case na:
		return -1
	case nb:
		return 1
	}
	return cmp.Compare(a, b)
}
