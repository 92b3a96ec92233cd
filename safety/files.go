package safety

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// mostFiles is far more than Paddock keeps.
const mostFiles = 256

// Files says how Paddock's folder and what lies directly in it are protected.
func (f *Finder) Files() Files {
	if f.People != "" {
		return Files{Read: true, Profile: within(f.Home, f.People)}
	}
	var found Files
	f.each(func(name string, info fs.FileInfo) {
		found.Read = true
		if name == "" {
			found.Shut = info.Mode().Perm()&0o077 == 0
		}
		owner, ok := ownerOf(info)
		if !ok {
			return
		}
		mode := info.Mode().Perm()
		file := File{Name: name, Mode: fmt.Sprintf("%04o", mode)}
		switch {
		case mode&0o022 != 0:
			found.Write = append(found.Write, file)
		case mode&0o077 != 0:
			found.Wide = append(found.Wide, file)
		}
		if owner != os.Getuid() {
			found.Foreign = append(found.Foreign, file)
		}
	})
	for _, list := range [][]File{found.Wide, found.Write, found.Foreign} {
		slices.SortFunc(list, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	}
	return found
}

// newest is the latest change of one of Paddock's files, by their own word.
func (f *Finder) newest() time.Time {
	var latest time.Time
	f.each(func(name string, info fs.FileInfo) {
		if name != "" && info.Mode().IsRegular() && info.ModTime().After(latest) {
			latest = info.ModTime()
		}
	})
	return latest
}

// each visits the folder, as "", and the files and folders in it. Links are
// left out: what protects their target is the target's own affair, and sockets
// too, whose modes not every system heeds.
func (f *Finder) each(visit func(name string, info fs.FileInfo)) {
	if f.Home == "" {
		return
	}
	info, err := os.Stat(f.Home)
	if err != nil || !info.IsDir() {
		return
	}
	visit("", info)
	dir, err := os.Open(f.Home)
	if err != nil {
		return
	}
	defer func() { _ = dir.Close() }()
	entries, _ := dir.ReadDir(mostFiles)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && (info.Mode().IsRegular() || info.IsDir()) {
			visit(e.Name(), info)
		}
	}
}

// within says whether path is parent or lies in it.
func within(path, parent string) bool {
	rel, err := filepath.Rel(parent, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
