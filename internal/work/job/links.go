package job

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"tributary/internal/work"
)

// Links makes the addresses at which exports are fetched: signed, for a time, and good for one export. Whoever has one may fetch it.
// It is safe for concurrent use.
type Links struct {
	Exports *Exports
	Key     []byte           // signs; the same on all replicas
	BaseURL string           // where callers reach the server, without a slash at the end
	Keep    time.Duration    // how long an export can be fetched after it was made
	Now     func() time.Time // nil: time.Now
}

// linkTime is how long a link is good at most; a new one can be asked for while the export is kept.
const linkTime = time.Hour

// URL is where an export can be fetched, and until when; empty unless it is completed and still kept, as the owner's latest one is.
func (l *Links) URL(r work.Record) (link string, expires time.Time) {
	now, end := l.now(), r.EndedAt.Add(l.Keep)
	if r.Name != exportName || r.State != work.Completed || !now.Before(end) {
		return "", time.Time{}
	}
	if _, err := os.Stat(l.Exports.archive(r)); errors.Is(err, os.ErrNotExist) {
		return "", time.Time{}
	}
	expires = now.Add(linkTime).Truncate(time.Second)
	if end.Before(expires) {
		expires = end.Truncate(time.Second)
	}
	seconds := strconv.FormatInt(expires.Unix(), 10)
	query := url.Values{"expires": {seconds}, "signature": {l.sign(r.ID, seconds)}}
	return strings.TrimSuffix(l.BaseURL, "/") + "/exports/" + r.ID + ".zip?" + query.Encode(), expires.UTC()
}

// sign is the signature of an export's id and the time until which the link is good, in Unix seconds.
func (l *Links) sign(id, expires string) string {
	mac := hmac.New(sha256.New, l.Key)
	mac.Write([]byte("tributary export\x00" + id + "\x00" + expires))
	return hex.EncodeToString(mac.Sum(nil))
}

func (l *Links) now() time.Time {
	if l.Now == nil {
		return time.Now()
	}
	return l.Now()
}

// ServeHTTP answers GET and HEAD of /exports/{id}.zip: 403 for a signature that is not ours, 410 once the link has expired, 404 for an
// export that is kept no longer. It must be mounted with the path whole.
func (l *Links) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "an export can only be fetched")
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/exports/")
	id, zipped := strings.CutSuffix(name, ".zip")
	if !ok || !zipped || !plainID(id) {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "there is no such export")
		return
	}
	query := r.URL.Query()
	expires := query.Get("expires")
	if !hmac.Equal([]byte(query.Get("signature")), []byte(l.sign(id, expires))) {
		refuse(w, http.StatusForbidden, "FORBIDDEN", "the link is not valid")
		return
	}
	if until, err := strconv.ParseInt(expires, 10, 64); err != nil || l.now().Unix() >= until {
		refuse(w, http.StatusGone, "EXPIRED", "the link has expired; ask for a new one")
		return
	}
	l.serve(w, r, id)
}

// serve sends an archive, or a range of it.
func (l *Links) serve(w http.ResponseWriter, r *http.Request, id string) {
	path, err := l.Exports.find(id)
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			refuse(w, http.StatusNotFound, "NOT_FOUND", "the export is kept no longer")
		} else {
			refuse(w, http.StatusServiceUnavailable, "UNAVAILABLE", "the export cannot be read")
		}
		return
	}
	defer f.Close() // it was only read
	info, err := f.Stat()
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, "UNAVAILABLE", "the export cannot be read")
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="export-`+id+`.zip"`)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.ServeContent(w, r, "", info.ModTime(), f)
}

// plainID says whether an id can be one of the engine's: nothing that means something in a path or a pattern.
func plainID(id string) bool {
	return len(id) > 0 && len(id) <= 64 && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// refuse answers with a problem document (RFC 9457).
func refuse(w http.ResponseWriter, status int, code, detail string) {
	body, _ := json.Marshal(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "code": code, "detail": detail})
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	w.Write(body) // the client has gone
}
