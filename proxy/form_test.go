package proxy

import (
	"net/http"
	"strings"
)

// formModel is how Ollama's framework finds a form's model.
func formModel(body, kind string) (string, error) {
	r, err := http.NewRequest("POST", "/", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", kind)
	if err := r.ParseMultipartForm(32 << 20); err != nil {
		return "", err
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	return r.PostForm.Get("model"), nil
}
