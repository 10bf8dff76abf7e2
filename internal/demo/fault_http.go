package demo

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// faultDocument is a Fault as /faults reads and answers it. Times are milliseconds, Retry-After is seconds.
type faultDocument struct {
	Active     bool      `json:"active"`
	LatencyMs  int64     `json:"latencyMs"`
	ErrorRate  float64   `json:"errorRate"`
	Status     int       `json:"status"`
	RetryAfter int64     `json:"retryAfter"`
	Hang       bool      `json:"hang"`
	Down       bool      `json:"down"`
	Body       BodyFault `json:"body"`
	ForMs      int64     `json:"forMs"`
}

// serveFaults turns the switch over HTTP. It works whatever fault is set, except while the service is down: so a
// fault with down has to lift itself.
func (s *service) serveFaults(w http.ResponseWriter, r *http.Request) {
	defer s.api.survive(w, r)
	var err error
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s.answerFaults(w)
		return
	case http.MethodPut:
		err = s.putFaults(w, r)
	case http.MethodDelete:
		if err = s.faults.Clear(); err == nil {
			w.WriteHeader(http.StatusNoContent)
		}
	default:
		err = methodNotAllowed(http.MethodGet, http.MethodPut, http.MethodDelete)
	}
	if err != nil {
		s.api.problem(r.Context(), r, err).write(w)
	}
}

func (s *service) answerFaults(w http.ResponseWriter) {
	f, active := s.faults.Get()
	writeFault(w, f, active)
}

func writeFault(w http.ResponseWriter, f Fault, active bool) {
	b, err := json.Marshal(faultDocument{
		Active: active, LatencyMs: f.Latency.Milliseconds(), ErrorRate: f.ErrorRate, Status: f.Status,
		RetryAfter: int64(f.RetryAfter / time.Second), Hang: f.Hang, Down: f.Down, Body: f.Body, ForMs: f.For.Milliseconds(),
	})
	if err != nil {
		internal().write(w)
		return
	}
	w.Header()["Content-Type"] = jsonType
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b) // the client has gone
}

func (s *service) putFaults(w http.ResponseWriter, r *http.Request) error {
	raw, err := readBody(w, r, jsonBody)
	if err != nil {
		return err
	}
	o, err := decodeObject(raw)
	if err != nil {
		return err
	}
	f, err := readFault(o)
	if err != nil {
		return err
	}
	if !f.Down {
		if err := s.faults.Set(f); err != nil {
			return err
		}
		s.answerFaults(w)
		return nil
	}
	// Going down breaks this very connection: answer first.
	w.Header().Set("Connection", "close")
	writeFault(w, f, true)
	http.NewResponseController(w).Flush() // the client has gone
	return s.faults.Set(f)
}

// readFault reads a fault and names what is wrong with it.
func readFault(o object) (Fault, error) {
	var d faultDocument
	c := checker{object: o}
	c.only("active", "latencyMs", "errorRate", "status", "retryAfter", "hang", "down", "body", "forMs")
	for name, target := range map[string]any{
		"latencyMs": &d.LatencyMs, "errorRate": &d.ErrorRate, "status": &d.Status, "retryAfter": &d.RetryAfter,
		"hang": &d.Hang, "down": &d.Down, "body": &d.Body, "forMs": &d.ForMs,
	} {
		if c.has(name) && json.Unmarshal(o[name], target) != nil {
			c.fail(name, "INVALID", "has the wrong type")
		}
	}
	const most = int64(maxFaultTime / time.Millisecond)
	for name, n := range map[string]int64{"latencyMs": d.LatencyMs, "retryAfter": d.RetryAfter, "forMs": d.ForMs} {
		if n < 0 || n > most {
			c.fail(name, "INVALID", "is out of range")
		}
	}
	if d.Down && d.ForMs <= 0 {
		c.fail("forMs", "REQUIRED", "a service that is down cannot be reached to lift it")
	}
	if err := c.err(); err != nil {
		return Fault{}, err
	}
	f := Fault{
		Latency: time.Duration(d.LatencyMs) * time.Millisecond, ErrorRate: d.ErrorRate, Status: d.Status,
		RetryAfter: time.Duration(d.RetryAfter) * time.Second, Hang: d.Hang, Down: d.Down, Body: d.Body,
		For: time.Duration(d.ForMs) * time.Millisecond,
	}
	if err := f.check(); err != nil {
		return Fault{}, invalid(fieldError{field: "fault", code: "INVALID", message: err.Error()})
	}
	return f, nil
}
