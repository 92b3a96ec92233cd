package standin

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

const errBadName = "invalid model name"

// progress is one line of a pull, push or create.
type progress struct {
	Status    string `json:"status"`
	Digest    string `json:"digest,omitempty"`
	Total     int64  `json:"total,omitempty"`
	Completed int64  `json:"completed,omitempty"`
}

// report says the lines of a long task, or only the last one if no stream was asked for. A failure, if there
// is one, comes after the lines. It reports whether the client heard all of it.
func (s *Server) report(w http.ResponseWriter, r *http.Request, stream *bool, lines []progress, status int, failure string) bool {
	if stream != nil && !*stream {
		w.Header().Set("Content-Type", "application/json")
		for range lines {
			if pause(r.Context(), s.options.TokenDelay) != nil {
				return false
			}
		}
		if failure != "" {
			nativeError(w, status, failure)
			return true
		}
		writeJSON(w, http.StatusOK, lines[len(lines)-1])
		return true
	}
	if failure != "" && len(lines) == 0 {
		w.Header().Set("Content-Type", "application/json")
		nativeError(w, status, failure)
		return true
	}
	w.Header().Set("Content-Type", ndjson)
	enc, rc := json.NewEncoder(w), http.NewResponseController(w)
	for _, l := range lines {
		if pause(r.Context(), s.options.TokenDelay) != nil || enc.Encode(l) != nil {
			return false
		}
		_ = rc.Flush()
	}
	if failure != "" {
		_ = enc.Encode(map[string]string{"error": failure})
	}
	return true
}

type transferRequest struct {
	Model  string `json:"model"`
	Name   string `json:"name"`
	Stream *bool  `json:"stream"`
}

func (s *Server) pull(w http.ResponseWriter, r *http.Request) {
	var req transferRequest
	if !readNative(w, r, &req) {
		return
	}
	n := parseName(cmp.Or(req.Model, req.Name))
	if !n.valid() {
		nativeError(w, http.StatusBadRequest, errBadName)
		return
	}
	m := model{name: n, modified: time.Now()}
	digest := "sha256:" + m.digest()
	layer := progress{Status: "pulling " + m.digest()[:12], Digest: digest, Total: modelSize}
	half, whole := layer, layer
	half.Completed, whole.Completed = modelSize/2, modelSize
	if s.report(w, r, req.Stream, []progress{
		{Status: "pulling manifest"},
		layer, half, whole,
		{Status: "verifying sha256 digest"},
		{Status: "writing manifest"},
		{Status: "success"},
	}, 0, "") {
		s.store.put(m)
	}
}

func (s *Server) push(w http.ResponseWriter, r *http.Request) {
	var req transferRequest
	if !readNative(w, r, &req) {
		return
	}
	asked := cmp.Or(req.Model, req.Name)
	if asked == "" {
		nativeError(w, http.StatusBadRequest, "model is required")
		return
	}
	m, ok := s.store.find(parseName(asked))
	if !ok {
		s.report(w, r, req.Stream, []progress{{Status: "retrieving manifest"}, {Status: "couldn't retrieve manifest"}},
			http.StatusInternalServerError, fs.ErrNotExist.Error())
		return
	}
	layer := progress{Status: "pushing " + m.digest()[:12], Digest: "sha256:" + m.digest(), Total: modelSize}
	whole := layer
	whole.Completed = modelSize
	s.report(w, r, req.Stream, []progress{
		{Status: "retrieving manifest"}, layer, whole, {Status: "pushing manifest"}, {Status: "success"},
	}, 0, "")
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	var req struct {
		transferRequest
		From     string            `json:"from"`
		Files    map[string]string `json:"files"`
		System   string            `json:"system"`
		Template string            `json:"template"`
	}
	if !readNative(w, r, &req) {
		return
	}
	for file := range req.Files {
		if !fs.ValidPath(file) {
			nativeError(w, http.StatusBadRequest, "file path must be relative")
			return
		}
	}
	n := parseName(cmp.Or(req.Model, req.Name))
	if !n.valid() {
		nativeError(w, http.StatusBadRequest, errBadName)
		return
	}
	m := model{name: n, modified: time.Now(), system: req.System, template: req.Template}
	var lines []progress
	switch {
	case req.From != "":
		from := parseName(req.From)
		if !from.valid() {
			s.report(w, r, req.Stream, nil, http.StatusBadRequest, errBadName)
			return
		}
		base, ok := s.store.find(from)
		if !ok {
			s.report(w, r, req.Stream, []progress{{Status: "pulling manifest"}}, http.StatusInternalServerError,
				"pull model manifest: file does not exist")
			return
		}
		m.system, m.template = cmp.Or(m.system, base.system), cmp.Or(m.template, base.template)
		lines = []progress{{Status: "using existing layer sha256:" + base.digest()}}
	case len(req.Files) > 0:
		for _, digest := range req.Files {
			if !s.store.hasBlob(digest) {
				s.report(w, r, req.Stream, nil, http.StatusBadRequest, fmt.Sprintf("blob %q not found", digest))
				return
			}
		}
		lines = []progress{{Status: "parsing GGUF"}}
	default:
		s.report(w, r, req.Stream, nil, http.StatusBadRequest, "neither 'from' or 'files' was specified")
		return
	}
	lines = append(lines, progress{Status: "writing manifest"}, progress{Status: "success"})
	if s.report(w, r, req.Stream, lines, 0, "") {
		s.store.put(m)
	}
}

func (s *Server) copy(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Source      string `json:"source"`
		Destination string `json:"destination"`
	}
	if !readNative(w, r, &req) {
		return
	}
	from, to := parseName(req.Source), parseName(req.Destination)
	if !from.valid() {
		nativeError(w, http.StatusBadRequest, fmt.Sprintf("source %q is invalid", req.Source))
		return
	}
	if !to.valid() {
		nativeError(w, http.StatusBadRequest, fmt.Sprintf("destination %q is invalid", req.Destination))
		return
	}
	m, ok := s.store.find(from)
	if !ok {
		nativeError(w, http.StatusNotFound, fmt.Sprintf("model %q not found", req.Source))
		return
	}
	m.name, m.modified = to, time.Now()
	s.store.put(m)
	w.WriteHeader(http.StatusOK)
}

func (s *Server) delete(w http.ResponseWriter, r *http.Request) {
	var req transferRequest
	if !readNative(w, r, &req) {
		return
	}
	asked := cmp.Or(req.Model, req.Name)
	n := parseName(asked)
	switch {
	case !n.valid():
		nativeError(w, http.StatusBadRequest, fmt.Sprintf("name %q is invalid", asked))
	case !s.store.remove(n):
		nativeError(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", asked))
	default:
		w.WriteHeader(http.StatusOK)
	}
}

var digestForm = regexp.MustCompile("^sha256[:-][0-9a-fA-F]{64}$")

// plainDigest is the one spelling under which a digest is kept.
func plainDigest(digest string) string {
	return strings.ToLower(strings.Replace(digest, "-", ":", 1))
}

func (s *store) hasBlob(digest string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blobs[plainDigest(digest)]
}

func (s *Server) headBlob(w http.ResponseWriter, _ *http.Request, digest string) {
	switch {
	case !digestForm.MatchString(digest):
		nativeError(w, http.StatusBadRequest, "invalid digest format")
	case !s.store.hasBlob(digest):
		nativeError(w, http.StatusNotFound, fmt.Sprintf("blob %q not found", digest))
	default:
		w.WriteHeader(http.StatusOK)
	}
}

func (s *Server) putBlob(w http.ResponseWriter, r *http.Request, digest string) {
	if !digestForm.MatchString(digest) {
		nativeError(w, http.StatusBadRequest, "invalid digest format")
		return
	}
	if s.store.hasBlob(digest) {
		w.WriteHeader(http.StatusOK)
		return
	}
	h := sha256.New()
	if _, err := io.Copy(h, r.Body); err != nil {
		nativeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	if got := "sha256:" + hex.EncodeToString(h.Sum(nil)); got != digest {
		nativeError(w, http.StatusBadRequest, fmt.Sprintf("digest mismatch, expected %q, got %q", digest, got))
		return
	}
	s.store.mu.Lock()
	s.store.blobs[plainDigest(digest)] = true
	s.store.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
}

// alias is kept and listed; the stand-in does not follow it.
type alias struct {
	Alias          string `json:"alias"`
	Target         string `json:"target"`
	PrefixMatching bool   `json:"prefix_matching,omitempty"`
}

func (s *Server) aliases(w http.ResponseWriter, _ *http.Request) {
	s.store.mu.Lock()
	list := append([]alias{}, s.store.aliases...)
	s.store.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string][]alias{"aliases": list})
}

func (s *Server) setAlias(w http.ResponseWriter, r *http.Request) {
	var req alias
	if !readNative(w, r, &req) {
		return
	}
	req.Alias, req.Target = strings.TrimSpace(req.Alias), strings.TrimSpace(req.Target)
	switch {
	case req.Alias == "" || req.Target == "":
		nativeError(w, http.StatusBadRequest, "alias and target are required")
		return
	case !parseName(req.Target).valid():
		nativeError(w, http.StatusBadRequest, fmt.Sprintf("target %q is invalid", req.Target))
		return
	case !req.PrefixMatching && !parseName(req.Alias).valid():
		nativeError(w, http.StatusBadRequest, fmt.Sprintf("alias %q is invalid", req.Alias))
		return
	}
	s.store.mu.Lock()
	s.store.aliases = slices.DeleteFunc(s.store.aliases, func(a alias) bool { return strings.EqualFold(a.Alias, req.Alias) })
	s.store.aliases = append(s.store.aliases, req)
	s.store.mu.Unlock()
	writeJSON(w, http.StatusOK, req)
}

func (s *Server) deleteAlias(w http.ResponseWriter, r *http.Request) {
	var req alias
	if !readNative(w, r, &req) {
		return
	}
	if req.Alias = strings.TrimSpace(req.Alias); req.Alias == "" {
		nativeError(w, http.StatusBadRequest, "alias is required")
		return
	}
	s.store.mu.Lock()
	before := len(s.store.aliases)
	s.store.aliases = slices.DeleteFunc(s.store.aliases, func(a alias) bool { return strings.EqualFold(a.Alias, req.Alias) })
	deleted := len(s.store.aliases) < before
	s.store.mu.Unlock()
	if !deleted {
		nativeError(w, http.StatusNotFound, fmt.Sprintf("alias %q not found", req.Alias))
		return
	}
	writeJSON(w, http.StatusOK, map[string]bool{"deleted": true})
}

// whoami never knows anybody: the stand-in has no account.
func (s *Server) whoami(w http.ResponseWriter, _ *http.Request) {
	nativeError(w, http.StatusUnauthorized, "unauthorized")
}

func (s *Server) signout(w http.ResponseWriter, _ *http.Request) {
	nativeError(w, http.StatusUnauthorized, "you are not currently signed in")
}
