package member

import (
	"context"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// Refusal is the record that whoever makes a call about the hub's rules was refused a method; object is what it was about,
// if there is such a thing. An officer who has no account's name is not in it.
func Refusal(ctx context.Context, kind hubv1.Change_Kind, method, object string, why reason.Reason) *hubv1.Change {
	c := &hubv1.Change{Kind: kind, Object: object, Text: "refused: " + method, Reason: string(why)}
	if who, ok := FromContext(ctx); ok {
		c.Agency, c.System, c.Certificate = who.ID.Agency, who.ID.System, who.Serial
	}
	c.Officer, _ = OfficerOf(ctx)
	return c
}
