package proxy

import (
	"bytes"
	"context"
	"net/http"

	"paddock/policy"
	"paddock/proxy/heal"
	"paddock/requestlog"
)

// question is what the watchdog wants to know of an inference.
type question struct {
	streamed bool // the answer is to come piece by piece
	says     bool // there is a prompt: it is no request that only loads a model
}

// questionOf reads that from a body which peekModel has found to be one JSON
// object. It serves patience only, so a body that says a thing twice is believed
// the last time.
func questionOf(e policy.Endpoint, body []byte) question {
	q := question{streamed: e.Path == "/api/generate" || e.Path == "/api/chat"}
	members(bytes.TrimLeft(body, " \t\r\n"), func(rawKey, rawValue []byte) bool {
		switch string(rawKey) {
		case `"stream"`:
			if v := string(rawValue); v == "true" || v == "false" {
				q.streamed = v == "true"
			}
		case `"prompt"`, `"messages"`, `"input"`:
			v := string(rawValue[:min(len(rawValue), 4)])
			q.says = q.says || v != `""` && v != "null" && v != "[]"
		}
		return true
	})
	return q
}

// ask sends a request to Ollama and returns the answer's head. An inference is
// watched: a model that hangs is loaded anew and the request sent once more.
// end must be called, after the answer's body was closed, with whether the answer was
// left before its end: that is what makes a model of Ollama 0.17.4 hang.
func (x *exchange) ask(ctx context.Context, up *Upstream, e policy.Endpoint, body []byte) (answer *http.Response, end func(left bool), err error) {
	model, ok := policy.ParseModel(x.model)
	if !ok || e.Class != policy.ClassUse || !x.asks.says || policy.IsCloud(x.model) {
		answer, err = x.send(ctx, up, e, body)
		return answer, func(bool) {}, err
	}
	call := heal.Call{Model: string(model), Send: x.model, Bytes: int64(len(body)), Whole: !x.asks.streamed}
	answer, attempt, err := x.g.watchdog.Do(ctx, call, func(ctx context.Context) (*http.Response, error) {
		return x.send(ctx, up, e, body)
	})
	x.entry.SentAgain = attempt.Again()
	return answer, attempt.End, err
}

// canonical is the name under which the watchdog knows a model.
func canonical(name string) string {
	m, ok := policy.ParseModel(name)
	if !ok {
		return name
	}
	return string(m)
}

// healed writes into the log what the watchdog did.
func (g *Gate) healed(e heal.Event) {
	if g.OnHeal != nil {
		defer g.OnHeal(e)
	}
	if e.Model == "" {
		return // Ollama as a whole does not answer, which the requests themselves show
	}
	entry := requestlog.Entry{
		ID: newID(), Time: e.At, Phase: requestlog.Done, Reason: policy.Allowed, Demo: g.upstream.Load().Demo,
		Program: "Paddock", Action: "Load anew", Class: policy.ClassManage,
		Model: cleanModel(policy.Model(e.Model).Short()), Waited: e.Waited, Took: e.Took,
	}
	if e.Err != nil {
		entry.Phase, entry.Reason = requestlog.Failed, policy.UpstreamUnanswers
	}
	g.Log.Append(entry)
}
