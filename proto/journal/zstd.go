package journal

import (
	"errors"
	"os"
)

func openZstd(f *os.File, size int64) (source, error) { return nil, errors.New("not yet") }
