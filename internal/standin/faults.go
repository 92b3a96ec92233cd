package standin

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Fault is the way one request goes wrong; its zero value is that all goes well.
// Fields that count tokens concern generations only, streamed or not.
type Fault struct {
	Slow time.Duration // wait so long before anything else

	HangBeforeHeader bool   // never answer; ends when the client leaves
	DropBeforeHeader bool   // close the connection without a word
	Raw              string // send these bytes in place of an HTTP response, then close the connection

	Status int         // answer with this status, Header and Body
	Header http.Header // only with Status
	Body   string      // only with Status; its type is JSON when it begins with a brace

	// AnswerBeforeBodyRead begins the answer while the request's body is still unread, as Ollama's fast answers do
	// now and then. A careless proxy takes this for a broken request and cuts the stream. The model named in the body is not looked at.
	AnswerBeforeBodyRead bool

	HangAfterTokens int // fall silent after so many tokens, until the client leaves
	DropAfterTokens int // close the connection after so many tokens
	FailAfterTokens int // say after so many tokens what Ollama says when its runner dies; the stream then ends in good order
}

type faultKey struct{}

func faultOf(ctx context.Context) Fault {
	f, _ := ctx.Value(faultKey{}).(Fault)
	return f
}

// fail plays the part of f that comes before the answer. It reports whether the request is over.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, f Fault) bool {
	if f.Slow > 0 && pause(r.Context(), f.Slow) != nil {
		panic(http.ErrAbortHandler)
	}
	switch {
	case f.HangBeforeHeader:
		_, _ = io.Copy(io.Discard, r.Body) // until then net/http does not see the client leave
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case f.DropBeforeHeader:
		panic(http.ErrAbortHandler)
	case f.Raw != "":
		sendRaw(w, f.Raw)
		return true
	case f.Status != 0:
		maps.Copy(w.Header(), f.Header)
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "text/plain")
			if strings.HasPrefix(f.Body, "{") {
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
			}
		}
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body)
		return true
	case f.AnswerBeforeBodyRead:
		s.answerUnread(w, r.WithContext(context.WithValue(r.Context(), faultKey{}, f)))
		return true
	}
	return false
}

func sendRaw(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, text)
}

// answerUnread streams an answer in the dialect of the path, then reads the body.
func (s *Server) answerUnread(w http.ResponseWriter, r *http.Request) {
	// Without full duplex net/http itself would read the body before it lets the header out.
	_ = http.NewResponseController(w).EnableFullDuplex()
	model := s.options.Models[0]
	var v voice
	switch r.URL.Path {
	case "/api/generate":
		v = generateVoice{}
	case "/v1/chat/completions":
		v = &chatCompletionVoice{id: completionID("chatcmpl"), stream: true}
	case "/v1/completions":
		v = &completionVoice{id: completionID("cmpl"), stream: true}
	case "/v1/responses":
		v = newResponsesVoice(responsesRequest{Model: model, Stream: true})
	case "/v1/messages":
		v = newMessagesVoice(messagesRequest{Model: model, Stream: true})
	default:
		v = chatVoice{}
	}
	s.speak(w, r, v, job{model: model, prompt: 1, stream: true})
	_, _ = io.Copy(io.Discard, r.Body)
}
