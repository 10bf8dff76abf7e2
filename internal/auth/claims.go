package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// viewerOf reads the caller out of claims whose signature and times have been checked. The names of claims match exactly
// there, which they would not in a struct: an issuer may let its users choose a claim called "Sub".
func viewerOf(c jwt.MapClaims) (Viewer, error) {
	subject, err := c.GetSubject()
	if err != nil || subject == "" {
		return Viewer{}, fmt.Errorf("%w: names nobody", ErrInvalidToken)
	}
	expires, err := c.GetExpirationTime()
	if err != nil || expires == nil {
		return Viewer{}, fmt.Errorf("%w: never ends", ErrInvalidToken)
	}
	scopes, err := scopesOf(c)
	if err != nil {
		return Viewer{}, err
	}
	return Viewer{UserID: subject, Scopes: scopes, Expires: expires.UTC()}, nil
}

// scopesOf reads scope, separated by spaces as in RFC 8693 section 4.2, and scp, which some issuers write instead, as a list
// or like scope.
func scopesOf(c jwt.MapClaims) ([]string, error) {
	var scopes []string
	switch scope := c["scope"].(type) {
	case nil:
	case string:
		scopes = strings.Fields(scope)
	default:
		return nil, fmt.Errorf("%w: scope is no string", ErrInvalidToken)
	}
	switch scp := c["scp"].(type) {
	case nil:
	case string:
		scopes = append(scopes, strings.Fields(scp)...)
	case []any:
		for _, item := range scp {
			scope, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("%w: scp holds what is no string", ErrInvalidToken)
			}
			scopes = append(scopes, scope)
		}
	default:
		return nil, fmt.Errorf("%w: scp is neither a string nor a list", ErrInvalidToken)
	}
	return slices.Clip(scopes), nil
}

// noExtensions refuses a token that demands extensions of its reader, as RFC 7515 section 4.1.11 wants of those who know none.
func noExtensions(t *jwt.Token) error {
	if _, ok := t.Header["crit"]; ok {
		return errors.New("crit names extensions")
	}
	return nil
}
