package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"paddock/policy"
)

// originsName is where the file keeps the websites. It is no setting that can
// be set by its name: SetOrigin and RemoveOrigin change one line of it.
const originsName = "origins"

// MaxOrigins bounds the list of websites. A pattern covers what an owner has
// more of.
const MaxOrigins = 500

// What SetOrigin and RemoveOrigin answer beside a *ValueError.
var (
	ErrNoOrigin       = errors.New("this website is not in the list")
	ErrTooManyOrigins = fmt.Errorf("the list of websites is full: at most %d", MaxOrigins)
)

// SetOrigin puts a website, a pattern or a preset into the list, or turns the
// switch of the one that is there already. What is not an origin is a
// *ValueError; the other errors are ErrTooManyOrigins and those of the disk.
// With any of them nothing has changed.
func (s *Store) SetOrigin(rule policy.OriginRule) error {
	origin, err := policy.ParseOrigin(rule.Origin)
	if err != nil {
		return &ValueError{Name: "an origin", Value: rule.Origin, Reason: err.Error()}
	}
	rule.Origin = origin
	return s.changeOrigins(func(rules []policy.OriginRule) ([]policy.OriginRule, error) {
		if i := indexOrigin(rules, origin); i >= 0 {
			rules[i] = rule
			return rules, nil
		}
		if len(rules) >= MaxOrigins {
			return nil, ErrTooManyOrigins
		}
		return append(rules, rule), nil
	})
}

// RemoveOrigin takes a line out of the list, which for a preset means off. The
// errors are those of SetOrigin, and ErrNoOrigin.
func (s *Store) RemoveOrigin(origin string) error {
	clean, err := policy.ParseOrigin(origin)
	if err != nil {
		return &ValueError{Name: "an origin", Value: origin, Reason: err.Error()}
	}
	return s.changeOrigins(func(rules []policy.OriginRule) ([]policy.OriginRule, error) {
		i := indexOrigin(rules, clean)
		if i < 0 {
			return nil, ErrNoOrigin
		}
		return slices.Delete(rules, i, i+1), nil
	})
}

// changeOrigins hands a copy of the list to edit and keeps what comes back.
func (s *Store) changeOrigins(edit func([]policy.OriginRule) ([]policy.OriginRule, error)) error {
	var refused error
	err := s.change(func(chosen map[string]json.RawMessage) bool {
		old := s.Get().Origins // mu is held, so it is that of chosen
		rules, err := edit(slices.Clone(old))
		if err != nil || slices.Equal(rules, old) {
			refused = err
			return false
		}
		if len(rules) == 0 {
			delete(chosen, originsName)
			return true
		}
		raw, err := json.Marshal(rules)
		if err != nil {
			refused = fmt.Errorf("encoding the websites: %w", err)
			return false
		}
		chosen[originsName] = raw
		return true
	})
	if refused != nil {
		return refused
	}
	return err
}

// readOrigins reads the list as the file has it. What is not understood in full
// is refused: a line that is left out could open what the owner had closed.
func readOrigins(raw json.RawMessage) ([]policy.OriginRule, error) {
	var rules []policy.OriginRule
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&rules); err != nil || rules == nil {
		return nil, errors.New(`it is a list of websites: [{"origin": "https://app.example.com", "allowed": true}]`)
	}
	if len(rules) > MaxOrigins {
		return nil, ErrTooManyOrigins
	}
	for i, r := range rules {
		origin, err := policy.ParseOrigin(r.Origin)
		if err != nil {
			return nil, err
		}
		if indexOrigin(rules[:i], origin) >= 0 {
			return nil, fmt.Errorf("%s stands in it twice", origin)
		}
		rules[i].Origin = origin
	}
	return rules, nil
}

func indexOrigin(rules []policy.OriginRule, origin string) int {
	return slices.IndexFunc(rules, func(r policy.OriginRule) bool { return r.Origin == origin })
}
