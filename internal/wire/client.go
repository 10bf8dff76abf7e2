package wire

import (
	"net/http"
	"strings"
)

// clientFields are the header fields, as net/http writes them, by which a client names itself and its version: those that Apollo's clients
// send, and the same without Apollo.
var clientFields = [...]struct{ name, version string }{
	{"Apollographql-Client-Name", "Apollographql-Client-Version"},
	{"Graphql-Client-Name", "Graphql-Client-Version"},
}

// Client is what a client calls itself and its version, as it was sent up to maxClient bytes; empty when it does not.
func Client(header http.Header) (name, version string) {
	for _, field := range clientFields {
		if values := header[field.name]; len(values) > 0 {
			return short(values[0]), short(header.Get(field.version))
		}
	}
	return "", ""
}

// maxClient is longer than any name that is one; a connection keeps what Client gave for as long as it lives.
const maxClient = 128

func short(s string) string {
	if len(s) > maxClient {
		return strings.Clone(s[:maxClient])
	}
	return s
}

// namesClient says whether a header field is one of those that Client reads.
func namesClient(field string) bool {
	for _, each := range clientFields {
		if field == each.name || field == each.version {
			return true
		}
	}
	return false
}
