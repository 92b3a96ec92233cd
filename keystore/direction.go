package keystore

import "paddock/policy"

// direction says whether a change is in force before or after it is on disk.
type direction bool

const (
	gives direction = false
	takes direction = true
)

// directionOf says what a change of a grant does. It takes when the new grant
// is wider in nothing, as far as that can be told: of two lists of models
// nobody knows which one holds more, so a list that changed may give.
func directionOf(old, now policy.Grant) direction {
	models := now.Models == old.Models || old.Models.All()
	end := old.Expires.IsZero() || !now.Expires.IsZero() && !now.Expires.After(old.Expires)
	role := now.Role == old.Role || now.Role == policy.RoleUser
	if !models || !end || !role || now.Cloud && !old.Cloud || now.InAddress && !old.InAddress {
		return gives
	}
	old, now = old.WithDefaults(), now.WithDefaults()
	return direction(slower(old.Rate, now.Rate) && fewer(old.Concurrent, now.Concurrent) && fewer(old.TokensPerDay, now.TokensPerDay))
}

// slower says whether a rate allows no more than the old one did, neither at
// once nor in the long run.
func slower(old, now policy.Rate) bool {
	switch {
	case !old.Limited():
		return true
	case !now.Limited():
		return false
	}
	return now.Count <= old.Count && float64(now.Count)*old.Per.Seconds() <= float64(old.Count)*now.Per.Seconds()
}

func fewer(old, now policy.Cap) bool {
	return !old.Limited() || now.Limited() && now <= old
}
