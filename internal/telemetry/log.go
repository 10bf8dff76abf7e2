package telemetry

import (
	"fmt"
	"io"
	"log/slog"
)

// NewLogger makes the logger of the program. Level is debug, info, warn or error; format is json or text.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var options slog.HandlerOptions
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	options.Level = least
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, &options)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, &options)), nil
	}
	return nil, fmt.Errorf("log format: want json or text, not %q", format)
}
