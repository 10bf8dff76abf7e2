package limit

import "encoding/hex"

// Writer names a caller whose writes replicas tell each other of. The zero Writer is nobody. Like a Key it holds a digest in
// place of the identity.
type Writer struct {
	identity [16]byte
	kind     Kind
	known    bool
}

// WriterOf is the user or, without one, the API key. Who has only an address is nobody: others may share it.
func WriterOf(who Caller) Writer {
	ids, has := digester{}.identities(&Caller{UserID: who.UserID, KeyID: who.KeyID})
	return writerOf(&ids, &has)
}

func writerOf(ids *[kinds][16]byte, has *[kinds]bool) Writer {
	for _, kind := range [...]Kind{User, APIKey} {
		if has[kind] {
			return Writer{identity: ids[kind], kind: kind, known: true}
		}
	}
	return Writer{}
}

// redis is the key's name on the server, such as {lim}:w:user:0f….
func (w Writer) redis() string {
	return "{lim}:w:" + w.kind.String() + ":" + hex.EncodeToString(w.identity[:])
}
