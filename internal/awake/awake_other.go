//go:build !linux && !darwin && !windows

package awake

import (
	"context"
	"errors"
)

func take(context.Context, string) (*lock, error) {
	return nil, errors.New("this system has no way to be kept awake that is known here")
}
