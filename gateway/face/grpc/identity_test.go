package grpc_test

import (
	stdbytes "bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	"github.com/lienthong/lienthong/proto/peer"
)

func TestAWrongCertificateEndsInAnAlertAndTheReasonStaysHere(t *testing.T) {
	f := newFace(t)
	desk := f.desk()
	revoked := f.authority.issue(exchangetest.Desk)
	f.revoke(revoked)
	stranger := newAuthority(t).issue(exchangetest.Desk)
	issue := func(spoil func(*x509.Certificate)) *peer.Identity { return f.authority.issue(exchangetest.Desk, spoil) }
	for name, c := range map[string]struct {
		id   *peer.Identity
		want peer.Refusal
	}{
		"another authority": {stranger, peer.UnknownAuthority},
		"expired":           {issue(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), peer.Expired},
		"not yet valid":     {issue(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }), peer.NotYetValid},
		"no SAN":            {issue(func(c *x509.Certificate) { c.URIs = nil }), peer.NoIdentity},
		"two SANs":          {issue(func(c *x509.Certificate) { c.URIs = append(c.URIs, exchangetest.Stranger.URI()) }), peer.ManyIdentities},
		"wrong usage":       {issue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), peer.WrongUsage},
		"revoked":           {revoked, peer.Revoked},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(f.rejections())
			require.EqualError(t, f.shake(c.id), "remote error: tls: bad certificate", "the peer hears an alert and no reason")
			require.Eventually(t, func() bool { return len(f.rejections()) == before+1 }, 10*time.Second, time.Millisecond)
			require.Equal(t, c.want, f.rejections()[before].Reason)

			_, _, err := f.getPerson(purpose(t.Context()), desk)
			require.NoError(t, err, "the face goes on")
		})
	}
}

// shake opens a connection as an identity and waits for what the server says after the handshake.
func (f *face) shake(id *peer.Identity) error {
	config := peer.ClientTLS(id.Certificate, f.authority.roots(), nil)
	config.NextProtos = []string{"h2"}
	// Sends the certificate even if the server's list of authorities does not have its issuer.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &id.Certificate, nil }
	conn, err := (&tls.Dialer{NetDialer: &net.Dialer{Timeout: 10 * time.Second}, Config: config}).DialContext(f.t.Context(), "tcp", f.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err = io.ReadAll(conn)
	return err
}

func TestWhoeverShowsNoCertificateIsRefused(t *testing.T) {
	f := newFace(t)
	id := f.authority.issue(exchangetest.Desk)
	id.Certificate = tls.Certificate{}
	require.Error(t, f.shake(id))
	require.Eventually(t, func() bool { return len(f.rejections()) == 1 }, 10*time.Second, time.Millisecond)
	require.Equal(t, peer.NoCertificate, f.rejections()[0].Reason)
}

func TestWhoeverSpeaksNoTLSIsCutOffAndTheFaceGoesOn(t *testing.T) {
	f := newFace(t)
	conn, err := net.Dial("tcp", f.address)
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	require.NoError(t, err)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err = io.ReadAll(conn)
	require.NoError(t, err, "closed")
	_, _, err = f.getPerson(purpose(t.Context()), f.desk())
	require.NoError(t, err)
}

// names under which software on the way, or a liar, says who asks.
var names = []string{
	"x-forwarded-client-cert", "x-ssl-client-cert", "x-client-cert", "x-client-dn", "x-forwarded-for", "forwarded",
	"x-real-ip", "x-forwarded-host", "x-forwarded-user", "x-remote-user", "x-road-client", "authorization", "from", "via",
	"lt-consumer", "lt-agency", "lt-system", "lt-identity", "lt-exchange", "lt-agreement", "lt-certificate", "lt-provider",
	"grpc-peer", "x-envoy-peer-metadata", "spiffe-id", "baggage", "tracestate", "origin", "cookie", "user-agent",
}

// claims are values under such names.
var claims = []string{
	"G15/civil-status", "G22/dvc-portal", "spiffe://lienthong/agency/G15/system/civil-status",
	`By=spiffe://lienthong/agency/G06/system/gateway;URI=spiffe://lienthong/agency/G15/system/civil-status`,
	"CN=G15/civil-status", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJHMTUifQ.", "for=127.0.0.1;by=G15", "admin", "G15", "*",
}

func TestNoHeaderChangesWhoIsRecorded(t *testing.T) {
	f := newFace(t)
	caller := f.http(f.authority.issue(exchangetest.Desk))
	stranger := f.http(f.authority.issue(exchangetest.Stranger))
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		forged := http.Header{}
		for range 1 + random.IntN(6) {
			forged.Add(names[random.IntN(len(names))], claims[random.IntN(len(claims))])
		}
		authority := []string{"", "G15", "gateway.lienthong", "civil-status.G15.lienthong:443", "127.0.0.1"}[random.IntN(5)]

		before := len(f.recorder.Kept())
		answer := caller.post(t, catalogtest.GetPerson, authority, forged, f.request())
		require.Equal(t, "0", answer.Trailer.Get("Grpc-Status"), "%v %v", forged, answer.Trailer)
		answer = stranger.post(t, catalogtest.GetPerson, authority, forged, f.request())
		require.Equal(t, "7", answer.Trailer.Get("Grpc-Status"), "a stranger stays one: %v", forged)
		kept := f.recorder.Kept()[before:]
		require.Len(t, kept, 2)
		require.Equal(t, "H27/one-stop", kept[0].GetConsumerAgency()+"/"+kept[0].GetConsumerSystem())
		require.Equal(t, "G99/stranger", kept[1].GetConsumerAgency()+"/"+kept[1].GetConsumerSystem())
		require.Equal(t, "NO_AGREEMENT", kept[1].GetReason())
		require.NotContains(t, kept[0].String(), "civil-status")
	}
}

func TestWordsThatAreNotPrintableAreRefused(t *testing.T) {
	f := newFace(t)
	caller := f.http(f.authority.issue(exchangetest.Desk))
	for _, value := range []string{"Hoà", "\xff\xfe", "H27\t1", "đ"} {
		answer := caller.post(t, catalogtest.GetPerson, "", http.Header{"lt-case": {value}}, f.request())
		require.Equal(t, "3", answer.Trailer.Get("Grpc-Status"), "%q", value)
		require.Contains(t, answer.Trailer.Get("Grpc-Message"), "lt-case")
		require.NotEmpty(t, answer.Header.Get("Lt-Exchange"))
	}
	for _, e := range f.recorder.Kept() {
		require.Equal(t, "METADATA_INVALID", e.GetReason())
		require.Empty(t, e.GetCase())
	}
}

func TestABodyThatIsNoMessageIsRefusedAndRecorded(t *testing.T) {
	f := newFace(t)
	caller := f.http(f.authority.issue(exchangetest.Desk))
	answer := caller.post(t, catalogtest.GetPerson, "", nil, nil)
	require.Equal(t, "3", answer.Trailer.Get("Grpc-Status"))
	require.Len(t, f.recorder.Kept(), 1)
	require.Equal(t, "REQUEST_MALFORMED", f.recorder.Kept()[0].GetReason())
}

// request is a gRPC frame with the usual question.
func (f *face) request() []byte {
	message := exchangetest.Message(f.t, "GetPersonRequest", `{"personalId": "042187001234"}`)
	return append([]byte{0, 0, 0, 0, byte(len(message))}, message...)
}

// httpCaller speaks gRPC by hand, so that it can say what no gRPC client would.
type httpCaller struct {
	address string
	client  *http.Client
}

func (f *face) http(id *peer.Identity) httpCaller {
	transport := &http.Transport{TLSClientConfig: peer.ClientTLS(id.Certificate, id.Roots, nil), ForceAttemptHTTP2: true}
	f.t.Cleanup(transport.CloseIdleConnections)
	return httpCaller{f.address, &http.Client{Transport: transport}}
}

// post sends a call. Header names go out as they are.
func (c httpCaller) post(t *testing.T, method, authority string, header http.Header, body []byte) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+c.address+method, stdbytes.NewReader(body))
	require.NoError(t, err)
	for name, values := range header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	request.Header.Set("Content-Type", "application/grpc+proto")
	request.Header.Set("Te", "trailers")
	request.Header.Set("Lt-Purpose", exchangetest.Purpose)
	if authority != "" {
		request.Host = authority
	}
	answer, err := c.client.Do(request)
	require.NoError(t, err, "%v", header)
	_, err = io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.True(t, strings.HasPrefix(answer.Proto, "HTTP/2"))
	for name, values := range answer.Header { // a refusal may come as trailers alone
		if strings.HasPrefix(name, "Grpc-") {
			answer.Trailer[name] = values
		}
	}
	return answer
}
