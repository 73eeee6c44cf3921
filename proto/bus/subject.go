package bus

import (
	"errors"
	"fmt"
	"strings"
)

// Subjects and subject prefixes.
const (
	callPrefix = "lt.call." // + jurisdiction + service + method + instance
	keyPrefix  = "lt.key."  // + jurisdiction + service

	// Hello asks all connectors to announce themselves.
	Hello = "lt.hello"
	// AllKeys matches the announcements of all connectors.
	AllKeys = "lt.key.>"
	// Bell says that the hub's rules have changed: whoever hears it reads them anew from SQL, which alone is believed.
	Bell = "lt.bell"
	// Tallies is where gateways tell each other, sealed, how often they were asked what.
	Tallies = "lt.tally"
	// AllCalls matches every call; only gateways may publish it.
	AllCalls = "lt.call.>"
)

// Inbox prefixes. Each process listens below its own, and none is below the NATS default, so that whoever may
// listen to `_INBOX.>` hears nothing of the others.
const (
	GatewayInbox   = "_GW" // + "." + process
	ConnectorInbox = "_CN" // + "." + process
)

const (
	maxToken   = 64
	maxSubject = 255
	cancel     = "_cancel" // stands where a method would
)

// ErrSubject says that a name cannot be part of a subject.
var ErrSubject = errors.New("name cannot be part of a bus subject")

// CallSubject is where one connector process listens for one method:
//
//	lt.call.<jurisdiction>.<proto package>.<Service>.<Method>.<instance>
//
// The method is "registry.land.v1.LandService/GetParcel". It fails with ErrSubject if a token is not made of
// letters, digits, '_' and '-', 1 to 64 of them, or the whole is over 255 bytes.
func CallSubject(jurisdiction, method, instance string) (string, error) {
	service, name, ok := strings.Cut(method, "/")
	if !ok || name == cancel {
		return "", fmt.Errorf("%w: not a method of a service", ErrSubject)
	}
	return subject(callPrefix, jurisdiction, service, name, instance)
}

// ServiceCalls matches all calls to all processes of one service in one jurisdiction, cancellations too, and those
// of no other service, for permissions.
func ServiceCalls(jurisdiction, service string) (string, error) {
	s, err := subject(callPrefix, jurisdiction, service)
	if err != nil {
		return "", err
	}
	return s + ".*.*", nil
}

// KeySubject is where the connectors of one service in one jurisdiction announce themselves.
func KeySubject(jurisdiction, service string) (string, error) {
	return subject(keyPrefix, jurisdiction, service)
}

// subject joins names to a subject. Only the second name, a service, may have several tokens.
func subject(prefix string, names ...string) (string, error) {
	var b strings.Builder
	b.WriteString(prefix)
	for i, name := range names {
		if i > 0 {
			b.WriteByte('.')
		}
		if i == 1 {
			for token := range strings.SplitSeq(name, ".") {
				if !ValidToken(token) {
					return "", ErrSubject
				}
			}
		} else if !ValidToken(name) {
			return "", ErrSubject
		}
		b.WriteString(name)
	}
	if b.Len() > maxSubject {
		return "", fmt.Errorf("%w: over %d bytes", ErrSubject, maxSubject)
	}
	return b.String(), nil
}

// ValidToken reports whether s may be one token of a subject.
func ValidToken(s string) bool {
	if len(s) == 0 || len(s) > maxToken {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// CancelSubject is where one connector process listens for cancellations of its calls to one service. No method
// of that name can be called.
func CancelSubject(jurisdiction, service, instance string) (string, error) {
	return subject(callPrefix, jurisdiction, service, cancel, instance)
}
