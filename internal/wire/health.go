package wire

import "net/http"

// Healthy says that the process answers at all.
func Healthy() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeStatus(w, http.StatusOK, "ok") })
}

// Ready says whether new requests are welcome: until draining is closed. A failing service does not change that, since the
// graph answers without it.
func Ready(draining <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-draining:
			writeStatus(w, http.StatusServiceUnavailable, "draining")
		default:
			writeStatus(w, http.StatusOK, "ready")
		}
	})
}

func writeStatus(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", mediaJSON)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"status":"` + text + `"}` + "\n"))
}
