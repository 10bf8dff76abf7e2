package oracle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/operation"
)

// ErrDifferent is wrapped by what Compare says of two executors that do not answer alike.
var ErrDifferent = errors.New("the executors differ")

// Compare runs an operation on both executors, one after the other, and says what is different about their answers; nil means
// nothing. Data has to be equal byte for byte as it goes out, extensions as JSON. Errors are equal as a multiset of path, message and extensions:
// gqlgen's own executor leaves their order to its goroutines. An answer that is no JSON is an error too.
func Compare(ctx context.Context, stock, other operation.Executor, op *operation.Prepared, denied operation.Denied) error {
	want, got := stock.Execute(ctx, op, denied), other.Execute(ctx, op, denied)
	if want.Outcome != got.Outcome {
		return fmt.Errorf("%w in the outcome: stock has %d, the other %d", ErrDifferent, want.Outcome, got.Outcome)
	}
	return errors.Join(compareData(sent(want, got), sent(got, want)), compareErrors(want.Errors, got.Errors), compareExtensions(want.Extensions, got.Extensions))
}

// sent is the data of a result as it goes out, if that of the other one is compared with it as that.
func sent(of, with *operation.Result) []byte {
	if of.Finished || !with.Finished {
		return of.Data
	}
	safe, err := json.Marshal(json.RawMessage(of.Data))
	if err != nil {
		return of.Data // it will be told of
	}
	return safe
}

func compareData(want, got []byte) error {
	if bytes.Equal(want, got) {
		if want != nil && !json.Valid(want) {
			return fmt.Errorf("data is no JSON: %.200s", want)
		}
		return nil
	}
	at, wanted, is := firstDifference(want, got)
	return fmt.Errorf("%w in data at %s:\n  stock %s\n  other %s", ErrDifferent, at, wanted, is)
}

func compareErrors(want, got gqlerror.List) error {
	wanted, err := errorTexts(want)
	if err != nil {
		return fmt.Errorf("stock's errors: %w", err)
	}
	is, err := errorTexts(got)
	if err != nil {
		return fmt.Errorf("the other's errors: %w", err)
	}
	missing, extra := without(wanted, is), without(is, wanted)
	if len(missing)+len(extra) == 0 {
		return nil
	}
	var text strings.Builder
	for side, list := range map[string][]string{"stock": missing, "other": extra} {
		for i, line := range list {
			if i == shownErrors {
				fmt.Fprintf(&text, "\n  … and %d more of %s alone", len(list)-i, side)
				break
			}
			fmt.Fprintf(&text, "\n  %s alone %s", side, line)
		}
	}
	return fmt.Errorf("%w in errors: stock has %d, the other %d%s", ErrDifferent, len(wanted), len(is), &text)
}

// shownErrors is how many errors of either side are worth reading.
const shownErrors = 5

// errorTexts are errors as JSON of what is compared, sorted.
func errorTexts(list gqlerror.List) ([]string, error) {
	texts := make([]string, len(list))
	for i, e := range list {
		raw, err := json.Marshal(struct {
			Path       any            `json:"path"`
			Message    string         `json:"message"`
			Extensions map[string]any `json:"extensions"`
		}{e.Path, e.Message, e.Extensions})
		if err != nil {
			return nil, err
		}
		texts[i] = string(raw)
	}
	slices.Sort(texts)
	return texts, nil
}

// without takes from a sorted multiset what another one has too.
func without(from, other []string) (rest []string) {
	for _, text := range from {
		for len(other) > 0 && other[0] < text {
			other = other[1:]
		}
		if len(other) > 0 && other[0] == text {
			other = other[1:]
			continue
		}
		rest = append(rest, text)
	}
	return rest
}

func compareExtensions(want, got map[string]any) error {
	if len(want)+len(got) == 0 {
		return nil
	}
	wanted, err := json.Marshal(want)
	if err != nil {
		return fmt.Errorf("stock's extensions: %w", err)
	}
	is, err := json.Marshal(got)
	if err != nil {
		return fmt.Errorf("the other's extensions: %w", err)
	}
	if bytes.Equal(wanted, is) {
		return nil
	}
	at, a, b := firstDifference(wanted, is)
	return fmt.Errorf("%w in extensions at %s:\n  stock %s\n  other %s", ErrDifferent, at, a, b)
}
