package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// twentyKB is an answer of 100 posts, as the engine writes it.
func twentyKB() []byte {
	posts := make([]string, 100)
	for i := range posts {
		posts[i] = fmt.Sprintf(`{"id":"post_%d","title":%q,"author":{"id":"user_%d","name":"Someone of the name %d"}}`, i, strings.Repeat("words ", 20), i, i)
	}
	return []byte(`{"user":{"posts":{"nodes":[` + strings.Join(posts, ",") + `]}}}`)
}

func BenchmarkEncode(b *testing.B) {
	data, cost := twentyKB(), json.RawMessage(`{"requested":201,"actual":201}`)
	for name, finished := range map[string]bool{"checked": false, "finished": true} {
		a := answer{status: 200, ran: true, response: response{Data: data, finished: finished, Extensions: map[string]any{"cost": cost}}}
		var kept scratches
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				buffer := kept.get()
				_, *buffer = encode(a, DefaultMaxResponseBytes, *buffer)
				kept.put(buffer)
			}
		})
	}
}
