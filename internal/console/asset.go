package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// contentTypes are spelled out because the mime package asks the system's tables, which differ between machines.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// asset is one embedded file, kept gzipped.
type asset struct {
	contentType string
	hash        string // of the gzipped bytes, in hex
	packed      []byte
	unpacked    func() ([]byte, error) // made when the first client without gzip asks, then kept
}

func newAsset(name string, packed []byte) *asset {
	sum := sha256.Sum256(packed)
	return &asset{
		contentType: contentTypes[path.Ext(name)],
		hash:        hex.EncodeToString(sum[:16]),
		packed:      packed,
		unpacked:    sync.OnceValues(func() ([]byte, error) { return gunzip(packed) }),
	}
}

// serve answers a GET or HEAD. The two encodings are two representations, so each has a strong ETag of its own
// (RFC 9110, section 8.8.3.3).
func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	body, etag := a.packed, a.hash+"-gzip"
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
	} else {
		etag = a.hash
		var err error
		if body, err = a.unpacked(); err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
	}
	h.Set("ETag", strconv.Quote(etag))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func gunzip(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("open gzip: %w", err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	return body, nil
}

// acceptsGzip reads Accept-Encoding as RFC 9110, section 12.5.3 has it: gzip by name decides, then *, and a weight of
// zero refuses. Without the header the answer is no, which suits the plainest clients.
func acceptsGzip(headers []string) bool {
	any := false
	for _, header := range headers {
		for item := range strings.SplitSeq(header, ",") {
			coding, params, _ := strings.Cut(item, ";")
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				return !refused(params)
			case "*":
				any = !refused(params)
			}
		}
	}
	return any
}

// refused reports whether the parameters of an Accept-Encoding item hold a weight of zero. A malformed weight counts
// as zero: unpacked bytes are always understood.
func refused(params string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return err != nil || !(q > 0)
	}
	return false
}
