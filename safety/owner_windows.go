package safety

import "io/fs"

// ownerOf knows nothing on Windows, where modes say nothing either: who may
// read a file is inherited from the profile folder.
func ownerOf(fs.FileInfo) (int, bool) { return 0, false }
