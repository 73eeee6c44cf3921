package buscreds

import (
	"fmt"
	"time"

	"github.com/nats-io/jwt/v2"

	"github.com/lienthong/lienthong/proto/bus"
)

// Subjects are the calls to one service in one jurisdiction, which a connector answers.
type Subjects struct {
	Jurisdiction string // "vn" or a province code
	Service      string // full name: "registry.land.v1.LandService"
}

// An answer may be sent once to each call, and not after the longest life of a call.
var oneAnswer = &jwt.ResponsePermission{MaxMsgs: 1, Expires: time.Minute}

// monitoring are the questions that a NATS micro service answers.
var monitoring = []string{"$SRV.PING", "$SRV.INFO", "$SRV.STATS"}

// gateway may call everybody and hear who answers, ring and hear the bell, and tell other gateways what was asked.
func gateway(id string) (jwt.Permissions, error) {
	if !bus.ValidToken(id) {
		return jwt.Permissions{}, fmt.Errorf("gateway %q: %w", id, bus.ErrSubject)
	}
	return jwt.Permissions{
		Pub: allow(bus.AllCalls, bus.Hello, bus.Bell, bus.Tallies),
		Sub: allow(bus.AllKeys, bus.Bell, bus.Tallies, bus.GatewayInbox+"."+id+".>"),
	}, nil
}

// ringer may ring the bell, hears nothing, and can do nothing else.
func ringer() jwt.Permissions {
	return jwt.Permissions{Pub: allow(bus.Bell), Sub: nothing().Sub}
}

// connector may listen to the calls of its own services, answer them, announce itself, and be seen by the
// observer under its own name.
func connector(name string, subjects []Subjects) (jwt.Permissions, error) {
	if !bus.ValidToken(name) {
		return jwt.Permissions{}, fmt.Errorf("connector %q: %w", name, bus.ErrSubject)
	}
	if len(subjects) == 0 {
		return jwt.Permissions{}, fmt.Errorf("connector %s answers for nothing", name)
	}
	p := jwt.Permissions{Resp: oneAnswer, Sub: allow(bus.Hello, bus.ConnectorInbox+"."+name+".>")}
	for _, s := range subjects {
		calls, err := bus.ServiceCalls(s.Jurisdiction, s.Service)
		if err != nil {
			return jwt.Permissions{}, fmt.Errorf("connector %s: %w", name, err)
		}
		key, err := bus.KeySubject(s.Jurisdiction, s.Service)
		if err != nil {
			return jwt.Permissions{}, fmt.Errorf("connector %s: %w", name, err)
		}
		p.Sub.Allow.Add(calls)
		p.Pub.Allow.Add(key)
	}
	for _, question := range monitoring {
		p.Sub.Allow.Add(question, question+"."+name, question+"."+name+".*")
	}
	return p, nil
}

// observer may ask who is there, as the nats command does, and hear the answers. `_INBOX` is nobody else's:
// gateways and connectors have inboxes of their own.
func observer() jwt.Permissions {
	return jwt.Permissions{Pub: allow("$SRV.>"), Sub: allow("_INBOX.>")}
}

// allow permits the subjects and, because a list that is not empty is the whole of it, nothing else.
func allow(subjects ...string) jwt.Permission { return jwt.Permission{Allow: subjects} }

// nothing is what a user has whose own permissions say nothing.
func nothing() jwt.Permissions {
	return jwt.Permissions{Pub: jwt.Permission{Deny: []string{">"}}, Sub: jwt.Permission{Deny: []string{">"}}}
}
