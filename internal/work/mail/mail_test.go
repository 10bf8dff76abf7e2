package mail_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/internal/event"
	"tributary/internal/work/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const from = "Tributary <no-reply@example.org>"

func noon() time.Time { return time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC) }

// read is a mail as a mail program reads it.
func read(t *testing.T, raw string) (header netmail.Header, text string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, strings.ReplaceAll(string(body), "\r\n", "\n")
}

func files(t *testing.T, dir string) (raw []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		info, infoErr := entry.Info()
		if err != nil || infoErr != nil || info.Mode().Perm() != 0o600 || filepath.Ext(entry.Name()) != ".eml" {
			t.Fatalf("%s %v %v", entry.Name(), err, infoErr)
		}
		raw = append(raw, string(content))
	}
	return raw
}

func newFiles(t *testing.T) (f *mail.Files, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "mail")
	f, err := mail.NewFiles(dir, from, noon)
	if err != nil {
		t.Fatal(err)
	}
	return f, dir
}

func TestFilesAreMails(t *testing.T) {
	f, dir := newFiles(t)
	text := "Grüße,\n.\nFrom here = there\n" + strings.Repeat("long ", 300) + "\n"
	m := mail.Message{To: "ann@example.org", Subject: "Schöne Grüße", Text: text, ID: "user/../1"}
	for range 2 { // a repetition is one file
		if err := f.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	raw := files(t, dir)
	if len(raw) != 1 {
		t.Fatalf("%d files", len(raw))
	}
	header, got := read(t, raw[0])
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if err != nil || subject != m.Subject || got != text || header.Get("To") != "<ann@example.org>" || header.Get("Date") != "Wed, 01 May 2024 12:00:00 +0000" {
		t.Errorf("%v %q %q", header, subject, got)
	}
	if id := header.Get("Message-Id"); !strings.HasSuffix(id, "@example.org>") || strings.Contains(id, "/") {
		t.Error(id)
	}
}

func TestMailsThatAreRefused(t *testing.T) {
	f, dir := newFiles(t)
	good := mail.Message{To: "ann@example.org", Subject: "S", Text: "T", ID: "1"}
	for name, change := range map[string]func(*mail.Message){
		"no recipient":   func(m *mail.Message) { m.To = "" },
		"two recipients": func(m *mail.Message) { m.To = "a@example.org, b@example.org" },
		"with a name":    func(m *mail.Message) { m.To = "Ann <ann@example.org>" },
		"header in to":   func(m *mail.Message) { m.To = "ann@example.org\r\nBcc: eve@example.org" },
		"header":         func(m *mail.Message) { m.Subject = "S\r\nBcc: eve@example.org" },
		"long subject":   func(m *mail.Message) { m.Subject = strings.Repeat("S", 201) },
		"long text":      func(m *mail.Message) { m.Text = strings.Repeat("T", 64<<10+1) },
		"no id":          func(m *mail.Message) { m.ID = "" },
	} {
		m := good
		change(&m)
		if err := f.Send(t.Context(), m); !errors.Is(err, mail.ErrMessage) || strings.Contains(err.Error(), "example.org") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left := files(t, dir); len(left) > 0 {
		t.Errorf("%q", left)
	}
}

func FuzzMailsHaveTheHeadersTheyAreGiven(f *testing.F) {
	f.Add("ann@example.org", "Hello", "Text")
	f.Add("\"a b\"@example.org", "=?utf-8?q?x?=", "\r\n.\r\n")
	f.Add("ann@example.org", "ä\u2028b", "\x00\xff")
	dir := f.TempDir()
	sink, err := mail.NewFiles(dir, from, noon)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, to, subject, text string) {
		if err := sink.Send(t.Context(), mail.Message{To: to, Subject: subject, Text: text, ID: "1"}); err != nil {
			if !errors.Is(err, mail.ErrMessage) {
				t.Fatal(err)
			}
			return
		}
		header, _ := read(t, files(t, dir)[0])
		if len(header) != 9 {
			t.Errorf("%v of %q %q", header, to, subject)
		}
		for name, values := range header {
			if len(values) != 1 {
				t.Errorf("%s: %q", name, values)
			}
		}
	})
}

func TestWelcome(t *testing.T) {
	var sent []mail.Message
	failure := errors.New("later")
	welcome, err := mail.Welcome(func(_ context.Context, m mail.Message) error {
		sent = append(sent, m)
		return failure
	})
	if err != nil {
		t.Fatal(err)
	}
	data := func(v any) json.RawMessage { raw, _ := json.Marshal(v); return raw }
	for name, e := range map[string]event.Event{
		"another event": {Type: "user.updated", Data: data(map[string]string{"email": "ann@example.org"})},
		"no address":    {Type: "user.created", Data: data(map[string]any{"email": nil, "name": "Ann"})},
		"redacted":      {Type: "user.created"},
	} {
		if err := welcome(t.Context(), e); err != nil || len(sent) > 0 {
			t.Errorf("%s: %v %v", name, err, sent)
		}
	}
	e := event.Event{Type: "user.created", ID: "7", Source: "user", Data: data(map[string]string{"handle": "ann", "name": "Ann\r\nBcc: eve@example.org", "email": "ann@example.org"})}
	if err := welcome(t.Context(), e); !errors.Is(err, failure) {
		t.Error(err)
	}
	want := mail.Message{To: "ann@example.org", Subject: "Welcome, Ann Bcc: eve@example.org", ID: "user/7"}
	if len(sent) != 1 || !strings.Contains(sent[0].Text, "@ann is ready") {
		t.Fatalf("%+v", sent)
	}
	if want.Text = sent[0].Text; sent[0] != want {
		t.Errorf("%+v", sent[0])
	}
	e.Data = data(map[string]string{"handle": "ann", "name": strings.Repeat("ä", 300), "email": "ann@example.org"})
	if err := welcome(t.Context(), e); !errors.Is(err, failure) || len([]rune(sent[1].Subject)) != 200 {
		t.Errorf("%v %q", err, sent[1].Subject)
	}
	if err := welcome(t.Context(), event.Event{Type: "user.created", Data: json.RawMessage("7")}); !errors.Is(err, mail.ErrMessage) {
		t.Error(err)
	}
}

// TestMailToAPersonIsErased has one person's mail erased, with what a crash left of one that was being written.
func TestMailToAPersonIsErased(t *testing.T) {
	f, dir := newFiles(t)
	for i, person := range []string{"ann", "ann", "ann/..", ""} {
		m := mail.Message{To: "ann@example.org", Subject: "S", Text: person, ID: strconv.Itoa(i), Person: person}
		if err := f.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil || len(whole) != 4 {
		t.Fatal(whole, err)
	}
	for _, name := range whole { // whosever it is
		if err := os.WriteFile(name+".123", []byte("To: "), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := f.Erase("ann"); err != nil {
			t.Fatal(err)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 4 {
			t.Errorf("%v is left, %v", left, err)
		}
	}
}
