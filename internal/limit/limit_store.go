package limit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
	"net/netip"
)

// Kind is what an identity of a caller is.
type Kind uint8

// The kinds of identities.
const (
	User Kind = iota
	APIKey
	IP
	kinds
)

// String is the name in keys, metrics and header fields.
func (k Kind) String() string { return [...]string{"user", "key", "ip"}[k] }

// Unit is what a bucket holds.
type Unit uint8

// The units of buckets.
const (
	Points Unit = iota
	Requests
	units
)

// String is the name in header fields.
func (u Unit) String() string { return [...]string{"points", "requests"}[u] }

// Key names a bucket. It holds a digest in place of the identity, so that it has a fixed size, cannot be forged by a cleverly
// chosen identity, and does not let one be read out of Redis.
type Key struct {
	Identity [16]byte
	Kind     Kind
	Unit     Unit
}

// digester makes the digests: of SHA-256 when replicas have to agree on them, and otherwise of two hashes
// that are seeded at random for this process and take a fraction of the time.
type digester struct{ seeds *[2]maphash.Seed } // nil: SHA-256

func newDigester(shared bool) digester {
	if shared {
		return digester{}
	}
	return digester{&[2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

func (d digester) digest(identity string) (id [16]byte) {
	if d.seeds == nil {
		sum := sha256.Sum256([]byte(identity))
		return [16]byte(sum[:16])
	}
	binary.LittleEndian.PutUint64(id[:8], maphash.String(d.seeds[0], identity))
	binary.LittleEndian.PutUint64(id[8:], maphash.String(d.seeds[1], identity))
	return id
}

// identities are the digests of a caller's identities, and which of them it has.
func (d digester) identities(c *Caller) (ids [kinds][16]byte, has [kinds]bool) {
	if c.UserID != "" {
		ids[User], has[User] = d.digest(c.UserID), true
	}
	if c.KeyID != "" {
		ids[APIKey], has[APIKey] = d.digest(c.KeyID), true
	}
	if c.IP.IsValid() {
		prefix := network(c.IP).As16()
		ids[IP], has[IP] = d.digest(string(prefix[:])), true
	}
	return ids, has
}

// network is the address that counts as one caller: a whole IPv4 address, but 64 bits of an IPv6 one, because a single host
// may use all addresses below them.
func network(ip netip.Addr) netip.Addr {
	ip = ip.Unmap()
	if ip.Is6() {
		prefix, _ := ip.Prefix(64) // fails beyond 128 bits only
		ip = prefix.Addr()
	}
	return ip
}

// Entry is an amount on the account of one bucket, to be debited or credited. The amount is not negative.
type Entry struct {
	Key    Key
	Meter  Meter
	Amount int64
}

// MaxEntries is how many buckets one operation can meet: points and requests for each kind of identity.
const MaxEntries = int(kinds) * int(units)

// Outcome is the state of the buckets that were asked for, in their order.
type Outcome struct {
	Allowed bool              // whether each bucket held its amount
	At      int64             // the store's time, in microseconds since 1970
	Missing [MaxEntries]int64 // what each bucket lacks then, after the debit, in nanoseconds of restoring
	Writes  []string          // what the writer has had remembered of late, the oldest first; see Redis.Remember
}

// Store keeps the levels of buckets. A bucket it does not know is full. Its methods are safe for concurrent use.
type Store interface {
	// Debit takes at most MaxEntries amounts of distinct buckets, all of them or, if one bucket lacks its amount, none. When it
	// fails, the debit may have taken place nonetheless. The writer's recent writes are told beside, where the store has any.
	Debit(ctx context.Context, entries []Entry, writer Writer) (Outcome, error)
	// Credit gives amounts back, to each bucket at most until it is full. There may be any number of them, several to one
	// bucket too. When it fails, some may have been given back.
	Credit(ctx context.Context, entries []Entry) error
	// Look is a Debit that takes nothing: Allowed tells whether the amounts are there.
	Look(ctx context.Context, entries []Entry, writer Writer) (Outcome, error)
}
