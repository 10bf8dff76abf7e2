package wire_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"tributary/internal/wire"
)

// BenchmarkFanOut delivers one event of about 540 bytes to 1,000 websockets over loopback, whose clients read in this process too.
func BenchmarkFanOut(b *testing.B) {
	const clients = 1000
	s := newStreamSite(b, wire.ConnectionsConfig{MaxPerCaller: clients})
	before := resident(b)
	got := make(chan error, clients)
	for range clients {
		c := s.ready(b)
		c.reader.Reset(c.TCPConn)
		c.subscribe("1", subscription)
		_ = c.SetDeadline(time.Time{})
		go func() {
			for {
				_, _, err := c.read()
				if err != nil {
					return
				}
				got <- err
			}
		}()
	}
	s.ticks.members(b, clients)
	runtime.GC()
	idle := float64(resident(b)-before) / clients
	text := strings.Repeat("x", 500)
	for b.Loop() {
		s.ticks.emit(text)
		for range clients {
			<-got
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/clients, "µs/delivery")
	b.ReportMetric(idle, "RSS-B/connection+client")
}

// resident is the memory of this process in bytes, as far as the system tells.
func resident(b *testing.B) int {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("no /proc")
	}
	pages, _ := strconv.Atoi(strings.Fields(string(raw))[1])
	return pages * os.Getpagesize()
}
