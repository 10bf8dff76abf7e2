package rest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// send answers with a body. One that is whole has a tag, and nothing but that goes to a caller who has it already; one that is short of
// something is not worth keeping.
func (a *read) send(made body, short bool) error {
	raw, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	raw = append(raw, '\n')
	header := a.w.Header()
	if !short {
		sum := sha256.Sum256(raw)
		tag := `"` + hex.EncodeToString(sum[:16]) + `"`
		header.Set("Cache-Control", "private, no-cache") // answers depend on who asks
		header.Set("ETag", tag)
		if matches(a.r.Header["If-None-Match"], tag) {
			a.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	header.Set("Content-Type", mediaJSON)
	header.Set("Content-Length", strconv.Itoa(len(raw)))
	a.w.WriteHeader(http.StatusOK)
	_, _ = a.w.Write(raw) // the caller has gone: nobody is left to tell
	return nil
}

// matches compares weakly, as RFC 9110, section 13.1.2, has If-None-Match. Our tags have no commas.
func matches(given []string, tag string) bool {
	for candidate := range strings.SplitSeq(strings.Join(given, ","), ",") {
		if candidate = strings.TrimSpace(candidate); candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}
