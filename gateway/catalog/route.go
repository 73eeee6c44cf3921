package catalog

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// Country is the jurisdiction of the whole country.
const Country = "vn"

// provinces holds the codes of the 34 provinces since 1 July 2025 (QĐ 19/2025/QĐ-TTg).
var provinces = func() (known [100]bool) {
	for _, code := range [...]int{
		1, 4, 8, 11, 12, 14, 15, 19, 20, 22, 24, 25, 31, 33, 37, 38, 40, 42, 44, 46, 48, 51, 52, 56, 66, 68, 75,
		79, 80, 82, 86, 91, 92, 96,
	} {
		known[code] = true
	}
	return known
}()

func isProvince(code string) bool {
	if len(code) != 2 || code[0] < '0' || code[0] > '9' || code[1] < '0' || code[1] > '9' {
		return false
	}
	return provinces[int(code[0]-'0')*10+int(code[1]-'0')]
}

// Route says who answers the request, and for which jurisdiction: the province that the request names if it
// answers for itself, else the country. It fails with FIELD_REQUIRED if the request names none where it must,
// CODE_UNKNOWN if it is not one of the 34 provinces, JURISDICTION_NOT_SERVED if nobody answers for it, and
// REQUEST_MALFORMED if the request cannot be read.
func (m *Method) Route(request []byte) (jurisdiction string, provider peer.ID, err error) {
	if m.province == nil {
		return Country, m.Service.Providers[Country], nil
	}
	field := m.Policy.GetJurisdiction()
	code, ok := m.province.String(request)
	if !ok && !readable(request) {
		return "", peer.ID{}, reason.RequestMalformed
	}
	if code == "" {
		return "", peer.ID{}, reason.FieldRequired.At(field)
	}
	if !isProvince(code) {
		return "", peer.ID{}, reason.CodeUnknown.At(field)
	}
	if id, ok := m.Service.Providers[code]; ok {
		return code, id, nil
	}
	if id, ok := m.Service.Providers[Country]; ok {
		return Country, id, nil
	}
	return "", peer.ID{}, reason.JurisdictionNotServed.At(field)
}

// readable reports whether the bytes are fields of a message, one after the other.
func readable(message []byte) bool {
	for len(message) > 0 {
		_, _, n := protowire.ConsumeField(message)
		if n < 0 {
			return false
		}
		message = message[n:]
	}
	return true
}
