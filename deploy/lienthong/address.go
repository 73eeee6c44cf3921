package main

import (
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/lienthong/lienthong/deploy/parts"
)

// address is where something listens: host:port.
type address string

// Validate is called by kong.
func (a address) Validate() error {
	_, port, err := net.SplitHostPort(string(a))
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is no address; write HOST:PORT, such as 127.0.0.1:0 for any free port", string(a))
	}
	return nil
}

// natsURL is where a NATS server is reached.
type natsURL string

// Validate is called by kong.
func (u natsURL) Validate() error {
	parsed, err := url.Parse(string(u))
	if err != nil || parsed.Host == "" {
		return fmt.Errorf("%q is no URL of a NATS server; write one like nats://127.0.0.1:4222", string(u))
	}
	return nil
}

// anyNATS is a natsURL or parts.EmbeddedNATS.
type anyNATS string

// Validate is called by kong.
func (u anyNATS) Validate() error {
	if u == parts.EmbeddedNATS {
		return nil
	}
	return natsURL(u).Validate()
}
