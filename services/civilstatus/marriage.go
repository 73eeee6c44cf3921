package civilstatus

import (
	"context"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
)

// RegisterMarriage enters a marriage.
func (r *Registry) RegisterMarriage(ctx context.Context, req *civilstatusv1.RegisterMarriageRequest) (*civilstatusv1.RegisterMarriageResponse, error) {
	record := &civilstatusv1.MarriageRecord{}
	err := r.once(ctx, "RegisterMarriage", req, record, func(g *registration) error {
		return g.marriage(ctx, req, record)
	})
	if err != nil {
		return nil, err
	}
	return &civilstatusv1.RegisterMarriageResponse{Result: &hubv1.Result{Code: hubv1.Result_FOUND}, Record: record}, nil
}

func (g *registration) marriage(ctx context.Context, req *civilstatusv1.RegisterMarriageRequest, record *civilstatusv1.MarriageRecord) error {
	at, err := g.office(ctx, req.GetOffice())
	if err != nil {
		return err
	}
	husband, err := g.citizen(ctx, req.GetHusband(), "husband")
	if err != nil {
		return err
	}
	wife, err := g.citizen(ctx, req.GetWife(), "wife")
	if err != nil {
		return err
	}
	if err := g.mayMarry(ctx, husband, wife); err != nil {
		return err
	}
	if record.Head, err = g.head(ctx, bookOfMarriages, at, req.GetOffice(), civilstatusv1.RegistrationKind_REGISTRATION_KIND_ON_TIME); err != nil {
		return err
	}
	record.Husband, record.Wife = husband.party, wife.party
	record.State = civilstatusv1.MarriageState_MARRIAGE_STATE_CURRENT
	return g.marry(ctx, record)
}

// mayMarry fails where the law forbids the marriage today (Law on Marriage and Family 52/2014, Art. 5 and 8).
func (g *registration) mayMarry(ctx context.Context, husband, wife *citizen) error {
	if husband.sex != hubv1.Sex_SEX_MALE {
		return reason.FieldInvalid.At("husband.personal_id")
	}
	if wife.sex != hubv1.Sex_SEX_FEMALE {
		return reason.FieldInvalid.At("wife.personal_id")
	}
	for i, c := range []*citizen{husband, wife} {
		field := []string{"husband", "wife"}[i]
		switch {
		case c.diedOn != "":
			return reason.PersonDeceased.At(field)
		case !c.ofAge(g.today):
			return reason.UnderAge.At(field)
		case c.married():
			return reason.AlreadyMarried.At(field)
		}
	}
	kin, err := g.kin(ctx, husband, wife)
	if err == nil && kin {
		return reason.KinTooClose
	}
	return err
}

// kin reports whether the two are relatives in direct line or within three generations, as far as the books know:
// whether one of them, of their parents or of their grandparents is the same person.
func (g *registration) kin(ctx context.Context, a, b *citizen) (bool, error) {
	ofA, err := g.forebears(ctx, a)
	if err != nil {
		return false, err
	}
	ofB, err := g.forebears(ctx, b)
	if err != nil {
		return false, err
	}
	for id := range ofA {
		if ofB[id] {
			return true, nil
		}
	}
	return false, nil
}

// forebears are a person's own number and those of their parents and grandparents.
func (g *registration) forebears(ctx context.Context, c *citizen) (map[string]bool, error) {
	all := map[string]bool{string(c.id): true}
	for _, parent := range []string{c.mother, c.father} {
		if parent == "" {
			continue
		}
		var mother, father string
		if err := g.row(ctx, g.write.parents, parent).Scan(&mother, &father); err != nil {
			return nil, err
		}
		for _, id := range []string{parent, mother, father} {
			if id != "" {
				all[id] = true
			}
		}
	}
	return all, nil
}

// marry writes the marriage. The unique indices and the conditions of the updates have the last word: whoever was
// married or died meanwhile is refused here.
func (g *registration) marry(ctx context.Context, record *civilstatusv1.MarriageRecord) error {
	page := g.names.write(func(c *codec) { c.marriage(record) })
	id, err := g.next(ctx, marriageNumbers, "", 0)
	if err != nil {
		return err
	}
	husband, wife := record.Husband.PersonalId, record.Wife.PersonalId
	added, err := g.exec(ctx, g.write.addMarriage, id, entryKey(record.Head.AgencyCode, record.Head.Number), husband, wife, page)
	if err != nil {
		return err
	}
	if !added {
		return reason.AlreadyMarried
	}
	for _, spouse := range []string{husband, wife} {
		changed, err := g.exec(ctx, g.write.marry, spouse, record.Head.RegisteredOn, id)
		if err != nil {
			return err
		}
		if !changed {
			return reason.AlreadyMarried
		}
	}
	return nil
}
