package control

import (
	"errors"
	"net"
	"os"
)

// errStranger says that the other end belongs to another user.
var errStranger = errors.New("the other end belongs to another user")

// checkPeer lets this user, root and one more user pass. Both ends ask: a client
// would otherwise tell a key to whoever took the place of a socket that was left
// over.
func checkPeer(c *net.UnixConn, also int) error {
	uid, err := peerUser(c)
	if err != nil {
		return err
	}
	if !trusted(uid, os.Getuid(), also) {
		return errStranger
	}
	return nil
}

func trusted(uid, own, also int) bool { return uid == own || uid == 0 || uid == also }
