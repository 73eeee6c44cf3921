package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/gateway/agreement/service"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/services/store"
)

// agreementDesk is a hub's service of agreements on loopback TLS, and the identities of those who use it.
type agreementDesk struct {
	t       *testing.T
	dir     string
	address string
	ca      *x509.Certificate
	key     *ecdsa.PrivateKey
	serial  int64
}

// parties of the tests, by their roles.
var parties = map[string]member.Roles{
	"H27/one-stop": member.Consumer, "G01/steward": member.Steward, "G06/operator-a": member.Operator, "G24/claims": member.Consumer, "G06/gateway": member.Gateway,
}

func newAgreementDesk(t *testing.T) *agreementDesk {
	d := &agreementDesk{t: t, dir: t.TempDir()}
	d.issue("")
	for name := range parties {
		d.issue(name)
	}
	db, err := state.Open(t.Context(), state.Config{Config: store.Config{Path: filepath.Join(d.dir, "hub.db")}})
	require.NoError(t, err)
	sample, members := catalogtest.Load(t), d.members()
	cfg := service.Config{
		DB: db, Members: func() *member.Directory { return members },
		Changed: func(context.Context, state.Made) error { return nil },
		Refused: func(context.Context, string, *hubv1.Change) error { return nil },
		Catalog: func(context.Context, *sql.Tx) (*catalog.Catalog, error) { return sample, nil },
		Explain: func(_ context.Context, consumer peer.ID, q *hubv1.ExplainRequest) (*hubv1.ExplainResponse, error) {
			return &hubv1.ExplainResponse{
				Reason: "NO_AGREEMENT", Message: consumer.String() + " has none", Steps: []*hubv1.ExplainStep{{Name: "agreement", Finding: "none"}},
				Fields: []*hubv1.ExplainField{{Path: "person.name", Class: "basic", Why: "not agreed"}},
			}, nil
		},
	}
	gateway, err := peer.LoadIdentity(d.file("G06/gateway", "cert"), d.file("G06/gateway", "key"), d.file("", "cert"))
	require.NoError(t, err)
	rpc := grpc.NewServer(grpc.Creds(member.Credentials(peer.Config{Certificate: gateway.Certificate, Roots: gateway.Roots})))
	service.New(cfg).Register(rpc)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d.address = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- rpc.Serve(l) }()
	t.Cleanup(func() {
		rpc.Stop()
		require.NoError(t, errors.Join(<-done, db.Close()))
	})
	return d
}

// members is who they are to the hub.
func (d *agreementDesk) members() *member.Directory {
	agencies := map[string]member.Agency{}
	var systems []member.System
	for name, roles := range parties {
		id, err := peer.ParseID(name)
		require.NoError(d.t, err)
		systems = append(systems, member.System{ID: id, Roles: roles, Status: member.Active})
		agencies[id.Agency] = member.Agency{Code: id.Agency, NameVI: id.Agency, Officers: member.Any}
	}
	members, err := member.NewDirectory(slices.Collect(maps.Values(agencies)), systems, nil, nil)
	require.NoError(d.t, err)
	return members
}

// file is where a party's certificate or key lies; that of nobody is the authority's.
func (d *agreementDesk) file(name, kind string) string {
	return filepath.Join(d.dir, strings.ReplaceAll(name, "/", "-")+"."+kind)
}

// issue makes a party's certificate, or the authority for nobody.
func (d *agreementDesk) issue(name string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(d.t, err)
	d.serial++
	c := &x509.Certificate{
		SerialNumber: big.NewInt(d.serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	if name == "" {
		c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
		d.ca, d.key = c, key
	} else {
		id, err := peer.ParseID(name)
		require.NoError(d.t, err)
		c.URIs, c.IPAddresses = []*url.URL{id.URI()}, []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, d.ca, &key.PublicKey, d.key)
	require.NoError(d.t, err)
	if name == "" {
		d.ca, err = x509.ParseCertificate(der)
		require.NoError(d.t, err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(d.t, err)
	d.write(d.file(name, "cert"), "CERTIFICATE", der)
	d.write(d.file(name, "key"), "PRIVATE KEY", private)
}

func (d *agreementDesk) write(file, kind string, der []byte) {
	require.NoError(d.t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// run runs a command as a party, and returns its exit code and what it printed.
func (d *agreementDesk) run(as string, args ...string) (code int, out, complaint string) {
	var printed, complained bytes.Buffer
	before, beforeErr := stdout, stderr
	stdout, stderr = &printed, &complained
	defer func() { stdout, stderr = before, beforeErr }()
	args = append(args, "--dir", d.dir, "--addr", d.address, "--ca", d.file("", "cert"), "--cert", d.file(as, "cert"), "--key", d.file(as, "key"))
	code = run(d.t.Context(), args)
	return code, printed.String(), complained.String()
}

// must runs a command that succeeds.
func (d *agreementDesk) must(as string, args ...string) string {
	code, out, complaint := d.run(as, args...)
	require.Zero(d.t, code, "%s: %s", args, complaint)
	return out
}

const deskAgreement = `id: H27-G01-01
title: Tra cứu dân cư
consumer:
  agency: H27
  systems: [one-stop]
provider: G01
service: sample.v1.PeopleService
valid_from: 2026-01-01
valid_to: 2099-12-31
purposes:
  - code: HT-KS
    title: Đăng ký khai sinh
    legal_basis: Luật Hộ tịch 60/2014/QH13
methods:
  - name: GetPerson
    fields: [person.name, person.birth_date]
`

// yaml writes the agreement as a test changes it: pairs of what stands there and what shall.
func (d *agreementDesk) yaml(name string, pairs ...string) string {
	text := strings.NewReplacer(pairs...).Replace(deskAgreement)
	path := filepath.Join(d.dir, "agreements", name)
	require.NoError(d.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(d.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestAnAgreementIsProposedApprovedAndSuspendedFromTheCommandLine(t *testing.T) {
	d := newAgreementDesk(t)
	file := d.yaml("a.yaml")
	require.Contains(t, d.must("H27/one-stop", "agreement", "propose", "-f", file, "--officer", "hoa"), "1 new, 0 changed, 0 unchanged")
	code, out, complaint := d.run("G01/steward", "agreement", "approve", "H27-G01-01", "--officer", "an")
	require.Equal(t, exitUsage, code)
	require.Contains(t, out, "GetPerson  person.name, person.birth_date", "what would be approved is shown")
	require.Contains(t, complaint, "nothing was approved yet; add --yes")
	out = d.must("G01/steward", "agreement", "approve", "H27-G01-01", "--officer", "an", "--yes")
	require.Contains(t, out, "GetPerson  person.name, person.birth_date", "what is approved is shown")
	require.Contains(t, d.must("G06/operator-a", "agreement", "approve", "H27-G01-01", "--officer", "binh", "--yes"), "active")

	code, out, complaint = d.run("G01/steward", "agreement", "suspend", "H27-G01-01", "--reason", "to be checked")
	require.Equal(t, exitUsage, code)
	require.Contains(t, out, "active")
	require.Contains(t, complaint, "nothing was suspended yet; add --yes")
	require.Contains(t, d.must("G01/steward", "agreement", "suspend", "H27-G01-01", "--reason", "to be checked", "--yes"), "suspended")
	require.Contains(t, d.must("G01/steward", "agreement", "resume", "H27-G01-01", "--yes"), "active")
	out = d.must("H27/one-stop", "agreement", "show", "H27-G01-01")
	for _, part := range []string{"HT-KS  Đăng ký khai sinh  (Luật Hộ tịch 60/2014/QH13)", "G01/steward (an), G06/operator-a (binh)", "activated", "to be checked"} {
		require.Contains(t, out, part)
	}
	var all []map[string]any
	require.NoError(t, json.Unmarshal([]byte(d.must("G06/operator-a", "agreement", "list", "--state", "active", "--json")), &all))
	require.Equal(t, "H27-G01-01", all[0]["agreement"].(map[string]any)["id"])
	require.Equal(t, "[]\n", d.must("G24/claims", "agreement", "list", "--json"))
	require.Contains(t, d.must("H27/one-stop", "agreement", "terminate", "H27-G01-01", "--yes"), "terminated")
}

func TestARefusalOnTheCommandLineSaysWhatToDo(t *testing.T) {
	d := newAgreementDesk(t)
	d.must("H27/one-stop", "agreement", "propose", "-f", d.yaml("a.yaml"))
	for _, c := range []struct {
		as, args, want string
		code           int
	}{
		{"G01/steward", "agreement approve H27-G01-01 --yes", "OFFICER_REQUIRED", exitFailed},
		{"G01/steward", "agreement approve H27-G01-01 --yes", "here that is --officer NAME", exitFailed},
		{"G01/steward", "agreement approve H27-G01-01 --digest xyz", "64 hexadecimal digits", exitUsage},
		{"G01/steward", "agreement approve H27-G01-01 --officer an --yes --digest " + strings.Repeat("00", 32), "VERSION_CONFLICT", exitFailed},
		{"G01/steward", "agreement refuse H27-G01-01 --ground no", "expected secret, purpose-unlawful", exitUsage},
		{"G01/steward", "agreement refuse H27-G01-01 --ground secret --reason 042187001234", "no number of a person", exitFailed},
		{"G24/claims", "agreement show H27-G01-01", "AGREEMENT_UNKNOWN", exitFailed},
		{"H27/one-stop", "agreement suspend H27-G01-01 --yes", "ACT_NOT_ALLOWED", exitFailed},
		{"G06/operator-a", "agreement list --state running", "expected draft, proposed", exitUsage},
		{"H27/one-stop", "agreement destroyed H27-G01-01 --through soon", "expected one such as 2026-12-31", exitUsage},
		{"G01/steward", "consumer suspend /x --violation x", "neither AGENCY nor AGENCY/SYSTEM", exitUsage},
	} {
		code, _, complaint := d.run(c.as, strings.Fields(c.args)...)
		require.Equal(t, c.code, code, "%s: %s", c.args, complaint)
		require.Contains(t, complaint, c.want, c.args)
	}
	require.Contains(t, d.must("G01/steward", "agreement", "refuse", "H27-G01-01", "--ground", "fields-excessive", "--reason", "too much"), "refused")
	require.Contains(t, d.must("G06/operator-a", "agreement", "waiting"), "fields-excessive 1")
	require.Contains(t, d.must("G06/operator-a", "agreement", "waiting", "--json"), `"FIELDS_EXCESSIVE": 1`)
}

func TestAConsumerIsStoppedFromTheCommandLine(t *testing.T) {
	d := newAgreementDesk(t)
	code, _, complaint := d.run("G01/steward", "consumer", "suspend", "H27/one-stop", "--violation", "asks without a dossier", "--provider", "G01")
	require.Equal(t, exitUsage, code)
	require.Contains(t, complaint, "nothing was suspended yet")
	require.Contains(t, d.must("G01/steward", "consumer", "suspend", "H27/one-stop", "--violation", "asks without a dossier", "--yes"), "asks without a dossier")
	require.Contains(t, d.must("H27/one-stop", "consumer", "list"), "H27/one-stop")
	require.Contains(t, d.must("G01/steward", "consumer", "resume", "H27/one-stop", "--reason", "trained"), "resumed H27/one-stop")
	require.Equal(t, "[]\n", d.must("G06/operator-a", "consumer", "list", "--json"))
}

func TestWhatWouldBeRefusedIsExplained(t *testing.T) {
	d := newAgreementDesk(t)
	code, out, complaint := d.run("H27/one-stop", "agreement", "explain", "--method", "sample.v1.PeopleService/GetPerson", "--purpose", "HT-KS")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "would be refused: NO_AGREEMENT: H27/one-stop has none")
	require.Contains(t, out, "withheld")
	require.Contains(t, complaint, "it would be refused: NO_AGREEMENT")
}

func TestADirectoryIsAppliedWholeOrNotAtAll(t *testing.T) {
	d := newAgreementDesk(t)
	dir := filepath.Dir(d.yaml("a.yaml"))
	d.yaml("b.yaml", "H27-G01-01", "H27-G01-02", "HT-KS", "CT-TT")
	code, out, complaint := d.run("H27/one-stop", "agreement", "apply", "-f", dir)
	require.Equal(t, exitUsage, code)
	require.Contains(t, out, "2 new, 0 changed, 0 unchanged")
	require.Contains(t, complaint, "nothing was proposed yet; add --yes")
	require.Equal(t, "[]\n", d.must("H27/one-stop", "agreement", "list", "--json"))
	d.must("H27/one-stop", "agreement", "apply", "-f", dir, "--yes")
	require.Contains(t, d.must("H27/one-stop", "agreement", "apply", "-f", dir), "0 new, 0 changed, 2 unchanged")

	d.yaml("a.yaml", "person.birth_date", "person.sex")
	bad := d.yaml("b.yaml", "H27-G01-01", "H27-G01-02", "HT-KS", "CT-TT", "one-stop", "nobody")
	code, out, complaint = d.run("H27/one-stop", "agreement", "apply", "-f", dir, "--yes")
	require.Equal(t, exitFailed, code)
	require.Empty(t, out)
	require.Contains(t, complaint, "AGREEMENT_INVALID")
	require.Contains(t, complaint, bad+":5: consumer.systems[0]: H27 has no system nobody")
	d.yaml("b.yaml", "H27-G01-01", "H27-G01-02", "HT-KS", "CT-TT")
	out = d.must("H27/one-stop", "agreement", "apply", "-f", dir, "--yes")
	require.Contains(t, out, "methods[GetPerson].fields: + person.sex", "the failed run has left nothing")
	require.Contains(t, out, "0 new, 1 changed, 1 unchanged")
}
