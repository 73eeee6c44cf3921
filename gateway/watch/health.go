package watch

import (
	"encoding/json"
	"net/http"
	"time"
)

// Health says whether a process lives, and whether it can do its work, with reasons.
type Health struct {
	// Reasons says why the process cannot do its work now; empty when it can. It must not block.
	Reasons func() []string
}

// readiness is what /readyz answers.
type readiness struct {
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons,omitempty"`
}

// Routes puts /healthz, /readyz and /metrics on a mux.
func Routes(mux *http.ServeMux, h Health, m *Metrics) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		answer := readiness{Reasons: h.Reasons()}
		answer.Ready = len(answer.Reasons) == 0
		status := http.StatusOK
		if !answer.Ready {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, answer)
	})
	mux.Handle("GET /metrics", m.Handler())
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the reader went away: nobody to tell
}

// NewServer returns an HTTP server with bounds on what a slow or large client may take.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
}
