package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
)

const handshake = "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"

// beginSocket upgrades, and subscribes so many times once the connection is acknowledged.
func beginSocket(conn net.Conn, reader *bufio.Reader, document string, times int) error {
	if _, err := io.WriteString(conn, handshake); err != nil {
		return err
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the gateway answers %s", response.Status)
	}
	if err := send(conn, `{"type":"connection_init"}`); err != nil {
		return err
	}
	message, err := receive(reader, nil)
	if err != nil {
		return err
	}
	if !bytes.Contains(message, []byte("connection_ack")) {
		return fmt.Errorf("no acknowledgement but %.100q", message)
	}
	for i := range times {
		if err := send(conn, fmt.Sprintf(`{"id":"%d","type":"subscribe","payload":{"query":%q}}`, i+1, document)); err != nil {
			return err
		}
	}
	return nil
}

// readSocket gives each payload that comes, and answers pings, until the connection ends.
func readSocket(conn net.Conn, reader *bufio.Reader, payload func([]byte)) {
	var message []byte
	for {
		var err error
		if message, err = receive(reader, message); err != nil {
			return
		}
		switch {
		case bytes.Contains(message, []byte(`"type":"next"`)):
			payload(message)
		case bytes.Contains(message, []byte(`"type":"ping"`)):
			if send(conn, `{"type":"pong"}`) != nil {
				return
			}
		}
	}
}

func send(conn net.Conn, text string) error {
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails
	_, err := conn.Write(frameOf(text, mask))
	return err
}

// frameOf is a masked text frame (RFC 6455, 5.2) of less than 64 KB. Its length has the shortest form: the gateway refuses others.
func frameOf(text string, mask [4]byte) []byte {
	frame := []byte{0x81}
	if len(text) < 126 {
		frame = append(frame, 0x80|byte(len(text)))
	} else {
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(len(text)))
	}
	frame = append(frame, mask[:]...)
	for i := range len(text) {
		frame = append(frame, text[i]^mask[i%4])
	}
	return frame
}

// receive reads the payload of one frame, into the buffer where that is large enough.
func receive(reader *bufio.Reader, buffer []byte) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(reader, head[:]); err != nil {
		return nil, err
	}
	length := int(head[1] & 0x7f)
	if length >= 126 {
		var more [8]byte
		size := more[6:]
		if length == 127 {
			size = more[:]
		}
		if _, err := io.ReadFull(reader, size); err != nil {
			return nil, err
		}
		length = int(binary.BigEndian.Uint64(more[:]))
	}
	if length > 1<<20 {
		return nil, errors.New("a frame of more than 1 MB")
	}
	payload := slices.Grow(buffer[:0], length)[:length]
	_, err := io.ReadFull(reader, payload)
	return payload, err
}
