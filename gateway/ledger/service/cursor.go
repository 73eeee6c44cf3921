package service

import (
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/proto/reason"
)

// cursor is where a page ended, for each part of the search: the index's own cursor, none at its beginning, or ended.
// It opens nothing: the reader's scope is part of every query, whatever a cursor says.
type cursor struct {
	before uint64 // position of the last entry that was given: what is not older was given too; 0 at the beginning
	parts  []string
}

// ended stands for a part that has nothing more. The index's cursors have no such letter.
const ended = "."

// maxCursor is the longest cursor that is looked at, in bytes.
const maxCursor = 256

var cursorText = base64.RawURLEncoding.Strict()

// String is the cursor for the reader; "" if there is nothing more.
func (c cursor) String() string {
	over := true
	for _, p := range c.parts {
		over = over && p == ended
	}
	if over {
		return ""
	}
	data := binary.BigEndian.AppendUint64(nil, c.before)
	return cursorText.EncodeToString(append(data, strings.Join(c.parts, " ")...))
}

// pass moves the cursor behind pages of which everything had been given before.
func (c *cursor) pass(pages []index.Page) {
	for i, page := range pages {
		n := len(page.Hits)
		if c.parts[i] != ended && (n == 0 || c.before != 0 && page.Hits[n-1].Seq >= c.before) {
			c.parts[i] = next(page)
		}
	}
}

// next is where a part goes on after a whole page.
func next(page index.Page) string {
	if page.Next == "" {
		return ended
	}
	return page.Next
}

// readCursor reads a cursor for a search of so many parts. It fails with CURSOR_INVALID.
func readCursor(text string, parts int) (cursor, error) {
	if text == "" {
		return cursor{parts: make([]string, parts)}, nil
	}
	if len(text) > maxCursor {
		return cursor{}, reason.CursorInvalid.At("cursor")
	}
	data, err := cursorText.DecodeString(text)
	if err != nil || len(data) < 8 {
		return cursor{}, reason.CursorInvalid.At("cursor")
	}
	c := cursor{before: binary.BigEndian.Uint64(data), parts: strings.Split(string(data[8:]), " ")}
	if len(c.parts) != parts || c.String() != text {
		return cursor{}, reason.CursorInvalid.At("cursor")
	}
	return c, nil
}
