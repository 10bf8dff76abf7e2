package config

import (
	"fmt"
	"strings"
	"time"
)

// Ends are the ends of versions that the operator has set, by version. The error does not name the flag.
func (v *Versions) Ends() (map[string]time.Time, error) {
	ends := make(map[string]time.Time, len(v.Sunsets))
	for _, pair := range v.Sunsets {
		name, text, _ := strings.Cut(pair, "=")
		at, err := time.Parse(time.DateOnly, text)
		if name == "" || err != nil {
			return nil, fmt.Errorf("%q is not VERSION=DAY, such as 1=2027-11-23", pair)
		}
		ends[name] = at
	}
	return ends, nil
}
