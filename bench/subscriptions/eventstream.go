package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// beginStream asks for an event stream of the subscription.
func beginStream(conn net.Conn, reader *bufio.Reader) error {
	_, err := fmt.Fprintf(conn, "GET /graphql?query=%s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", url.QueryEscape(subscription))
	if err != nil {
		return err
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the gateway answers %s", response.Status)
	}
	return nil // the rest is read from the reader: the body has no length, and is not chunked
}

// readStream gives the data of each next event that comes, until the connection ends.
func readStream(reader *bufio.Reader, payload func([]byte)) {
	var event []byte
	for {
		line, err := reader.ReadSlice('\n')
		event = append(event, line...)
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err != nil:
			return
		}
		if !bytes.HasSuffix(event, []byte("\n\n")) && len(line) != 1 {
			continue
		}
		if bytes.HasPrefix(event, []byte("event: next\n")) {
			payload(event)
		}
		event = event[:0]
	}
}
