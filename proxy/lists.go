package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"paddock/policy"
)

// maxList bounds a list of models that is read whole to be shortened.
const maxList = 8 << 20

// listMember is the member of an endpoint's answer that lists models, "" when
// it does not list any.
func listMember(e policy.Endpoint) string {
	switch e.Path {
	case "/api/tags", "/api/ps":
		return "models"
	case "/v1/models":
		return "data"
	}
	return ""
}

// passList passes on the models of a list that a key may use, and no others.
// A list that cannot be read is not passed on.
func (x *exchange) passList(ctx context.Context, answer *http.Response, member string, models policy.Models) error {
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxList+1))
	if err == nil {
		b, err = shorten(b, member, models)
	}
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		x.upstreamFault(policy.UpstreamUnanswers)
		return nil
	}
	h := x.w.Header()
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	x.w.WriteHeader(answer.StatusCode)
	return x.pass(b, &meter{silent: true, done: true}, false)
}

var errList = errors.New("not a list of models")

func shorten(b []byte, member string, models policy.Models) ([]byte, error) {
	if len(b) > maxList {
		return nil, errList
	}
	var document map[string]json.RawMessage
	if err := json.Unmarshal(b, &document); err != nil {
		return nil, err
	}
	var all []json.RawMessage
	if err := json.Unmarshal(document[member], &all); err != nil {
		return nil, err
	}
	kept := []json.RawMessage{}
	for _, one := range all {
		var named struct{ Name, Model, ID string }
		if err := json.Unmarshal(one, &named); err != nil {
			return nil, err
		}
		name := named.Name
		if member == "data" {
			name = named.ID
		}
		m, ok := policy.ParseModel(name)
		if other, has := policy.ParseModel(named.Model); has && !models.Match(other) {
			ok = false
		}
		if ok && models.Match(m) {
			kept = append(kept, one)
		}
	}
	list, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	document[member] = list
	return json.Marshal(document)
}
