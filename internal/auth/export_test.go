package auth

// SetLimit has a store hold fewer keys, so that a test can fill it.
func (s *SQLiteKeys) SetLimit(n int) { s.limit = n }

// SetLimit has a store hold fewer keys, so that a test can fill it.
func (r *RedisKeys) SetLimit(n int) { r.limit = n }

// ParseKeySet counts the keys that can be used in a key set.
func ParseKeySet(body []byte) (int, error) {
	set, err := parseKeySet(body)
	return set.size(), err
}

// Remembered is how many tokens are remembered, after what is too much has gone.
func (a *Authenticator) Remembered() int {
	a.verified.CleanUp()
	return a.verified.EstimatedSize()
}
