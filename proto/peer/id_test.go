package peer_test

import (
	"crypto/x509"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/proto/peer"
)

func TestIdentitiesOfTheSandboxAreIdentities(t *testing.T) {
	for _, s := range []string{"G22/dvc-portal", "H27/one-stop", "H27.07/clinic", "H26.12.5/desk", "COM.3000000012/ekyc", "COM.3000000012-001/ekyc", "G01/0"} {
		id, err := peer.ParseID(s)
		require.NoError(t, err, s)
		require.Equal(t, s, id.String())
	}
}

func TestWhatIsNotAnIdentityIsRefused(t *testing.T) {
	for _, s := range []string{
		"", "/", "G22", "G22/", "/portal", "G22/Portal", "G22/-portal", "G22/a_b", "G22/a/b", "g22/portal", "Z01/x", "G2/x", "G222/x",
		"G22./x", "G22.x/x", "000.00.00.G22/x", "COM.300000001/x", "COM.3000000012-1/x", "COM/x", "G22/portal\n", " G22/x", "G22/x*", "*/x",
		"G22/" + strings.Repeat("a", 65), "H27" + strings.Repeat(".123456", 5) + "/x",
	} {
		_, err := peer.ParseID(s)
		require.ErrorIs(t, err, peer.ErrID, "%q", s)
	}
}

func TestAnIdentityInJSONIsItsText(t *testing.T) {
	id := peer.ID{Agency: "H27", System: "one-stop"}
	text, err := json.Marshal(map[peer.ID]peer.ID{id: id})
	require.NoError(t, err)
	require.JSONEq(t, `{"H27/one-stop":"H27/one-stop"}`, string(text))
	var back map[peer.ID]peer.ID
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, id, back[id])
	_, err = json.Marshal(peer.ID{Agency: "x"})
	require.ErrorIs(t, err, peer.ErrID)
	require.ErrorIs(t, json.Unmarshal([]byte(`"x"`), &id), peer.ErrID)
	require.Empty(t, peer.ID{}.String())
}

func TestACertificateSaysItsIdentityByOneURIOnly(t *testing.T) {
	id := peer.ID{Agency: "H27.07", System: "clinic"}
	got, err := peer.FromCertificate(&x509.Certificate{URIs: []*url.URL{id.URI()}})
	require.NoError(t, err)
	require.Equal(t, id, got)
	require.Equal(t, "spiffe://lienthong/agency/H27.07/system/clinic", id.URI().String())

	_, err = peer.FromCertificate(&x509.Certificate{})
	require.ErrorIs(t, err, peer.NoIdentity)
	_, err = peer.FromCertificate(&x509.Certificate{URIs: []*url.URL{id.URI(), id.URI()}})
	require.ErrorIs(t, err, peer.ManyIdentities)
	for _, s := range []string{
		"spiffe://other/agency/G01/system/x", "spiffe://lienthong.vn/agency/G01/system/x", "https://lienthong/agency/G01/system/x",
		"spiffe://lienthong", "spiffe://lienthong/", "spiffe://lienthong/agency/G01/system/x/", "spiffe://lienthong/agency/G01/system",
		"spiffe://lienthong/agency/*/system/x", "spiffe://lienthong/agency/G01/system/*", "spiffe://lienthong/agency/../system/x",
		"spiffe://lienthong/agency/G01/system/X", "spiffe://lienthong/system/x/agency/G01", "spiffe://lienthong:1/agency/G01/system/x",
		"spiffe://u@lienthong/agency/G01/system/x", "spiffe://lienthong/agency/G01/system/x?a=b", "spiffe://lienthong/agency/G01/system/x#f",
		"spiffe://lienthong/agency%2FG01/system/x", "spiffe://lienthong/agency/G01/system/x/y",
	} {
		uri, err := url.Parse(s)
		require.NoError(t, err)
		_, err = peer.FromCertificate(&x509.Certificate{URIs: []*url.URL{uri}})
		require.ErrorIs(t, err, peer.ForeignIdentity, s)
	}
}

func TestEveryIdentitySurvivesItsTextAndItsURI(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := peer.ID{
			Agency: rapid.StringMatching(`[A-Y][0-9]{2}(\.[0-9]{1,2}){0,4}|COM\.[0-9]{10}(-[0-9]{3})?`).Draw(t, "agency"),
			System: rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,63}`).Draw(t, "system"),
		}
		parsed, err := peer.ParseID(id.String())
		require.NoError(t, err)
		require.Equal(t, id, parsed)
		uri, err := url.Parse(id.URI().String())
		require.NoError(t, err)
		got, err := peer.FromCertificate(&x509.Certificate{URIs: []*url.URL{uri}})
		require.NoError(t, err)
		require.Equal(t, id, got)
	})
}

func FuzzIdentityOfAURI(f *testing.F) {
	f.Add("spiffe://lienthong/agency/G01/system/x")
	f.Add("spiffe://lienthong/agency/%47/system/x")
	f.Fuzz(func(t *testing.T, s string) {
		uri, err := url.Parse(s)
		if err != nil {
			return
		}
		id, err := peer.FromCertificate(&x509.Certificate{URIs: []*url.URL{uri}})
		if err != nil {
			require.Equal(t, peer.ForeignIdentity, peer.RefusalOf(err))
			return
		}
		require.True(t, id.Valid())
		require.Equal(t, id.URI().Path, uri.Path, "no two URIs of one identity")
	})
}

func FuzzParseID(f *testing.F) {
	f.Add("G22/dvc-portal")
	f.Add("COM.3000000012-001/ekyc")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := peer.ParseID(s); err == nil {
			require.Equal(t, s, id.String())
			require.True(t, id.Valid())
		}
	})
}
