package webhook

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestExcerpt(t *testing.T) {
	const sent = `{"email":"Ann@example.com","name":"ann","bio":"line 1\nline \"2\" <b>","tags":["holiday",{"deep":"treasure"}],"n":12345,"a":"xxabc","b":"abcdxx"}`
	for _, test := range []struct{ answer, want string }{
		{"", ""}, {"ok", "ok"},
		{"unknown: Ann@example.com!", "unknown: …!"}, {"ANN@EXAMPLE.COM twice ann@example.com", "… twice …"}, {"ann and 12345 and email", "ann and 12345 and email"},
		{`got {"bio":"line 1\nline \"2\" <b>"}`, `got {"bio":"…"}`}, {`got line 1\nline \"2\" \u003cb\u003e.`, `got ….`}, {"line 1\r\n line \"2\"  <b>", "…"},
		{"treasure of the holiday", "… of the …"}, {"xxabcdxx", "…"}, {"holidayholiday", "…"}, {"holidays", "…s"},
		{strings.Repeat("z", 2048-12) + " ann@example.com", strings.Repeat("z", 1024)},
		{strings.Repeat("ann@example.com ", 127) + "........ ann@exa" + "mple.com and more", strings.TrimSpace(strings.Repeat("… ", 127)) + " ........ …"},
	} {
		if got := excerpt(strings.NewReader(test.answer), json.RawMessage(`{}`), json.RawMessage(sent)); got != test.want {
			t.Errorf("%q: %q", test.answer, got)
		}
	}
	broken := io.MultiReader(strings.NewReader("sorry ann@exam"), iotest.ErrReader(errors.New("reset")))
	if got := excerpt(broken, json.RawMessage(sent)); got != "sorry …" {
		t.Errorf("%q", got)
	}
}

// TestExcerptRepeatsNothing: wherever a value stands in an answer, however long that is, it is not in the excerpt.
func TestExcerptRepeatsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[a-cé ]{2,3}[xX]{2}[a-cé\n"]{1,40}`).Draw(t, "value")
		text, _ := json.Marshal(map[string]string{"v": value, "w": "zz" + value})
		filler := rapid.SliceOfN(rapid.SampledFrom([]string{value, strings.ReplaceAll(value, "x", "X"), string(text), "......", "-\x00-", "é", strings.Repeat(".", 300)}), 0, 60).Draw(t, "answer")
		got := excerpt(strings.NewReader(strings.Join(filler, "-")), text)
		if len(got) > maxExcerpt || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("%q", got)
		}
		if strings.Contains(strings.ToLower(got), "xx") {
			t.Fatalf("%q of %q", got, value)
		}
	})
}

func FuzzExcerpt(f *testing.F) {
	f.Add("unknown: ann@example.com", `{"email":"ann@example.com"}`)
	f.Add("\xff\xc3", `["\ud800abcd"]`)
	f.Fuzz(func(t *testing.T, answer, sent string) {
		got := excerpt(strings.NewReader(answer), json.RawMessage(sent))
		if len(got) > maxExcerpt || !utf8.ValidString(got) {
			t.Errorf("%q", got)
		}
		for value := range values([]json.RawMessage{json.RawMessage(sent)}) {
			if strings.Contains(lower(got), value) && !strings.Contains(value, mark) {
				t.Errorf("%q has %q", got, value)
			}
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for field, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, " 5 ": 5 * time.Second, "-5": 0, "1.5": 0, "+5": 0, "soon": 0, "999999": maxRetryAfter,
		strings.Repeat("9", 30): maxRetryAfter, now.Add(time.Minute).Format(http.TimeFormat): time.Minute,
		now.Add(-time.Minute).Format(http.TimeFormat): 0, "Friday, 02-Jan-26 03:05:05 GMT": time.Minute, "Fri Jan  2 03:05:05 2026": time.Minute,
		now.AddDate(9, 0, 0).Format(http.TimeFormat): maxRetryAfter,
	} {
		if got := retryAfter(field, now); got != want {
			f.Errorf("%q: %v", field, got)
		}
		f.Add(field)
	}
	f.Fuzz(func(t *testing.T, field string) {
		if got := retryAfter(field, now); got < 0 || got > maxRetryAfter {
			t.Error(got)
		}
	})
}

// FuzzURL: what is taken leads, as net/http reads it, to a host that was looked at.
func FuzzURL(f *testing.F) {
	for _, text := range []string{"https://example.com:8443/a?b=c", "https://[::ffff:127.0.0.1]/", "http://0x7f.1", "https://a@b#c", "https://127.0.0.1.", "https://%6c/"} {
		f.Add(text)
	}
	strict := NewTargets(TargetOptions{})
	f.Fuzz(func(t *testing.T, text string) {
		u, refusal := strict.check(text)
		if refusal != nil {
			return
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Host != u.Host || u.Scheme != "https" || u.User != nil || u.Fragment != "" || u.Hostname() == "" || len(text) > maxURL {
			t.Errorf("%q: %+v", text, u)
		}
	})
}
