package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// The bounds of a manifest.
const (
	MaxManifestBytes     = 64 << 20
	MaxManifestDocuments = 10_000
)

const apolloManifestFormat = "apollo-persisted-query-manifest"

var errTooManyDocuments = fmt.Errorf("there are more than %d documents in it", MaxManifestDocuments)

// Manifest is the documents that an operator trusts, by their ids. It does not change and is safe for concurrent use.
type Manifest struct {
	documents map[string]string   // by canonical id, and by the SHA-256 of the text
	texts     map[string]struct{} // of all documents
}

// ReadManifest reads a manifest file in one of three formats: an object from ids to documents, as the client preset of GraphQL
// Code Generator (persisted-documents.json) and the compiler of Relay (persisted_queries.json) write it, or Apollo's manifest
// with a list of operations. The errors name the file and the entry: what is no such JSON, has no documents or too many, gives one
// id to two documents, or gives a document a SHA-256 as id that is another's, which means that the file was changed after it was
// made. Ids of other kinds are taken as they are.
func ReadManifest(path string) (*Manifest, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("manifest of trusted documents: %w", err)
	}
	defer file.Close()
	manifest, err := parseManifest(file)
	if err != nil {
		return nil, fmt.Errorf("manifest of trusted documents %s: %w", path, err)
	}
	return manifest, nil
}

// Len is the number of documents.
func (m *Manifest) Len() int { return len(m.texts) }

// document gives the text that an id stands for. A nil Manifest has none.
func (m *Manifest) document(id string) (text string, ok bool) {
	if m == nil || id == "" {
		return "", false
	}
	text, ok = m.documents[canonicalID(id)]
	return text, ok
}

// has tells whether a text is one of the documents. A nil Manifest has none.
func (m *Manifest) has(text string) bool {
	if m == nil {
		return false
	}
	_, ok := m.texts[text]
	return ok
}

// canonicalID is an id as a Manifest keeps it: a SHA-256 in lower case and without its prefix, all others as they are.
func canonicalID(id string) string {
	if hash, ok := parseSHA256(id); ok {
		return hex.EncodeToString(hash[:])
	}
	return id
}

func parseManifest(r io.Reader) (*Manifest, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxManifestBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(raw) > MaxManifestBytes:
		return nil, fmt.Errorf("the file is larger than %d bytes", MaxManifestBytes)
	case !utf8.Valid(raw):
		return nil, errors.New("the file is not in UTF-8")
	}
	entries, err := readEntries(raw)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, errors.New("there are no documents in it")
	}
	m := &Manifest{documents: make(map[string]string, 2*len(entries)), texts: make(map[string]struct{}, len(entries))}
	for _, e := range entries {
		if err := m.add(e.id, e.text); err != nil {
			return nil, fmt.Errorf("entry %s: %w", e.name, err)
		}
	}
	return m, nil
}

func (m *Manifest) add(id, text string) error {
	switch {
	case id == "":
		return errors.New("the id is empty")
	case strings.TrimSpace(text) == "":
		return errors.New("the document is empty")
	}
	id = canonicalID(id)
	sum := sha256.Sum256([]byte(text))
	if hash, ok := parseSHA256(id); ok && hash != sum {
		return fmt.Errorf("the id is the SHA-256 of another document, this one has %x", sum)
	}
	if known, ok := m.documents[id]; ok && known != text {
		return errors.New("the id stands for another document already")
	}
	m.documents[id] = text
	m.documents[hex.EncodeToString(sum[:])] = text
	m.texts[text] = struct{}{}
	return nil
}

// entry is a document of a manifest; name is how messages call it.
type entry struct{ name, id, text string }

// readEntries reads the entries of any format. It goes through the JSON by itself, because a map keeps only the last of two
// members of one name.
func readEntries(raw []byte) ([]entry, error) {
	members, err := readMembers(raw)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if m.name == "operations" && m.value[0] == '[' {
			return readOperations(members)
		}
	}
	entries := make([]entry, len(members))
	for i, m := range members {
		entries[i] = entry{name: fmt.Sprintf("%.80q", m.name), id: m.name}
		if err := json.Unmarshal(m.value, &entries[i].text); err != nil || m.value[0] != '"' {
			return nil, fmt.Errorf("entry %s: the document must be a string", entries[i].name)
		}
	}
	return entries, nil
}

type member struct {
	name  string
	value json.RawMessage
}

func readMembers(raw []byte) ([]member, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	malformed := func(err error) error {
		if err == nil || errors.Is(err, io.EOF) {
			return fmt.Errorf("want one JSON object, at byte %d", decoder.InputOffset())
		}
		return fmt.Errorf("malformed JSON at byte %d: %w", decoder.InputOffset(), err)
	}
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, malformed(err)
	}
	var members []member
	for decoder.More() {
		if len(members) == MaxManifestDocuments {
			return nil, errTooManyDocuments
		}
		name, err := decoder.Token()
		if err != nil {
			return nil, malformed(err)
		}
		var m member
		m.name, _ = name.(string) // the names of members are strings
		if err := decoder.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("entry %.80q: %w", m.name, malformed(err))
		}
		members = append(members, m)
	}
	if _, err := decoder.Token(); err != nil { // the brace that ends it
		return nil, malformed(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed(nil)
	}
	return members, nil
}

// readOperations reads Apollo's manifest out of its members.
func readOperations(members []member) ([]entry, error) {
	var format string
	var version int
	var entries []entry
	for _, m := range members {
		var err error
		switch m.name {
		case "format":
			err = json.Unmarshal(m.value, &format)
		case "version":
			err = json.Unmarshal(m.value, &version)
		case "operations":
			entries, err = readBodies(m.value)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	if format != apolloManifestFormat || version != 1 {
		return nil, fmt.Errorf("format %.80q, version %d: only %s, version 1, is known", format, version, apolloManifestFormat)
	}
	return entries, nil
}

// readBodies reads the list of operations in Apollo's manifest, which is valid JSON.
func readBodies(raw json.RawMessage) ([]entry, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if _, err := decoder.Token(); err != nil { // the bracket that opens it
		return nil, err
	}
	var entries []entry
	for decoder.More() {
		if len(entries) == MaxManifestDocuments {
			return nil, errTooManyDocuments
		}
		var op struct{ ID, Name, Body string }
		if err := decoder.Decode(&op); err != nil {
			return nil, fmt.Errorf("[%d]: %w", len(entries), err)
		}
		entries = append(entries, entry{fmt.Sprintf("operations[%d] (%.80q)", len(entries), op.Name), op.ID, op.Body})
	}
	return entries, nil
}
