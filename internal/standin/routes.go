package standin

import (
	"net/http"
	"strings"
)

// route is one method and path of Ollama's. A path ending in a slash takes one more segment, its argument.
type route struct {
	method, path string
	serve        func(w http.ResponseWriter, r *http.Request, arg string)
}

// routes is the whole of Ollama 0.17.4. What is not here is 404 there too.
func (s *Server) routes() []route {
	plain := func(f http.HandlerFunc) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, r *http.Request, _ string) { f(w, r) }
	}
	return []route{
		{"GET", "/", plain(s.root)},
		{"HEAD", "/", plain(s.root)},
		{"GET", "/api/version", plain(s.version)},
		{"HEAD", "/api/version", plain(s.version)},
		{"GET", "/api/status", plain(s.status)},
		{"GET", "/api/tags", plain(s.tags)},
		{"HEAD", "/api/tags", plain(s.tags)},
		{"GET", "/api/ps", plain(s.ps)},
		{"POST", "/api/show", plain(s.show)},

		{"POST", "/api/generate", plain(s.generate)},
		{"POST", "/api/chat", plain(s.chat)},
		{"POST", "/api/embed", plain(s.embed)},
		{"POST", "/api/embeddings", plain(s.embeddings)},

		{"GET", "/v1/models", plain(s.openaiModels)},
		{"GET", "/v1/models/", s.openaiModel},
		{"POST", "/v1/chat/completions", plain(s.openaiChat)},
		{"POST", "/v1/completions", plain(s.openaiCompletions)},
		{"POST", "/v1/embeddings", plain(s.openaiEmbeddings)},
		{"POST", "/v1/responses", plain(s.responses)},
		{"POST", "/v1/messages", plain(s.messages)},
		{"POST", "/v1/images/generations", plain(s.openaiImages)},
		{"POST", "/v1/images/edits", plain(s.openaiImages)},

		{"POST", "/api/pull", plain(s.pull)},
		{"POST", "/api/push", plain(s.push)},
		{"POST", "/api/create", plain(s.create)},
		{"POST", "/api/copy", plain(s.copy)},
		{"DELETE", "/api/delete", plain(s.delete)},
		{"HEAD", "/api/blobs/", s.headBlob},
		{"POST", "/api/blobs/", s.putBlob},
		{"GET", "/api/experimental/aliases", plain(s.aliases)},
		{"POST", "/api/experimental/aliases", plain(s.setAlias)},
		{"DELETE", "/api/experimental/aliases", plain(s.deleteAlias)},
		{"POST", "/api/me", plain(s.whoami)},
		{"POST", "/api/signout", plain(s.signout)},
		{"DELETE", "/api/user/keys/", func(w http.ResponseWriter, r *http.Request, _ string) { s.signout(w, r) }},
	}
}

// router finds the route, with the answers of Ollama's own router where there is none.
func (s *Server) router() http.Handler {
	routes := s.routes()
	find := func(method, path string) (route, string, bool) {
		for _, rt := range routes {
			if rt.method != method {
				continue
			}
			if rt.path == path {
				if len(path) > 1 && strings.HasSuffix(path, "/") {
					continue // the argument is missing
				}
				return rt, "", true
			}
			if arg, ok := strings.CutPrefix(path, rt.path); ok && len(rt.path) > 1 && strings.HasSuffix(rt.path, "/") && !strings.Contains(arg, "/") {
				return rt, arg, true
			}
		}
		return route{}, "", false
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if rt, arg, ok := find(r.Method, path); ok {
			rt.serve(w, r, arg)
			return
		}
		if trimmed, ok := strings.CutSuffix(path, "/"); ok {
			if _, _, ok := find(r.Method, trimmed); ok {
				code := http.StatusTemporaryRedirect
				if r.Method == http.MethodGet {
					code = http.StatusMovedPermanently
				}
				target := *r.URL
				target.Path, target.RawPath = trimmed, ""
				http.Redirect(w, r, target.String(), code)
				return
			}
		}
		var allowed []string
		for _, m := range []string{"HEAD", "GET", "POST", "DELETE"} {
			if _, _, ok := find(m, path); ok && m != r.Method {
				allowed = append(allowed, m)
			}
		}
		if len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			plainText(w, http.StatusMethodNotAllowed, "text/plain", "405 method not allowed")
			return
		}
		plainText(w, http.StatusNotFound, "text/plain", "404 page not found")
	})
}

func (s *Server) root(w http.ResponseWriter, _ *http.Request) {
	plainText(w, http.StatusOK, "text/plain; charset=utf-8", "Ollama is running")
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"version": s.options.Version})
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"cloud": map[string]any{"disabled": true, "source": "env"}})
}
