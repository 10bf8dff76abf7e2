package clients

import (
	"bufio"
	"errors"
	"io"
	"net"

	"github.com/valyala/fasthttp"
)

const (
	// maxHeadBytes bounds an answer's status line and header fields, and is what the first read can take of an answer.
	maxHeadBytes = 64 << 10

	// maxProblemBytes bounds what is read of an answer that is an error anyway.
	maxProblemBytes = 64 << 10

	// maxPooledBytes is the largest body buffer worth keeping.
	maxPooledBytes = 1 << 20
)

var (
	errMalformed = errors.New("malformed HTTP answer")
	errHead      = errors.New("HTTP answer with a header of more than 64 KiB")
	errOversized = errors.New("oversized body")
)

// wire is what one exchange needs to be written and read; it outlives exchanges to be used again. fasthttp writes and reads
// the messages, but knows no context and names what it read in its errors, so connections and errors are ours.
type wire struct {
	req    fasthttp.RequestHeader
	target []byte
	out    []byte // the request
	in     *bufio.Reader
	res    fasthttp.Response
	most   int64  // bytes of a 2xx body
	body   []byte // lies in in or in res
	broken error  // what ended the body too early; errOversized: it was too long

	answered bool // there was a byte of an answer
	ended    bool // the answer is over, and so much is known of it that another may follow on the connection
}

func newWire() *wire {
	w := &wire{in: bufio.NewReaderSize(nil, maxHeadBytes)}
	w.res.KeepBodyBuffer = true // its pool would be everybody's
	return w
}

// reset lets go of connection and answer.
func (w *wire) reset() {
	w.in.Reset(nil)
	w.res.Reset()
	w.body = nil
}

// converse sends the request and reads its answer. An error says that there was none; of a body it is w.broken.
func (w *wire) converse(conn net.Conn) error {
	w.answered, w.ended, w.body, w.broken = false, false, nil, nil
	w.in.Reset(conn)
	if _, err := conn.Write(w.out); err != nil {
		return err
	}
	if _, err := w.in.Peek(1); err != nil { // by itself, since fasthttp takes whatever happens here for io.EOF
		return ended(err)
	}
	w.answered = true
	w.res.Reset()
	w.res.Header.SetNoDefaultContentType(true)
	w.res.SkipBody = true
	if err := w.res.ReadLimitBody(w.in, 0); err != nil {
		return headError(err)
	}
	left := 0
	left, w.broken = w.readBody()
	w.ended = w.broken == nil && left == 0 && !w.res.ConnectionClose() && w.res.StatusCode() != fasthttp.StatusSwitchingProtocols
	return nil
}

// readBody reads a body up to its limit and tells how much has come behind it.
func (w *wire) readBody() (left int, err error) {
	status, announced, most := w.res.StatusCode(), w.res.Header.ContentLength(), w.most
	if status/100 != 2 {
		most = maxProblemBytes
	}
	switch {
	case status/100 == 1 || status == fasthttp.StatusNoContent || status == fasthttp.StatusNotModified:
		return w.in.Buffered(), nil
	case int64(announced) > most:
		return 0, errOversized
	case announced >= 0 && announced <= w.in.Size(): // most bodies need no copy
		w.body, err = w.in.Peek(announced)
		return w.in.Buffered() - len(w.body), ended(err)
	}
	w.res.SkipBody = false
	err = w.res.ReadBody(w.in, int(most))
	w.body = w.res.Body()
	if err == nil && announced == -1 {
		err = w.res.Header.ReadTrailer(w.in)
	}
	if errors.Is(err, fasthttp.ErrBodyTooLarge) {
		return 0, errOversized
	}
	return w.in.Buffered(), bodyError(err)
}

// ended is an end where there was to be more.
func ended(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// headError is an error of fasthttp about a header without what the service sent.
func headError(err error) error {
	if _, ok := errors.AsType[*fasthttp.ErrSmallBuffer](err); ok {
		return errHead
	}
	return bodyError(err)
}

// bodyError is an error of the connection, or says only that the answer was malformed.
func bodyError(err error) error {
	if err == nil {
		return nil
	}
	if of, ok := errors.AsType[net.Error](err); ok {
		return of
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	return errMalformed
}
