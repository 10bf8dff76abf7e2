package wire

import (
	"encoding/json"
	"strconv"
)

// PersistedRequest is how a request names its document. The zero value names none.
type PersistedRequest struct {
	DocumentID  string // the members documentId, doc_id or id: the first that is given
	Hash        string // extensions.persistedQuery.sha256Hash; clients of trusted documents put other ids there as well
	HashVersion int    // extensions.persistedQuery.version; anything but 1 is not supported
}

// Named tells whether the request names a document, so that it needs no query.
func (r PersistedRequest) Named() bool { return r.DocumentID != "" || r.Hash != "" }

// readPersisted finds the names of the document in the members of a request and in its decoded extensions. Empty names and
// null are not given. Only a string counts as id, because members of that name serve other ends too.
func readPersisted(m members, extensions map[string]any) (PersistedRequest, *refusal) {
	var named PersistedRequest
	for _, member := range []string{"documentId", "doc_id", "id"} {
		id, err := decodeString(m[member])
		if err != nil && member != "id" {
			return named, badRequest(member + " must be a string")
		}
		if named.DocumentID == "" {
			named.DocumentID = id
		}
	}
	given, has := extensions["persistedQuery"]
	if !has || given == nil {
		return named, nil
	}
	extension, ok := given.(map[string]any)
	if !ok {
		return named, badRequest("extensions.persistedQuery must be an object")
	}
	if named.HashVersion = wholeNumber(extension["version"]); named.HashVersion != persistedVersion {
		return named, notSupported()
	}
	if named.Hash, _ = extension["sha256Hash"].(string); named.Hash == "" {
		return named, badRequest("extensions.persistedQuery.sha256Hash must be a string")
	}
	return named, nil
}

// wholeNumber reads a number of decoded JSON, however it was decoded; what is none is 0.
func wholeNumber(value any) int {
	switch value := value.(type) {
	case json.Number:
		n, _ := strconv.Atoi(value.String())
		return n
	case float64:
		if n := int(value); float64(n) == value {
			return n
		}
	}
	return 0
}
