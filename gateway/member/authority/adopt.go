package authority

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// Files in which directories of earlier versions say what is in the hub's state now. What was revoked must stay so.
const (
	oldMembers = "members.json"
	oldIssued  = "ca/issued.json"
	adopted    = ".adopted" // what they are called once the state has what they say
)

// oldFiles is the content of both.
type oldFiles struct {
	Systems      []member.System `json:"systems"`
	Revoked      []oldRevocation `json:"revoked"`
	Certificates []Record        `json:"certificates"`
}

type oldRevocation struct {
	Serial   string    `json:"serial"`
	ID       peer.ID   `json:"id,omitzero"`
	At       time.Time `json:"at,omitzero"`
	NotAfter time.Time `json:"not_after,omitzero"`
}

// adopt takes over what an earlier version has left in files, if it did. The lock is held.
func (a *Authority) adopt(ctx context.Context) error {
	var old oldFiles
	var found []string
	for _, name := range []string{oldMembers, oldIssued} {
		data, err := os.ReadFile(a.path(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			dec := json.NewDecoder(bytes.NewReader(data))
			dec.DisallowUnknownFields()
			err = dec.Decode(&old)
		}
		if err != nil {
			return fmt.Errorf("take over %s, which an earlier version has left: %w", a.path(name), err)
		}
		found = append(found, name)
	}
	if len(found) == 0 {
		return nil
	}
	_, err := a.db.Change(ctx, a.by, func(tx *state.Tx) error { return a.takeOver(ctx, tx, old) })
	if err != nil {
		return fmt.Errorf("take over %s, which an earlier version has left: %w", strings.Join(found, " and "), err)
	}
	for _, name := range found {
		if err := os.Rename(a.path(name), a.path(name+adopted)); err != nil {
			return err
		}
	}
	return nil
}

func (a *Authority) takeOver(ctx context.Context, tx *state.Tx, old oldFiles) error {
	if err := seedAgencies(ctx, tx); err != nil {
		return err
	}
	for _, s := range old.Systems {
		_, err := member.FindAgency(ctx, tx.Tx, s.ID.Agency)
		if errors.Is(err, member.ErrAgencyUnknown) { // nothing is known of it but the code
			err = member.AddAgency(ctx, tx, member.Agency{Code: s.ID.Agency, NameVI: s.ID.Agency, Officers: member.Any})
		}
		if err == nil {
			_, err = member.PutSystem(ctx, tx, s)
		}
		if err != nil {
			return err
		}
	}
	for _, r := range old.Certificates {
		if r.KeyDigest == "" {
			r.KeyDigest = "unknown-" + r.Serial
		}
		if err := add(ctx, tx, r); err != nil {
			return err
		}
		if r.RevokedAt.IsZero() {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE certificate SET revoked_at = $1 WHERE serial = $2`, r.RevokedAt.UnixMilli(), r.Serial); err != nil {
			return err
		}
		old.Revoked = append(old.Revoked, oldRevocation{Serial: r.Serial, ID: r.ID, At: r.RevokedAt, NotAfter: r.NotAfter})
	}
	for _, r := range old.Revoked {
		d := member.Denial{Serial: r.Serial, ID: r.ID, At: r.At, NotAfter: r.NotAfter, Reason: "revoked before"}
		if _, err := member.PutDenial(ctx, tx, d); err != nil {
			return err
		}
	}
	tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_MEMBER, Object: "members", Text: fmt.Sprintf(
		"taken over from files: %d systems, %d certificates, %d revocations", len(old.Systems), len(old.Certificates), len(old.Revoked))})
	return nil
}
