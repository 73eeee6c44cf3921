package connector

import (
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/lienthong/lienthong/proto/bus"
)

// addCancel listens for word that a consumer has gone away. It comes sealed like a call, with nothing inside but
// the exchange, and is not answered.
func (c *connector) addCancel(s *service) error {
	subject, err := bus.CancelSubject(c.cfg.Jurisdiction, s.name, c.instance)
	if err != nil {
		return err
	}
	if _, err = c.nc.Subscribe(subject, c.cancelled); err != nil {
		return fmt.Errorf("listen for cancellations of %s: %w", s.name, err)
	}
	return nil
}

func (c *connector) cancelled(msg *nats.Msg) {
	f, err := bus.ParseFrame(msg.Data)
	if err != nil {
		return
	}
	pair, err := c.keys.pair(&f)
	if err != nil || pair == nil {
		return
	}
	h := bus.Header{Subject: msg.Subject}
	if _, err := pair.Open(nil, &h, &f, c.cfg.Now()); err == nil {
		c.calls.cancel(callID{f.Sender, f.ExchangeID})
	}
}
