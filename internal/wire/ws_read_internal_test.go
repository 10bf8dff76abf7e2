package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// scripted is a connection from which pieces come, one with each read.
type scripted struct {
	net.Conn
	pieces [][]byte
}

func (s *scripted) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.pieces[0])
	if s.pieces[0] = s.pieces[0][n:]; len(s.pieces[0]) == 0 {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

// clientFrame is a masked frame.
func clientFrame(head byte, payload []byte, mask [4]byte) []byte {
	frame := appendFrame(nil, 0, payload)
	head0 := len(frame) - len(payload)
	frame[0], frame[1] = head, frame[1]|0x80
	frame = append(append(frame[:head0:head0], mask[:]...), payload...)
	for i := range payload {
		frame[head0+4+i] ^= mask[i%4]
	}
	return frame
}

// TestReadsWhatWasSent holds that messages come whole and control frames between their fragments, however the bytes arrive, and that
// what came behind the handshake is read first.
func TestReadsWhatWasSent(t *testing.T) {
	type got struct {
		opcode  byte
		payload string
	}
	rapid.Check(t, func(t *rapid.T) {
		var raw []byte
		var want []got
		mask := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "mask"))
		for range rapid.IntRange(1, 5).Draw(t, "messages") {
			opcode := rapid.SampledFrom([]byte{opcodeText, opcodeBinary}).Draw(t, "opcode")
			size := rapid.SampledFrom([]int{0, 1, 50, 125, 126, 1000, 70_000}).Draw(t, "size")
			payload, head := bytes.Repeat([]byte("abcdefg"), size/7+1)[:size], opcode
			for left, fragments := payload, rapid.IntRange(1, 3).Draw(t, "fragments"); fragments > 0; fragments-- {
				cut := len(left)
				if fragments == 1 {
					head |= 0x80
				} else {
					cut = rapid.IntRange(0, len(left)).Draw(t, "cut")
				}
				raw = append(raw, clientFrame(head, left[:cut], mask)...)
				if left, head = left[cut:], opcodeContinuation; fragments > 1 && rapid.Bool().Draw(t, "ping between") {
					raw = append(raw, clientFrame(0x80|opcodePing, []byte("p"), mask)...)
					want = append(want, got{opcodePing, "p"})
				}
			}
			want = append(want, got{opcode, string(payload)})
		}
		early := rapid.IntRange(0, min(len(raw), 4096)).Draw(t, "early")
		conn := &scripted{}
		r := messageReader{conn: conn, pending: raw[:early]}
		for rest := raw[early:]; len(rest) > 0; {
			n := min(len(rest), rapid.IntRange(1, 5000).Draw(t, "piece"))
			conn.pieces, rest = append(conn.pieces, rest[:n]), rest[n:]
		}
		for i, w := range want {
			opcode, payload, err := r.read(100_000)
			if err != nil || opcode != w.opcode || string(payload) != w.payload {
				t.Fatalf("message %d: got opcode %d, %d bytes, %v; want opcode %d, %d bytes", i, opcode, len(payload), err, w.opcode, len(w.payload))
			}
		}
		if _, _, err := r.read(100_000); !errors.Is(err, io.EOF) {
			t.Fatalf("behind the last: %v", err)
		}
	})
}

func TestRefusedFrames(t *testing.T) {
	masked := func(head byte, size int) []byte { return clientFrame(head, make([]byte, size), [4]byte{1, 2, 3, 4}) }
	long := func(length uint64) []byte {
		return append(binary.BigEndian.AppendUint64([]byte{0x81, 0xff}, length), make([]byte, 4+2)...)
	}
	for name, tt := range map[string]struct {
		raw  []byte
		want error
	}{
		"unmasked":                    {appendFrame(nil, opcodeText, []byte("x")), errUnmaskedFrame},
		"a reserved bit":              {masked(0xc1, 1), errBadFrame},
		"an unknown opcode":           {masked(0x83, 1), errBadFrame},
		"an unknown control opcode":   {masked(0x8b, 1), errBadFrame},
		"a fragmented ping":           {masked(0x09, 1), errBadFrame},
		"a long ping":                 {masked(0x89, 126), errBadFrame},
		"a continuation of nothing":   {masked(0x80, 1), errBadFrame},
		"a message within a message":  {append(masked(0x01, 1), masked(0x81, 1)...), errBadFrame},
		"too long":                    {masked(0x81, 1001), errTooBig},
		"too long in two frames":      {append(masked(0x01, 600), masked(0x80, 600)...), errTooBig},
		"a length of 2^63":            {long(1 << 63), errBadFrame},
		"a length of 2^63-1":          {long(1<<63 - 1), errTooBig},
		"2 written in eight bytes":    {long(2), errBadFrame},
		"2 written in two bytes":      {[]byte{0x81, 0xfe, 0, 2, 0, 0, 0, 0, 'x', 'y'}, errBadFrame},
		"the end within a head":       {masked(0x81, 5)[:4], io.EOF},
		"the end within a payload":    {masked(0x81, 5)[:8], io.EOF},
		"the end between two frames":  {masked(0x01, 5), io.EOF},
		"as long as a message may be": {masked(0x81, 1000), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := messageReader{conn: &scripted{pieces: [][]byte{tt.raw}}}
			if _, _, err := r.read(1000); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestClosesOfClients(t *testing.T) {
	payload := func(code uint16, reason string) []byte {
		return append(binary.BigEndian.AppendUint16(nil, code), reason...)
	}
	for name, tt := range map[string]struct {
		payload []byte
		code    uint16 // that refuses it; 0: none
	}{
		"without a code":    {nil, 0},
		"half a code":       {[]byte{3}, closeProtocol},
		"normal":            {payload(1000, "bye"), 0},
		"an own code":       {payload(4500, ""), 0},
		"a code of nobody":  {payload(999, ""), closeProtocol},
		"never to be sent":  {payload(1005, ""), closeProtocol},
		"beyond all":        {payload(5000, ""), closeProtocol},
		"a reason of bytes": {payload(1000, "\xff"), closeNotText},
	} {
		t.Run(name, func(t *testing.T) {
			if code, reason := closeCode(checkClose(tt.payload)); code != tt.code || (code != 0) != (reason != "") {
				t.Errorf("got %d %q, want %d", code, reason, tt.code)
			}
		})
	}
}

// FuzzMessages holds that whatever a client sends is read within the bound or refused.
func FuzzMessages(f *testing.F) {
	f.Add(clientFrame(0x81, []byte(`{"type":"ping"}`), [4]byte{1, 2, 3, 4}))
	f.Add(append(clientFrame(0x01, []byte("a"), [4]byte{}), clientFrame(0x80, []byte(strings.Repeat("b", 200)), [4]byte{9})...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := messageReader{conn: &scripted{pieces: [][]byte{raw}}}
		for {
			_, payload, err := r.read(500)
			if len(payload) > 500 {
				t.Fatalf("a message of %d bytes", len(payload))
			}
			if err != nil {
				return
			}
		}
	})
}
