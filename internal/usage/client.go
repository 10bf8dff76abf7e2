package usage

import "strings"

// The names of those who have none of their own.
const (
	Unknown = "unknown" // said nothing
	Invalid = "invalid" // said what is no name
	Other   = "other"   // came when there were MaxNames already
)

const maxName = 64 // bytes

// Caller is what is known of who sent an operation. What a client says of itself is neither checked nor trusted.
type Caller struct {
	Client, ClientVersion string // what the client calls itself; empty when it does not
	KeyID, KeyName        string // of the API key; empty without one
}

// Name is what a caller is counted as: what it calls itself, else the name of its API key, or its id where the name has other characters
// than a name here may have.
func (c Caller) Name() string {
	switch {
	case isName(c.Client) && !strings.HasPrefix(c.Client, byKey):
		return c.Client
	case c.Client != "":
		return Invalid
	case c.KeyID == "":
		return Unknown
	case isName(c.KeyName):
		return byKey + c.KeyName
	}
	return byKey + c.KeyID
}

// byKey begins the names of API keys, and no name that a client gives itself.
const byKey = "key "

// byKey says whether the caller is counted by its API key.
func (c Caller) byKey() bool { return c.Client == "" && c.KeyID != "" }

// ownVersion is what a client calls its version, empty where that is nothing of use.
func (c Caller) ownVersion() string {
	if isName(c.Client) && isName(c.ClientVersion) {
		return c.ClientVersion
	}
	return ""
}

// isName says whether a text can be the name of a client: 1 to 64 letters and digits of ASCII, spaces and ._/@:-
func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == ' ' || c == '.' || c == '_' || c == '/' || c == '@' || c == ':' || c == '-':
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxName
}
