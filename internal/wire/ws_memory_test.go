//go:build !race

// The race detector keeps memory of its own.

package wire_test

import (
	"runtime"
	"testing"
	"time"

	"tributary/internal/wire"
)

// TestMemoryOfAnIdleSubscriber holds what a quiet subscription on a websocket keeps in the heap and on stacks. Measured were 3.0 KB,
// sockets of both ends included, and stacks of 2.7 KB; the bounds have room for another Go, not for a buffer and a few contexts more.
func TestMemoryOfAnIdleSubscriber(t *testing.T) {
	const clients, mostHeap, mostStack = 500, 3600, 3500
	s := newStreamSite(t, wire.ConnectionsConfig{MaxPerCaller: clients + 10})
	settled := func() (m runtime.MemStats) {
		for range 3 { // pools and stacks are given back over two collections
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m
	}
	open := make([]*bare, 0, clients)
	connect := func(n int) {
		for range n {
			c := s.ready(t)
			c.subscribe("1", subscription)
			c.reader, c.reply = nil, nil // most of the client's part, which is not what is measured
			_ = c.SetDeadline(time.Time{})
			open = append(open, c)
		}
		s.ticks.members(t, len(open))
	}
	connect(10) // what is had once
	before := settled()
	connect(clients - 10)
	after := settled()
	n := int64(clients - 10)
	heap, stack := int64(after.HeapAlloc-before.HeapAlloc)/n, (int64(after.StackInuse)-int64(before.StackInuse))/n
	t.Logf("%d bytes of heap and %d of stacks for each", heap, stack)
	if heap > mostHeap || stack > mostStack {
		t.Errorf("an idle subscriber takes %d bytes of heap and %d of stacks, at most %d and %d are allowed", heap, stack, mostHeap, mostStack)
	}
	for _, c := range open {
		c.Close()
	}
	s.ticks.members(t, 0)
}
