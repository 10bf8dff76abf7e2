package wire

import (
	"bytes"
	"compress/gzip"
	"strings"
)

const (
	minPacked     = 1 << 10 // bytes below which packing saves no packet
	maxKeptBuffer = 1 << 20 // bytes of a buffer that is kept for the next answer
)

// packer packs answers, one at a time. A browser sends no credentials of its own here, so that no page can have answers packed
// that hold both a secret and text of its choice.
type packer struct {
	out bytes.Buffer
	zip *gzip.Writer
}

func (h *HTTP) packer() *packer {
	if p, ok := h.packers.Get().(*packer); ok {
		return p
	}
	zip, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // a level that there is
	return &packer{zip: zip}
}

func (h *HTTP) release(p *packer) {
	if p.out.Cap() <= maxKeptBuffer {
		h.packers.Put(p)
	}
}

// pack gives raw packed. The bytes are the packer's, until it is released.
func (p *packer) pack(raw []byte) []byte {
	p.out.Reset()
	p.zip.Reset(&p.out)
	_, _ = p.zip.Write(raw) // a buffer takes everything
	_ = p.zip.Close()
	return p.out.Bytes()
}

// takesGzip reads Accept-Encoding as RFC 9110, section 12.5.3, describes it: gzip has to be named or meant by *, and not be worse than
// the answer as it is. Who refuses that too gets it nevertheless.
func takesGzip(accept []string) bool {
	quality := qualities(strings.Join(accept, ","))
	rest := quality["*"]
	zipped, named := quality["gzip"]
	if alias, ok := quality["x-gzip"]; ok {
		zipped, named = max(zipped, alias), true
	}
	if !named {
		zipped = rest
	}
	plain, named := quality["identity"]
	if !named {
		plain = rest
	}
	return zipped > 0 && zipped >= plain
}
