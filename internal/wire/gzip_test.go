package wire_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tributary/internal/operation"
)

// unpacked reads a packed answer.
func unpacked(t *testing.T, r reply) string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader([]byte(r.text)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestAnswersArePacked(t *testing.T) {
	s := newSite(t)
	long := `{"echo":"` + strings.Repeat("x", 5000) + `"}`
	s.executor = answers(operation.Result{Data: []byte(long)})
	whole := s.post(t, query, "Accept-Encoding: identity").text
	for accept, packed := range map[string]bool{
		"gzip": true, "GZIP": true, "x-gzip": true, "gzip;q=0.001": true, "deflate, gzip, br": true, "gzip;q=1.0, identity;q=0.5": true, "*": true, "gzip;q=0.5, identity;q=0.5": true,
		"identity;q=0, gzip;q=0.1": true, "*;q=0.5, identity;q=0.4": true, "gzip;q=0, x-gzip": true, "br;q=1, *;q=0.1": true, "gzip;q=0.5, *;q=0.5": true,
		"": false, "identity": false, "gzip;q=0": false, "gzip;q=0.0": false, "*;q=0": false, "identity;q=0": false, "gzip;q=0, identity;q=0": false, "gzip;q=0, *": false,
		"gzip;q=0.5, identity": false, "gzip;q=0.5, *;q=0.6": false, "br": false, "gzipped": false, "gzip;q=2": false, "gzip;q=x": false, "identity, *;q=0.5": false, ";;": false,
	} {
		for _, method := range []string{http.MethodPost, http.MethodHead} {
			r := s.send(t, method, "/graphql?query=%7Becho%7D", map[string]string{http.MethodPost: query}[method], "Content-Type: application/json", "Accept-Encoding: "+accept)
			if (r.header.Get("Content-Encoding") == "gzip") != packed || !strings.Contains(r.header.Get("Vary"), "Accept-Encoding") {
				t.Errorf("%s %q: header %v", method, accept, r.header)
				continue
			}
			if method == http.MethodHead {
				if length, _ := strconv.Atoi(r.header.Get("Content-Length")); r.text != "" || (length < len(whole)) != packed {
					t.Errorf("HEAD %q: length %d", accept, length)
				}
				continue
			}
			text := r.text
			if packed {
				text = unpacked(t, r)
			}
			if text != whole || r.header.Get("Content-Length") != strconv.Itoa(len(r.text)) {
				t.Errorf("%q: %d bytes, header %v", accept, len(text), r.header)
			}
		}
	}
}

func TestShortAnswersAreNotPacked(t *testing.T) {
	s := newSite(t)
	const around = `{"data":"","extensions":{"cost":{"requested":0,"actual":0}}}`
	for length, packed := range map[int]bool{1023: false, 1024: true} {
		s.executor = answers(operation.Result{Data: []byte(`"` + strings.Repeat("x", length-len(around)) + `"`)})
		if r := s.post(t, query, "Accept-Encoding: gzip"); (r.header.Get("Content-Encoding") == "gzip") != packed {
			t.Errorf("%d bytes: %v", length, r.header)
		}
	}
}

// TestPackersAreShared holds that answers packed at the same time do not mix.
func TestPackersAreShared(t *testing.T) {
	s := newSite(t)
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			for n := range 5 {
				text := strings.Repeat(fmt.Sprintf("%d-%d ", client, n), 300)
				r := s.post(t, fmt.Sprintf(`{"query":"query($text: String) { echo(text: $text) }","variables":{"text":%q}}`, text), "Accept-Encoding: gzip")
				if got := unpacked(t, r); !strings.Contains(got, text) {
					t.Errorf("another's answer: %.100s", got)
				}
			}
		})
	}
	clients.Wait()
}
