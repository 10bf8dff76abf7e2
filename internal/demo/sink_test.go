package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// envelope is an event as it arrives.
type envelope struct {
	SpecVersion, ID, Source, Type, Subject, DataContentType, Actor, Sequence string
	Time                                                                     time.Time
	Version                                                                  int64
	Data                                                                     json.RawMessage
}

// sink receives events and keeps the contract of POST /events: signatures, order, all of a batch or nothing.
type sink struct {
	testing.TB
	address string
	stop    func()
	hooks   map[string]*webhooks.Webhook
	handler atomic.Pointer[http.HandlerFunc] // answers instead, if set

	mu     sync.Mutex
	log    []envelope
	state  *sinkState // of log; nil to be made
	posts  []arrival
	refuse func(source string, batch []envelope) (status int, problem string) // 0 for no refusal
}

// arrival is one request.
type arrival struct {
	at     time.Time
	source string
	events int
}

// sinkSecrets are the keys that the services sign with.
func sinkSecrets() map[string][]byte {
	secrets := map[string][]byte{}
	for _, s := range Services() {
		secrets[s] = []byte(strings.Repeat(s, 10)[:30])
	}
	return secrets
}

func newSink(t testing.TB) *sink {
	s := &sink{TB: t, address: "127.0.0.1:0", hooks: map[string]*webhooks.Webhook{}}
	for service, secret := range sinkSecrets() {
		hook, err := webhooks.NewWebhookRaw(secret)
		if err != nil {
			t.Fatal(err)
		}
		s.hooks[service] = hook
	}
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

// start serves, at the address of before if there was one.
func (s *sink) start() {
	listener, err := net.Listen("tcp", s.address)
	for try := 0; err != nil && try < 100; try++ {
		time.Sleep(10 * time.Millisecond) // the port of before is not free yet
		listener, err = net.Listen("tcp", s.address)
	}
	if err != nil {
		s.Fatal(err)
	}
	s.address = listener.Addr().String()
	server := &http.Server{Handler: s}
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(listener)
	}()
	s.stop = sync.OnceFunc(func() {
		server.Close()
		<-served
	})
}

// events is the option that leads here, with a short beat.
func (s *sink) events(change ...func(*pace)) func(*Options) {
	p := pace{beat: 30 * time.Millisecond, rest: time.Millisecond, longestRest: 20 * time.Millisecond, retry: 50 * time.Millisecond}
	for _, f := range change {
		f(&p)
	}
	return func(o *Options) {
		o.Events = &EventSink{URL: "http://" + s.address + "/events", Secrets: sinkSecrets(), pace: p}
		o.Now = time.Now
	}
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := s.handler.Load(); h != nil {
		(*h)(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // broken off
	}
	source := r.Header.Get("Tributary-Source")
	if hook := s.hooks[source]; hook == nil || hook.Verify(body, r.Header) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var batch []envelope
	if err := json.Unmarshal(body, &batch); err != nil || len(batch) > 500 || len(body) > 512<<10 ||
		r.Header.Get("Content-Type") != "application/cloudevents-batch+json" || r.URL.Path != "/events" {
		s.Errorf("not a batch: %v, %d events, %d bytes", err, len(batch), len(body))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts = append(s.posts, arrival{time.Now(), source, len(batch)})
	status, answer := s.take(source, batch)
	w.WriteHeader(status)
	io.WriteString(w, answer)
}

// take needs the lock.
func (s *sink) take(source string, batch []envelope) (status int, answer string) {
	if s.refuse != nil {
		if status, answer := s.refuse(source, batch); status != 0 {
			return status, answer
		}
	}
	if s.state == nil {
		s.state = &sinkState{versions: map[string]int64{}, known: map[string]bool{}, sequences: map[string]int64{}}
		for _, e := range s.log {
			s.state.add(e)
		}
	}
	sequence := s.state.sequences["/"+source]
	versions, known := map[string]int64{}, map[string]bool{} // of this batch
	var added []envelope
	for i, e := range batch {
		if e.SpecVersion != "1.0" || e.Source != "/"+source || e.DataContentType != "application/json" || e.Time.Year() < 1970 {
			s.Errorf("not an envelope: %+v", e)
		}
		number, _ := strconv.ParseInt(e.Sequence, 10, 64)
		sequence = max(sequence, number)
		version, snapshot := max(versions[e.Subject], s.state.versions[e.Subject]), strings.HasSuffix(e.Type, ".snapshot")
		switch {
		case known[e.ID], s.state.known[e.Source+e.ID], snapshot && version > 0 && e.Version <= version:
			continue
		case !(snapshot && version == 0) && (snapshot || e.Version != version+1):
			return http.StatusConflict, fmt.Sprintf(`{"index":%d,"expected":%d}`, i, version+1)
		}
		versions[e.Subject], known[e.ID] = e.Version, true
		added = append(added, e)
	}
	for _, e := range added {
		s.state.add(e)
	}
	s.log = append(s.log, added...)
	return http.StatusOK, fmt.Sprintf(`{"sequence":"%d"}`, sequence)
}

// sinkState is what a log comes to.
type sinkState struct {
	versions  map[string]int64 // by subject
	known     map[string]bool  // source and id
	sequences map[string]int64 // by source
}

func (s *sinkState) add(e envelope) {
	number, _ := strconv.ParseInt(e.Sequence, 10, 64)
	s.versions[e.Subject], s.known[e.Source+e.ID] = e.Version, true
	s.sequences[e.Source] = max(s.sequences[e.Source], number)
}

// set changes what the sink does or has.
func (s *sink) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = nil
	change()
}

// told lists type and version of what was taken of a subject.
func (s *sink) told(subject string) (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.log {
		if e.Subject == subject {
			lines = append(lines, fmt.Sprint(e.Type, " ", e.Version))
		}
	}
	return lines
}

// await waits until a subject was told to an end.
func (s *sink) await(subject string, want ...string) {
	s.Helper()
	s.until(fmt.Sprint(subject, " is told as ", want), func() bool { return slices.Equal(s.told(subject), want) }, func() any { return s.told(subject) })
}

// until waits for something that another goroutine brings about.
func (s *sink) until(what string, reached func() bool, got func() any) {
	s.Helper()
	for end := time.Now().Add(3 * time.Minute); !reached(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("never: %s; it is %v", what, got())
		}
	}
}

// awaitOutbox waits until the sink has every row of an outbox, each once and in order for every subject.
func (s *sink) awaitOutbox(l *lab, service string) {
	s.Helper()
	rows := l.rows(service, "SELECT id, subject, version FROM outbox ORDER BY subject, version")
	inOutbox := map[string]bool{}
	for _, row := range rows {
		inOutbox[strings.Fields(row)[0]] = true
	}
	ids := func() (got []string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		var taken []envelope
		for _, e := range s.log {
			if e.Source == "/"+service && inOutbox[e.ID] {
				taken = append(taken, e)
			}
		}
		slices.SortStableFunc(taken, func(a, b envelope) int { return strings.Compare(a.Subject, b.Subject) })
		for _, e := range taken {
			got = append(got, fmt.Sprint(e.ID, " ", e.Subject, " ", e.Version))
		}
		return got
	}
	s.until(service+"'s outbox has arrived", func() bool { return slices.Equal(ids(), rows) }, func() any { return fmt.Sprint(len(ids()), " of ", len(rows)) })
}
