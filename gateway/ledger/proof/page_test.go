package proof_test

import (
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
	"github.com/lienthong/lienthong/gateway/ledger/proof/prooftest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// shown is the text of a page as a reader sees it, and its elements.
func shown(t testing.TB, source string) (text string, elements map[string]int) {
	t.Helper()
	var b strings.Builder
	elements = map[string]int{}
	for z := html.NewTokenizer(strings.NewReader(source)); ; {
		switch z.Next() {
		case html.ErrorToken:
			require.ErrorIs(t, z.Err(), io.EOF)
			return b.String(), elements
		case html.TextToken:
			b.WriteString(z.Token().Data)
		case html.StartTagToken, html.SelfClosingTagToken:
			elements[z.Token().Data]++
		}
	}
}

func TestThePageTellsTheWholeExchange(t *testing.T) {
	w := newWorld(t)
	w.opts.Now = time.Date(2026, 11, 22, 3, 4, 5, 0, time.UTC)
	v := verify(t, w.Build(w.source), w.opts)
	for lang, words := range map[string][]string{
		"vi": {
			"BẰNG CHỨNG HỢP LỆ", "Xác nhận lịch sử khai thác dữ liệu", "Cơ quan khai thác dữ liệu", "Cơ quan cung cấp dữ liệu", "Mục đích sử dụng", "Căn cứ pháp lý", "Mã số hồ sơ",
			"Cán bộ, công chức", "Thỏa thuận chia sẻ dữ liệu", "H27-G01-population, phiên bản 3", "tìm thấy (FOUND)", "đã trả lời (OUTCOME_ANSWERED)", "các byte đã cho đúng là câu trả lời",
		},
		"en": {
			"THE PROOF HOLDS", "Asked by (consumer)", "Answered by (provider)", "Legal basis", "H27-G01-population, version 3", "found (FOUND)", "answered (OUTCOME_ANSWERED)", "the bytes given were the answer",
		},
	} {
		text, _ := shown(t, page(t, v, lang))
		for _, word := range append(words,
			"H27/one-stop", "G01", "TTHC", "Điều 11 Luật Căn cước 26/2023/QH15", "000.00.01.H27-261120-0001", "nv.lan",
			"registry.population.v1.PopulationService/GetPerson", "01934c0f-5c12-7abc-8def-0123456789ab",
			"21/11/2026 01:30:01.250 (Asia/Ho_Chi_Minh)", "2026-11-20T18:30:01.250Z (UTC)", "22/11/2026 10:04:05.000 (Asia/Ho_Chi_Minh)",
			"person.full_name, person.residence.province_code, result.code", "person.ethnicity, person.religion",
			"G06/gateway:41", "lienthong/G06/gateway", w.Key(), proof.Fingerprint(w.Key()), "H27/witness", "lienthong ledger verify proof.json --key log.pub",
		) {
			require.Contains(t, text, word, lang)
		}
		for i := range v.Checks {
			require.Contains(t, text, v.Checks[i].Title(lang))
		}
	}
}

func TestThePageHasNoPersonalDataAndNoSecret(t *testing.T) {
	w := newWorld(t)
	v := verify(t, w.Build(w.source), w.opts)
	for _, out := range []string{page(t, v, "vi"), page(t, v, "en"), text(t, v)} {
		require.NotContains(t, out, prooftest.ReceiptKey)
		require.NotContains(t, out, "TRẦN VĂN NAM")
		require.NotContains(t, out, "001087654321")
		require.NotContains(t, out, "30313233343536373839616263646566", "a keyed hash of a data subject")
	}
}

func TestThePageNeedsNothingBesides(t *testing.T) {
	w := newWorld(t)
	source := page(t, verify(t, w.Build(w.source), w.opts), "vi")
	_, elements := shown(t, source)
	for _, tag := range []string{"script", "link", "img", "iframe", "object", "a", "form"} {
		require.Zero(t, elements[tag], tag)
	}
	require.NotRegexp(t, regexp.MustCompile(`(?i)url\(|@import|https?://`), source)
	require.Contains(t, source, "size: A4")
	require.Contains(t, source, `lang="vi"`)
}

func TestAPageOfABrokenProofSaysSoFirst(t *testing.T) {
	w := newWorld(t)
	d := w.document(w.source)
	d.Salt[0] ^= 1
	for _, doc := range [][]byte{encode(t, d), []byte("{}"), {}} {
		v := verify(t, doc, w.opts)
		for lang, says := range map[string]string{"vi": "BẰNG CHỨNG KHÔNG HỢP LỆ: ", "en": "THE PROOF DOES NOT HOLD: "} {
			source := page(t, v, lang)
			_, body, _ := strings.Cut(source, "<body>")
			text, _ := shown(t, body)
			require.True(t, strings.HasPrefix(strings.TrimSpace(text), says+v.Failure().Title(lang)), text)
			require.Contains(t, body, `class="broken"`)
			require.NotContains(t, body, `class="holds"`)
		}
		require.True(t, strings.HasPrefix(text(t, v), "THE PROOF DOES NOT HOLD: "))
	}
}

func TestHostileTextInARecordIsOnlyText(t *testing.T) {
	const hostile = "</td><script>alert(1)</script><b onclick=x>\x1b[2J\x1b]0;x\a\u202eTHE PROOF HOLDS\u2028\u00a0\x00'\""
	w := newWorld(t)
	r := prooftest.Exchange("G06/gateway")
	e := r.GetExchange()
	e.Case, e.Officer, e.Purpose, e.LegalBasis, e.Agreement, e.Method, e.Reason, e.Certificate = hostile, hostile, hostile, hostile, hostile, hostile, hostile, hostile
	e.ConsumerAgency, e.ConsumerSystem, e.ProviderAgency, e.Jurisdiction, e.MembersVersion, e.Consent = hostile, hostile, hostile, hostile, hostile, hostile
	v := verify(t, w.Prove(w.Append(r)), proof.Options{LogKey: w.Key()})
	require.True(t, v.OK())
	_, plain := shown(t, page(t, verify(t, w.Build(w.source), w.opts), "en"))
	for _, lang := range []string{"vi", "en"} {
		source := page(t, v, lang)
		_, elements := shown(t, source)
		require.ElementsMatch(t, slices.Collect(maps.Keys(plain)), slices.Collect(maps.Keys(elements)), "nothing of it is markup")
		require.NotContains(t, source, "\u202e")
		require.NotContains(t, source, "\x1b")
	}
	out := text(t, v)
	for _, c := range out {
		require.True(t, c == '\n' || c >= ' ' && c != 0x7f && c != '\u202e' && c != '\u2028', "%q", c)
	}
}

func TestEveryKindOfRecordIsTold(t *testing.T) {
	at := timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	exchangeID := prooftest.Exchange("").GetExchange().GetId()
	for want, r := range map[string]*hubv1.LedgerRecord{
		"H27/one-stop": {Event: &hubv1.LedgerRecord_Intent{Intent: &hubv1.Intent{ExchangeId: exchangeID, ConsumerAgency: "H27", ConsumerSystem: "one-stop", Agreement: "A", AgreementVersion: 2}}},
		"G06/console, H27/one-stop": {Event: &hubv1.LedgerRecord_Change{Change: &hubv1.Change{
			Kind: hubv1.Change_KIND_AGREEMENT, Object: "H27-G01-population", Version: 4, Agency: "G06", Approvals: []string{"G06/console", "H27/one-stop"},
		}}},
		"ROLE_AUDITOR": {Event: &hubv1.LedgerRecord_Access{Access: &hubv1.Access{Id: exchangeID, Agency: "G06", Role: hubv1.Access_ROLE_AUDITOR, Method: "Search"}}},
		"cutBytes":     {Event: &hubv1.LedgerRecord_Notice{Notice: &hubv1.Notice{About: &hubv1.Notice_Opened_{Opened: &hubv1.Notice_Opened{CutBytes: 12}}}}},
	} {
		l := prooftest.New(t, "G06/gateway")
		r.Origin, r.Time = "G06/gateway", at
		v := verify(t, l.Build(l.Source(l.Append(r))), proof.Options{LogKey: l.Key()})
		require.True(t, v.OK())
		for _, lang := range []string{"vi", "en"} {
			told, _ := shown(t, page(t, v, lang))
			require.Contains(t, told, want)
			require.Contains(t, told, "02/01/2026 10:04:05.000 (Asia/Ho_Chi_Minh) = 2026-01-02T03:04:05.000Z (UTC)")
		}
		require.Contains(t, text(t, v), want)
	}
}

func TestThereAreTwoLanguages(t *testing.T) {
	w := newWorld(t)
	require.Error(t, proof.Page(io.Discard, verify(t, w.Build(w.source), w.opts), "fr"))
}
