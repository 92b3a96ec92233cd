package safety

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite", without cgo
)

// appWait is how long the settings of Ollama's app may take.
const appWait = time.Second

// App reads the switches in the settings of Ollama's desktop app: the columns
// expose and browser of the table settings (app/store of Ollama 0.17.4). What
// else is in that file, the owner's chats among it, is not read.
func (f *Finder) App(ctx context.Context) App {
	if f.AppDB == "" {
		return App{}
	}
	where, ok := readOnly(f.AppDB)
	if !ok {
		return App{}
	}
	ctx, cancel := context.WithTimeout(ctx, appWait)
	defer cancel()
	db, err := sql.Open("sqlite", where)
	if err != nil {
		return App{}
	}
	defer func() { _ = db.Close() }()
	a := App{Read: true}
	if err := db.QueryRowContext(ctx, "SELECT expose, browser FROM settings LIMIT 1").Scan(&a.Expose, &a.Browser); err != nil {
		return App{}
	}
	return a
}

// readOnly returns how to open a database without leaving a trace. The app
// keeps its newest changes in a log beside it. While that log has something in
// it, the log has to be read as well, through an index that is there already
// and is not written to; otherwise the file alone is all, and SQLite must not
// make a log only to read it.
func readOnly(path string) (string, bool) {
	if !regular(path) {
		return "", false
	}
	query := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(200)", "query_only(1)"}}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		if !regular(path+"-wal") || !regular(path+"-shm") {
			return "", false
		}
		query.Set("readonly_shm", "1")
	} else {
		query.Set("immutable", "1")
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return "", false
	}
	slashed := filepath.ToSlash(full)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/… (sqlite.org/uri.html, 3.1)
	}
	return (&url.URL{Scheme: "file", Path: slashed, RawQuery: query.Encode()}).String(), true
}

// regular says whether a file is one that opening cannot hang on.
func regular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
