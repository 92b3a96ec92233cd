package safety

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// ollamaSchema is the part of the desktop app's schema that holds its settings,
// as version 15 has it (app/store/database.go of Ollama 0.17.4), with a chat
// beside it.
const ollamaSchema = `
	CREATE TABLE IF NOT EXISTS settings (
		id INTEGER PRIMARY KEY CHECK (id = 1),
		device_id TEXT NOT NULL DEFAULT '',
		has_completed_first_run BOOLEAN NOT NULL DEFAULT 0,
		expose BOOLEAN NOT NULL DEFAULT 0,
		survey BOOLEAN NOT NULL DEFAULT TRUE,
		browser BOOLEAN NOT NULL DEFAULT 0,
		models TEXT NOT NULL DEFAULT '',
		agent BOOLEAN NOT NULL DEFAULT 0,
		tools BOOLEAN NOT NULL DEFAULT 0,
		working_dir TEXT NOT NULL DEFAULT '',
		context_length INTEGER NOT NULL DEFAULT 0,
		window_width INTEGER NOT NULL DEFAULT 0,
		window_height INTEGER NOT NULL DEFAULT 0,
		config_migrated BOOLEAN NOT NULL DEFAULT 0,
		airplane_mode BOOLEAN NOT NULL DEFAULT 0,
		turbo_enabled BOOLEAN NOT NULL DEFAULT 0,
		websearch_enabled BOOLEAN NOT NULL DEFAULT 0,
		selected_model TEXT NOT NULL DEFAULT '',
		sidebar_open BOOLEAN NOT NULL DEFAULT 0,
		think_enabled BOOLEAN NOT NULL DEFAULT 0,
		think_level TEXT NOT NULL DEFAULT '',
		cloud_setting_migrated BOOLEAN NOT NULL DEFAULT 0,
		remote TEXT NOT NULL DEFAULT '', -- deprecated
		auto_update_enabled BOOLEAN NOT NULL DEFAULT 1,
		schema_version INTEGER NOT NULL DEFAULT 15
	);
	INSERT OR IGNORE INTO settings (id) VALUES (1);
	CREATE TABLE IF NOT EXISTS chats (
		id TEXT PRIMARY KEY,
		title TEXT NOT NULL DEFAULT '',
		created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
		browser_state TEXT
	);`

// ollamaApp opens a database as the desktop app does. Its folder has what URLs
// give a meaning to.
func ollamaApp(t *testing.T) (path string, run func(string), quit func()) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "Application Support 100% #1?", "db.sqlite")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	dsn, ok := readOnly(path)
	if ok {
		t.Fatalf("a file that is not there: %s", dsn)
	}
	db, err := sql.Open("sqlite", "file:"+"db.sqlite"+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	closed := false
	quit = func() {
		if !closed {
			closed = true
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(quit)
	run = func(s string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Dir(path)) // a relative name needs no escapes
	run(ollamaSchema)
	return path, run, quit
}

func TestTheAppsSwitchesAreReadWhileItRunsAndAfter(t *testing.T) {
	path, run, quit := ollamaApp(t)
	f := &Finder{AppDB: path}
	dir := filepath.Dir(path)
	look := func(when string, want App) {
		t.Helper()
		before := listing(t, dir)
		if got := f.App(t.Context()); got != want {
			t.Errorf("%s: %+v, want %+v", when, got, want)
		}
		if after := listing(t, dir); !slices.Equal(before, after) {
			t.Errorf("%s: before %v, after %v", when, before, after)
		}
	}
	look("as installed", App{Read: true})
	run("UPDATE settings SET expose = 1") // now in the log beside the file
	look("exposed, the app runs", App{Read: true, Expose: true})
	run("UPDATE settings SET browser = 1")
	look("websites too", App{Read: true, Expose: true, Browser: true})
	// The app writes on while it is read, and was not held up.
	run("UPDATE settings SET expose = 0")
	look("not exposed", App{Read: true, Browser: true})
	quit()
	look("the app has ended", App{Read: true, Browser: true})
}

func TestTheAppsLogIsNotWrittenTo(t *testing.T) {
	path, run, _ := ollamaApp(t)
	run("UPDATE settings SET expose = 1")
	was := map[string]string{}
	for _, end := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + end)
		if err != nil {
			t.Fatal(err)
		}
		was[end] = string(b)
	}
	if got := (&Finder{AppDB: path}).App(t.Context()); !got.Expose {
		t.Fatalf("%+v", got)
	}
	for end, want := range was {
		if b, err := os.ReadFile(path + end); err != nil || string(b) != want {
			t.Errorf("%s changed, %v", end, err)
		}
	}
}

func TestSettingsThatCannotBeReadAreNotMadeUp(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk")
	if err := os.WriteFile(junk, []byte("not a database, and long enough to be looked at as one"), 0o600); err != nil {
		t.Fatal(err)
	}
	old, run, quit := ollamaApp(t)
	run("ALTER TABLE settings RENAME TO settings2")
	quit()
	for _, path := range []string{"", filepath.Join(dir, "none"), dir, junk, old} {
		before := listing(t, dir)
		if got := (&Finder{AppDB: path}).App(t.Context()); got != (App{}) {
			t.Errorf("%s: %+v", path, got)
		}
		if after := listing(t, dir); !slices.Equal(before, after) {
			t.Errorf("%s: before %v, after %v", path, before, after)
		}
	}
}

// Somebody who holds the file for himself makes the round wait no longer than
// the second it may take.
func TestALockedDatabaseIsGivenUp(t *testing.T) {
	path, run, _ := ollamaApp(t)
	run("UPDATE settings SET expose = 1")
	run("PRAGMA locking_mode = EXCLUSIVE")
	run("BEGIN EXCLUSIVE")
	start := time.Now()
	(&Finder{AppDB: path}).App(t.Context())
	if took := time.Since(start); took > 2*appWait {
		t.Errorf("took %v", took)
	}
	run("COMMIT")
}
