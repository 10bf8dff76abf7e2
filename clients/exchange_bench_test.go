package clients

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkExchange is one upstream call as it is sent, its answer read and not decoded, against a service that allocates
// nothing. Processor time of both ends: -benchtime 50000x and the time of the process.
func BenchmarkExchange(b *testing.B) {
	for _, size := range []int{40, 30_000, 300_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			c := clientsOf(b, fixedService(b, size))
			ctx, cancel := context.WithCancel(WithCaller(b.Context(), Caller{Actor: "u1", RequestID: "r-1"}))
			defer cancel()
			r := &request{method: http.MethodGet, endpoint: "/users", target: "/users?ids=" + strings.Repeat("u100,", 99) + "u100"}
			seen := func(a answer) (any, error) { return nil, nil }
			b.ReportAllocs()
			for b.Loop() {
				if x, err := c.Users.svc.exchange(ctx, time.Now().Add(time.Minute), r, seen); err != nil || x.size != size {
					b.Fatal(x, err)
				}
			}
		})
	}
}

// fixedService answers every request with the same bytes.
func fixedService(b *testing.B, size int) (url string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	said := []byte(head + "Date: Mon, 23 Nov 2026 02:20:03 GMT\r\nContent-Length: " + strconv.Itoa(size) + "\r\n\r\n" + strings.Repeat(" ", size))
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer func() { _ = conn.Close() }()
				for got, buf := 0, make([]byte, 16<<10); ; {
					n, err := conn.Read(buf[got:])
					if err != nil {
						return
					}
					if got += n; !bytes.HasSuffix(buf[:got], []byte("\r\n\r\n")) {
						continue
					}
					if _, err := conn.Write(said); err != nil {
						return
					}
					got = 0
				}
			})
		}
	})
	b.Cleanup(work.Wait)
	b.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String()
}
