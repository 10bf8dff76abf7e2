package event

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// Ingest is the way in: POST /events takes a service's events, signed as Standard Webhooks has it, as one CloudEvents envelope or
// a batch of them, and keeps the batch or none of it. It checks the signature, then the form, and leaves to the log what is known
// and which version is next. The answer {"sequence":"17"} names the last sequence of the source that is kept; every refusal is a
// problem document (RFC 9457) that repeats nothing of the body.
//
// The zero value of a field other than Log stands for its default. An Ingest is not changed once it serves, and then safe for
// concurrent use.
type Ingest struct {
	Log       Log
	Secrets   map[string][][]byte // by source: one, or several while they are rotated; a source without is refused
	Tolerance time.Duration       // by which a signature's time may differ from now, both ways; default 5 minutes
	MaxBatch  int                 // events; default 500
	MaxBytes  int64               // of a body; default 1 MiB
	Timeout   time.Duration       // that the log has; default 10 s
	Now       func() time.Time    // default time.Now
	Logger    *slog.Logger        // default: none
	Observer  IngestObserver
}

// IngestObserver is told what came in. Its function may be nil; it is called concurrently and must not block.
type IngestObserver struct {
	// Received tells of a delivery: its source, "unknown" unless it has a secret, its outcome ("kept", "heartbeat", or the code of
	// the refusal in lower case), and how many events it had, known before or not; 0 when it was refused.
	Received func(source, outcome string, events int)
}

// ServeHTTP answers one delivery.
func (in *Ingest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	source := r.Header.Get(HeaderSource)
	batch, err := in.accept(w, r, source)
	var sequence int64
	if err == nil {
		sequence, err = in.keep(r.Context(), source, batch)
	}
	in.observe(source, len(batch), err)
	if err != nil {
		err.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write([]byte(`{"sequence":"` + strconv.FormatInt(sequence, 10) + `"}` + "\n")) // else the sender asks again
}

// accept reads and checks a delivery up to what only the log can tell.
func (in *Ingest) accept(w http.ResponseWriter, r *http.Request, source string) ([]Event, *refusal) {
	if r.Method != http.MethodPost {
		return nil, &refusal{status: http.StatusMethodNotAllowed, code: "METHOD_NOT_ALLOWED", detail: "events are sent by POST", index: none}
	}
	body, err := in.authenticate(w, r, source)
	if err != nil {
		return nil, err
	}
	single, err := form(r.Header)
	if err != nil {
		return nil, err
	}
	return decode(body, single, source, orStandard(in.MaxBatch, 500))
}

// authenticate reads the body and returns it if the source signed it. What can be told without the body is told first: a stranger
// does not make us read much.
func (in *Ingest) authenticate(w http.ResponseWriter, r *http.Request, source string) ([]byte, *refusal) {
	secrets := in.Secrets[source]
	id, timestamp := r.Header.Get(HeaderID), r.Header.Get(HeaderTimestamp)
	if len(secrets) == 0 || id == "" || r.Header.Get(HeaderSignature) == "" || !in.recent(timestamp) {
		return nil, unsigned()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, orStandard(in.MaxBytes, 1<<20)))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, tooLarge("the body is too large: send the events in smaller batches")
	}
	if err != nil {
		return nil, malformed(none, "the body did not arrive whole")
	}
	if !signed(secrets, r.Header.Get(HeaderSignature), id, timestamp, body) {
		return nil, unsigned()
	}
	return body, nil
}

// recent says whether a signature's time is about now.
func (in *Ingest) recent(timestamp string) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	now := time.Now
	if in.Now != nil {
		now = in.Now
	}
	return err == nil && now().Sub(time.Unix(seconds, 0)).Abs() <= orStandard(in.Tolerance, 5*time.Minute)
}

// keep appends a batch.
func (in *Ingest) keep(ctx context.Context, source string, batch []Event) (int64, *refusal) {
	ctx, cancel := context.WithTimeout(ctx, orStandard(in.Timeout, 10*time.Second))
	defer cancel()
	sequence, err := in.Log.Append(ctx, source, batch)
	if gap, ok := errors.AsType[*GapError](err); ok {
		return 0, &refusal{status: http.StatusConflict, code: "GAP", index: gap.Index, expected: gap.Expected,
			detail: "the event does not follow the last one of its subject that is kept"}
	}
	if err != nil {
		if in.Logger != nil {
			in.Logger.WarnContext(ctx, "events were not kept", "source", source, "events", len(batch), "error", err)
		}
		return 0, &refusal{status: http.StatusServiceUnavailable, code: "UNAVAILABLE", detail: "send the same events again later", index: none}
	}
	return sequence, nil
}

func (in *Ingest) observe(source string, events int, err *refusal) {
	if in.Observer.Received == nil {
		return
	}
	if len(in.Secrets[source]) == 0 {
		source = "unknown"
	}
	switch {
	case err != nil:
		in.Observer.Received(source, err.outcome(), 0)
	case events == 0:
		in.Observer.Received(source, "heartbeat", 0)
	default:
		in.Observer.Received(source, "kept", events)
	}
}

// orStandard is value, or the standard one where none is set.
func orStandard[T int | int64 | time.Duration](value, standard T) T {
	if value <= 0 {
		return standard
	}
	return value
}
