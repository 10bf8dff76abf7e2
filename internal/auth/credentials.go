package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The ways in which credentials are refused. None of the errors that wrap them carries a credential.
var (
	// ErrInvalidToken is wrapped by every refusal of a token.
	ErrInvalidToken = errors.New("invalid token")
	// ErrInvalidKey is wrapped by every refusal of an API key.
	ErrInvalidKey = errors.New("invalid API key")
	// ErrUnavailable says that whether the credentials are good cannot be told now: the key set of the tokens' issuer or the
	// store of the API keys is out of reach.
	ErrUnavailable = errors.New("credentials cannot be checked now")
)

// Credentials is what a request shows of who calls, as it came.
type Credentials struct {
	Authorization []string // the values of the field Authorization
	APIKey        []string // the values of the field X-API-Key
}

// Tokens checks bearer tokens.
type Tokens interface {
	// Verify tells whose token it is. The error wraps ErrInvalidToken, or ErrUnavailable where nobody can tell now; it does
	// not carry the token.
	Verify(ctx context.Context, token string) (Viewer, error)
}

// bearer takes the token out of the values of the field Authorization; found is false when there is none.
func bearer(values []string) (token string, found bool, err error) {
	if len(values) == 0 || (len(values) == 1 && values[0] == "") {
		return "", false, nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "bearer") {
		return "", true, fmt.Errorf("%w: want one Authorization: Bearer", ErrInvalidToken)
	}
	return strings.TrimSpace(token), true, nil
}

// apiKey takes the API key out of the values of the field X-API-Key; found is false when there is none.
func apiKey(values []string) (key string, found bool, err error) {
	if len(values) == 0 || (len(values) == 1 && values[0] == "") {
		return "", false, nil
	}
	if len(values) > 1 {
		return "", true, fmt.Errorf("%w: want one X-API-Key", ErrInvalidKey)
	}
	return strings.TrimSpace(values[0]), true, nil
}
