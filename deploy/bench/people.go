package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/lienthong/lienthong/gateway/client"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

// What is asked, the same on every path.
const (
	method     = "registry.population.v1.PopulationService/GetResidence"
	peopleKind = "married" // living, and their records agree
	peopleMost = 5000
)

// words go with every call; only the hub reads them.
var words = client.Words{Purpose: "CT-TT", Case: "H27-bench-0001"}

// question is one request, in JSON as ghz reads it.
type question struct {
	PersonalID string `json:"personal_id"`
}

// somebody is a person by all that GetPerson asks for.
type somebody struct {
	PersonalID string `json:"personal_id"`
	FullName   string `json:"full_name"`
	BirthDate  string `json:"birth_date"`
}

// samplePeople picks people of the nation and writes the questions about them to where the load finds them.
func (b *bench) samplePeople(ctx context.Context, dir string) ([]question, error) {
	var people []question
	if err := b.sample(ctx, dir, peopleMost, &people); err != nil {
		return nil, err
	}
	if len(people) < 300 {
		return nil, fmt.Errorf("only %d people to ask about; choose a larger --population", len(people))
	}
	raw, err := json.Marshal(people)
	if err != nil {
		return nil, err
	}
	return people, os.WriteFile(questionsFile(b.dir), raw, 0o600)
}

// sample picks people of the nation.
func (b *bench) sample(ctx context.Context, dir string, n int, into any) error {
	say("picking people")
	out, err := exec.CommandContext(ctx, filepath.Join(b.tools, "lienthong"), "nation", "sample", peopleKind,
		"--dir", dir, "-n", strconv.Itoa(n), "--json").Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		return fmt.Errorf("pick people of the nation: %w", err)
	}
	return nil
}

func questionsFile(dir string) string { return filepath.Join(dir, "questions.json") }

// check asks about everybody, once, and fails unless each is found with an address.
func (p *path) check(ctx context.Context, people []question) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	identity, err := p.dir.LoadIdentity(p.asker)
	if err != nil {
		return fmt.Errorf("check %s: %w", p.name, err)
	}
	conn, err := client.DialGateway(p.address, identity, p.server)
	if err != nil {
		return fmt.Errorf("check %s: %w", p.name, err)
	}
	defer func() { _ = conn.Close() }()
	population := populationv1.NewPopulationServiceClient(conn)
	ctx = client.With(ctx, words)
	for _, q := range people {
		answer, err := population.GetResidence(ctx, &populationv1.GetResidenceRequest{PersonalId: q.PersonalID})
		if err != nil {
			return fmt.Errorf("check %s: %w\n%s", p.name, err, p.servers[len(p.servers)-1].lastWords())
		}
		if code := answer.GetResult().GetCode(); code != hubv1.Result_FOUND || answer.GetPermanent().GetProvinceCode() == "" {
			return fmt.Errorf("check %s: the answer is %v, with a residence: %t; it should be FOUND with one", p.name, code, answer.GetPermanent() != nil)
		}
	}
	return nil
}
