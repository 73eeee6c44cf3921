package main

import (
	"embed"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"text/template"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
)

//go:embed proxy
var proxyFiles embed.FS

var proxyTemplates = template.Must(template.ParseFS(proxyFiles, "proxy/*.tmpl"))

// proxyKind is a proxy that can stand before the registry.
type proxyKind struct {
	name     string
	template string
	argv     func(home, settings string) []string // how it runs in the foreground
}

var proxies = []proxyKind{
	{"nginx", "nginx.conf.tmpl", func(home, settings string) []string {
		return []string{"nginx", "-e", filepath.Join(home, "error.log"), "-p", home, "-c", settings}
	}},
	{"haproxy", "haproxy.cfg.tmpl", func(_, settings string) []string {
		return []string{"haproxy", "-db", "-q", "-f", settings}
	}},
}

// proxySettings is what the templates need.
type proxySettings struct {
	Home     string // directory of the proxy
	Listen   string // its address
	Registry string // address behind it
	Cores    int
	CA       string // the authority that all sides trust
	Cert     string // the proxy's certificate, to both sides
	Key      string
	Pair     string // certificate and key in one file
}

// prepare writes the proxy's settings and returns how to run it.
func (k proxyKind) prepare(home string, dir parts.Dir, listen, registry string) ([]string, error) {
	pair, err := joinFiles(filepath.Join(home, "pair.pem"), dir.Certificate(front), dir.Key(front))
	if err != nil {
		return nil, err
	}
	settings := filepath.Join(home, "settings")
	file, err := os.Create(settings)
	if err != nil {
		return nil, err
	}
	err = proxyTemplates.ExecuteTemplate(file, k.template, proxySettings{
		Home: home, Listen: listen, Registry: registry, Cores: runtime.NumCPU(),
		CA: dir.CA(), Cert: dir.Certificate(front), Key: dir.Key(front), Pair: pair,
	})
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return k.argv(home, settings), err
}

// joinFiles writes the files one after the other.
func joinFiles(to string, from ...string) (string, error) {
	var all []byte
	for _, name := range from {
		part, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		all = append(all, part...)
	}
	return to, os.WriteFile(to, all, 0o600)
}

// freeAddress finds a port on loopback that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// listens reports whether somebody accepts connections.
func listens(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
