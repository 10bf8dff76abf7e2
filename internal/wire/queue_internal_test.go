package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// tcpPair is the two ends of a connection.
func tcpPair(t testing.TB) (server, client net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if client, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return server, client
}

// TestQueue holds over connections with and without attempts that nothing is lost, doubled or torn, nothing waits, and no more is
// kept than may be.
func TestQueue(t *testing.T) {
	for name, pair := range map[string]func(testing.TB) (net.Conn, net.Conn){
		"TCP":       tcpPair,
		"in memory": func(testing.TB) (net.Conn, net.Conn) { return net.Pipe() },
	} {
		t.Run(name, func(t *testing.T) {
			server, client := pair(t)
			var running sync.WaitGroup
			q := newQueueConn(server, time.Minute, &running)
			var want bytes.Buffer
			refused := 0
			for i := range 3000 { // 12 MB before anybody reads
				piece := bytes.Repeat([]byte{byte(i)}, 4000)
				switch err := q.send(piece, maxQueuedBytes); {
				case err == nil:
					want.Write(piece)
				case errors.Is(err, errNoRoom):
					refused++
				default:
					t.Fatal(err)
				}
				if q.unsent > maxQueuedBytes {
					t.Fatalf("%d bytes wait", q.unsent)
				}
			}
			if refused == 0 || want.Len() < maxQueuedBytes/2 {
				t.Errorf("%d pieces were refused, %d bytes were taken", refused, want.Len())
			}
			waited := make(chan error, 1)
			go func() { waited <- q.sendWaiting([]byte("waited"), maxQueuedBytes) }()
			want.WriteString("waited")
			got := make([]byte, want.Len())
			if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, want.Bytes()) {
				t.Fatalf("what comes is not what was sent: %v", err)
			}
			if err := <-waited; err != nil {
				t.Error(err)
			}
			q.finish([]byte("last"), true)
			if err := q.send([]byte("later"), maxQueuedBytes); !errors.Is(err, net.ErrClosed) {
				t.Errorf("behind the last: %v", err)
			}
			if rest, err := io.ReadAll(client); string(rest) != "last" || err != nil {
				t.Errorf("got %q, %v", rest, err)
			}
			_ = q.Close()
			running.Wait()
			if q.queue != nil {
				t.Error("an empty queue keeps its bytes")
			}
		})
	}
}

func TestQueueOfAStalledPeer(t *testing.T) {
	server, _ := tcpPair(t)
	var running sync.WaitGroup
	q := newQueueConn(server, 50*time.Millisecond, &running)
	if err := q.send(make([]byte, 16<<20), maxQueuedBytes); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- q.sendWaiting(make([]byte, maxQueuedBytes), maxQueuedBytes) }()
	running.Wait()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// TestQueueAfterASlowPeer holds that the deadline of a flush does not outlive it.
func TestQueueAfterASlowPeer(t *testing.T) {
	server, client := tcpPair(t)
	var running sync.WaitGroup
	const stall = 100 * time.Millisecond
	q := newQueueConn(server, stall, &running)
	defer q.Close()
	big := make([]byte, 16<<20)
	if err := q.send(big, maxQueuedBytes); err != nil || !q.busy() {
		t.Fatalf("it does not wait: %v", err)
	}
	if _, err := io.ReadFull(client, big); err != nil {
		t.Fatal(err)
	}
	running.Wait()
	<-time.After(stall + 20*time.Millisecond)
	if err := q.send([]byte("later"), maxQueuedBytes); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, big[:5]); err != nil || string(big[:5]) != "later" {
		t.Errorf("got %q, %v", big[:5], err)
	}
}

// TestALongMessageFindsRoom holds that what is longer than may wait is taken behind a few bytes that are on their way, once.
func TestALongMessageFindsRoom(t *testing.T) {
	server, client := net.Pipe() // where nothing is on its way until it is read
	var running sync.WaitGroup
	q := newQueueConn(server, time.Minute, &running)
	long := bytes.Repeat([]byte("x"), maxQueuedBytes+1)
	for i, err := range []error{q.send([]byte("few"), maxQueuedBytes), q.send(long, maxQueuedBytes), q.send(long, maxQueuedBytes), q.send([]byte("few"), maxQueuedBytes)} {
		if refused := errors.Is(err, errNoRoom); refused != (i > 1) || !refused && err != nil {
			t.Errorf("message %d: %v", i, err)
		}
	}
	if _, err := io.ReadFull(client, make([]byte, len(long)+len("few"))); err != nil {
		t.Error(err)
	}
	running.Wait()
	if err := q.send(nil, maxQueuedBytes); err != nil || q.unsent > 0 {
		t.Errorf("%d bytes wait: %v", q.unsent, err)
	}
	_ = client.Close()
	_ = q.Close()
}
