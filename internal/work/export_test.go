package work

// Histories sets how many attempts one history of an instance holds.
func (e *Engine) Histories(attempts int) { e.attemptsPerHistory = attempts }
