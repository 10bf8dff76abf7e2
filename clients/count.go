package clients

// newCounts makes the reader of numbers by id.
func newCounts[K ~string, T any](svc *service, endpoint, prefix string, tags func(K) tags, read reader[T]) *batch[K, T] {
	b := &batch[K, T]{svc: svc, endpoint: endpoint, space: prefix, target: commas(prefix), text: idText[K], tags: tags}
	b.keep = func(k K, n T, epoch uint64) (T, standing) {
		b.store(k, n, epoch, 16)
		return n, shown
	}
	b.decode = func(body []byte, _ []K) (found[K, T], error) {
		counts, err := decodeCounts[K](body, read)
		return found[K, T]{values: counts}, err
	}
	return b
}
