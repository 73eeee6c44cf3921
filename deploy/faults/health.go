package main

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// says reports whether readiness and metric both say that the ledger is unavailable, or both that it is not.
func (h *hub) says(ctx context.Context, unavailable bool) bool {
	code, ready := h.page(ctx, "/readyz")
	value := h.metric(ctx, "lienthong_ledger_unavailable")
	if unavailable {
		return code == http.StatusServiceUnavailable && strings.Contains(ready, "the ledger cannot record") && value == "1"
	}
	return code != 0 && !strings.Contains(ready, "the ledger cannot record") && value == "0"
}

// settled reports whether the ledger says of all exchanges what became of them.
func (h *hub) settled(ctx context.Context) bool {
	return h.metric(ctx, "lienthong_ledger_missed") == "0"
}

// metric reads one value; empty if it is not there.
func (h *hub) metric(ctx context.Context, name string) string {
	_, text := h.page(ctx, "/metrics")
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(text)
	if found == nil {
		return ""
	}
	return found[1]
}

// pages keeps no connection: hubs come and go.
var pages = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// page reads a page of the hub; 0 if it cannot.
func (h *hub) page(ctx context.Context, path string) (int, string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.ready.Addresses["http"]+path, nil)
	if err != nil {
		return 0, ""
	}
	answer, err := pages.Do(req)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return 0, ""
	}
	return answer.StatusCode, string(text)
}
